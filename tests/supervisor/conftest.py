import contextlib
import tempfile
from pathlib import Path

import pytest

from gateway.testing.supervised import Supervised


@pytest.fixture
def temporary():
    """Where the supervisor puts its temporary files; pytest's own paths are too long for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        yield Path(directory)


@pytest.fixture
def supervise(temporary):
    """Start a supervisor with these children; whatever happens, nothing of it is left running."""
    with contextlib.ExitStack() as running:
        yield lambda **plan: running.enter_context(Supervised(temporary, **plan))
