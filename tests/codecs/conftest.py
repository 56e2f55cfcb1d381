"""Every test that asks for `implementation` runs twice: on the C kernels and on their readable twins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voicecodecs import Implementation
from voicecodecs.arrays import Int16Array

_VECTORS = Path(__file__).parents[3] / "shared" / "vectors"


@pytest.fixture(params=["native", "reference"])
def implementation(request: pytest.FixtureRequest) -> Implementation:
    return request.param


@pytest.fixture(params=["pcmu", "pcma"])
def law(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def g711_vector() -> Callable[[str], Int16Array]:
    """Read one file of the G.191 sweep: little-endian 16-bit words, a sample or a code each."""
    folder = _VECTORS / "g711"
    if not folder.is_dir():
        pytest.skip("the standards' conformance data is not in ../shared/vectors")
    return lambda name: np.fromfile(folder / name, "<i2").astype(np.int16)


@pytest.fixture(scope="session")
def every_sample() -> Int16Array:
    return np.arange(-32768, 32768).astype(np.int16)


@pytest.fixture(scope="session")
def every_code() -> list[bytes]:
    """All 256 codes as frames; the last one is short."""
    codes = bytes(range(256))
    return [codes[at : at + 80] for at in range(0, 256, 80)]
