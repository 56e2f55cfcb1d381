import contextlib

import pytest

from gateway.testing.supervised import Supervised


@pytest.fixture
def temporary(tmp_path):
    """Where the supervisor puts its temporary files."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    return directory


@pytest.fixture
def supervise(temporary):
    """Start a supervisor with these children; whatever happens, nothing of it is left running."""
    with contextlib.ExitStack() as running:
        yield lambda **plan: running.enter_context(Supervised(temporary, **plan))
