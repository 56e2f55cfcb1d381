import contextlib

import pytest

from gateway.testing.processes import Serving


@pytest.fixture
def serve(tmp_path):
    """Start a switch of the test's own; at the end it must have left nothing behind."""
    with contextlib.ExitStack() as running:
        yield lambda **options: running.enter_context(Serving(tmp_path / "switch", **options))
