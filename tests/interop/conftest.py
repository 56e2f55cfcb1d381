import contextlib
import os
import re
from pathlib import Path

import pytest

from gateway.testing.platform import Platform
from gateway.testing.processes import Serving

CONVERSATIONS = Path(__file__).parent / "conversations"


@pytest.fixture
def serve(tmp_path):
    """Start a switch of the test's own; at the end it must have left nothing behind."""
    with contextlib.ExitStack() as running:
        yield lambda **options: running.enter_context(Serving(tmp_path / "switch", **options))


@pytest.fixture(scope="session")
def platform(tmp_path_factory):
    """A switch with an application and a carrier, shared by tests that leave it as they found it."""
    with Platform(tmp_path_factory.mktemp("platform")) as serving:
        yield serving


@pytest.fixture
def spoken_as(request):
    """Compare a ladder with the one in `conversations/`; with TANDEM_RECORD=1 in the environment, write it."""

    def compare(ladder):
        path = CONVERSATIONS / f"{re.sub(r'[^a-z0-9_-]+', '.', request.node.name).strip('.')}.txt"
        if os.environ.get("TANDEM_RECORD"):
            path.write_text(ladder)
        assert ladder == path.read_text()

    return compare
