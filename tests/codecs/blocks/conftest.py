"""The faces of the codecs' blocks, compiled once for any machine and once for AVX2."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from gateway.testing.blocks import Faces, build


@pytest.fixture(scope="session")
def faces() -> Faces:
    return Faces(build(Path(__file__).parent))


@pytest.fixture(scope="session")
def faces_avx2() -> Faces:
    cpu = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpu.exists() or " avx2 " not in cpu.read_text(encoding="utf-8"):
        pytest.skip("this machine has no AVX2")
    return Faces(build(Path(__file__).parent, "-mavx2"))
