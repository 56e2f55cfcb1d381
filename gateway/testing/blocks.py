"""The codecs' blocks in C, called one by one: what a test holds against the same block of the readable twin.

`tests/codecs/blocks/faces_*.c` give every block a *face*: a function that takes arrays and numbers only and begins
from a fresh state.  They alone know the kernels' structs; here and in the tests there are lists of numbers.

    faces = Faces(build(folder))
    faces.ilbc_smooth(Out16(80), current, surround)      # -> the 80 samples, as a list

A list goes in as int16, `Int32` and `bytes` say otherwise; an `Out` comes back as a list, an `InOut16` both.  A face
with one result returns it, with several a tuple of them, with none what the function returns.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

__all__ = [
    "Faces",
    "InOut8",
    "InOut16",
    "Int32",
    "Out8",
    "Out16",
    "Out32",
    "agree",
    "build",
    "cut",
    "flat",
    "levels",
    "rows",
    "signals",
]

_T = TypeVar("_T")
_ROOT: Final = Path(__file__).parents[2]
_BUILD: Final = _ROOT / "build" / "blocks"
_FLAGS: Final = ("-std=c11", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-Wno-psabi")


def build(faces: Path, *flags: str) -> Path:
    """Compile the kernels and the faces of a folder into one library, unless that was done; return where it is.

    flags: more of the compiler's, as `-mavx2`.

    Raises:
        subprocess.CalledProcessError: it does not compile.
    """
    native = _ROOT / "native"
    sources = [*sorted(native.glob("g729/*.c")), *sorted(native.glob("ilbc/*.c")), *sorted(faces.glob("*.c"))]
    read = [
        *sources,
        *sorted(faces.glob("*.h")),
        *sorted(native.glob("g729/*.h")),
        *sorted(native.glob("ilbc/*.h")),
    ]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()[:16]
    library = _BUILD / f"blocks{''.join(flags)}-{digest}.so"
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            for old in _BUILD.glob(f"blocks{''.join(flags)}-{'?' * len(digest)}.so"):
                old.unlink()
            subprocess.run(["cc", *_FLAGS, *flags, f"-I{native}", "-o", library, *sources, "-lm"], check=True)
    return library


class _Array:
    """An argument that is an array of C's."""

    def __init__(self, values: Sequence[int] | int, dtype: type[np.generic], *, comes_back: bool) -> None:
        self.array = np.zeros(values, dtype) if isinstance(values, int) else np.array(list(values), dtype)
        self.comes_back = comes_back


class Int32(_Array):
    """Numbers of 32 bits that go in."""

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(values, np.int32, comes_back=False)


class Out8(_Array):
    """Room for bytes."""

    def __init__(self, n: int) -> None:
        super().__init__(n, np.uint8, comes_back=True)


class Out16(_Array):
    """Room for samples."""

    def __init__(self, n: int) -> None:
        super().__init__(n, np.int16, comes_back=True)


class Out32(_Array):
    """Room for numbers of 32 bits."""

    def __init__(self, n: int) -> None:
        super().__init__(n, np.int32, comes_back=True)


class InOut8(_Array):
    """Bytes that go in and come back."""

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(values, np.uint8, comes_back=True)


class InOut16(_Array):
    """Samples that go in and come back."""

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(values, np.int16, comes_back=True)


class Faces:
    """The faces of a library, by name."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._library, f"face_{name}")

        def call(*arguments: object) -> Any:
            given_arrays = [_array_of(argument) for argument in arguments]
            value = function(*map(_passed, given_arrays))
            out = [
                argument.array.tolist()
                for argument in given_arrays
                if isinstance(argument, _Array) and argument.comes_back
            ]
            return value if not out else out[0] if len(out) == 1 else tuple(out)

        return call


def _array_of(argument: object) -> object:
    match argument:
        case bytes():
            return _Array(list(argument), np.uint8, comes_back=False)
        case list() | tuple():
            return _Array(argument, np.int16, comes_back=False)
    return argument


def _passed(argument: object) -> ctypes.c_void_p | ctypes.c_int:
    if isinstance(argument, _Array):
        return ctypes.c_void_p(argument.array.ctypes.data)
    assert isinstance(argument, int), f"no face takes {argument!r}"
    return ctypes.c_int(argument)


def agree(
    *strategies: st.SearchStrategy[Any], few: int = 50, many: int = 1000
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a test of (faces, drawn values...): with few examples always, with many behind the marker `slow`.

    The many are told to two libraries, the fixtures `faces` and `faces_avx2`: the kernels for any machine, and for
    AVX2.
    """
    patient = [pytest.mark.slow, pytest.mark.timeout(600)]
    runs = [
        (few, "faces"),
        pytest.param(many, "faces", marks=patient),
        pytest.param(many, "faces_avx2", marks=patient),
    ]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @pytest.mark.parametrize(("examples", "library"), runs)
        def holds(request: pytest.FixtureRequest, examples: int, library: str) -> None:
            faces: Faces = request.getfixturevalue(library)

            @settings(max_examples=examples, deadline=None, database=None)
            @given(st.tuples(*strategies))
            def for_all(drawn: tuple[Any, ...]) -> None:
                test(faces, *drawn)

            for_all()

        holds.__name__, holds.__doc__ = test.__name__, test.__doc__
        return holds

    return decorate


def levels(n: int, low: int = -32768, high: int = 32767) -> st.SearchStrategy[list[int]]:
    """Draw n numbers of 16 bits, the extremes among them."""
    return st.lists(st.integers(low, high) | st.sampled_from([low, 0, high]), min_size=n, max_size=n)


_KINDS: Final[dict[str, Callable[[np.ndarray[Any, Any], np.random.Generator, int], np.ndarray[Any, Any]]]] = {
    "noise": lambda t, chance, peak: chance.normal(0, peak / 3, t.size),
    "full-scale noise": lambda t, chance, peak: chance.integers(-32768, 32768, t.size),
    "tone": lambda t, chance, peak: peak * np.sin(t * chance.uniform(0.01, 3.1)),
    "voice": lambda t, chance, peak: (
        peak * np.exp(-(t % (period := chance.uniform(20, 140))) / 12) * np.cos(t * chance.uniform(0.1, 2))
        + chance.normal(0, peak / 50 + 1, t.size)
        + 0 * period
    ),
    "square": lambda t, chance, peak: np.where(t // chance.integers(1, 60) % 2, 32767, -32768),
    "impulses": lambda t, chance, peak: np.where(t % chance.integers(15, 150) == 0, peak, 0),
    "level": lambda t, chance, peak: 0 * t + chance.choice([-32768, -1, 0, 1, 32767]),
    "bursts": lambda t, chance, peak: chance.normal(0, peak, t.size) * (t // 60 % 3 == 0),
}


def rows(row: st.SearchStrategy[_T], most: int = 4) -> st.SearchStrategy[list[_T]]:
    """Draw 1 to 4 rows for a block that works on rows in step; that many lanes any machine has."""
    return st.lists(row, min_size=1, max_size=most)


def flat(rows_of_numbers: Sequence[Sequence[int]]) -> list[int]:
    """Put rows one after the other, as faces take them.

    >>> flat([[1, 2], [3]])
    [1, 2, 3]
    """
    return [x for row in rows_of_numbers for x in row]


def cut(numbers: Sequence[int], n: int) -> list[list[int]]:
    """Cut what a face gives into rows of n.

    >>> cut([1, 2, 3, 4], 2)
    [[1, 2], [3, 4]]
    """
    return [list(numbers[at : at + n]) for at in range(0, len(numbers), n)]


def signals(n: int) -> st.SearchStrategy[list[int]]:
    """Draw n samples of speech-like, loud, faint, periodic, constant and silent signals."""
    return st.builds(
        lambda kind, seed, bits: _signal(kind, n, seed, (1 << bits) - 1),
        st.sampled_from(sorted(_KINDS)),
        st.integers(0, 2**32 - 1),
        st.integers(1, 15),
    )


def _signal(kind: str, n: int, seed: int, peak: int) -> list[int]:
    made = _KINDS[kind](np.arange(n), np.random.default_rng(seed), peak)
    return [int(x) for x in np.clip(made, -32768, 32767)]
