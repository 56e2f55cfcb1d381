"""The faces of the codecs' blocks, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.testing.blocks import Faces, build


@pytest.fixture(scope="session")
def faces() -> Faces:
    return Faces(build(Path(__file__).parent))
