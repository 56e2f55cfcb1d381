import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def temporary():
    """Where a supervisor puts its temporary files; pytest's own paths are too long for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        yield Path(directory)
