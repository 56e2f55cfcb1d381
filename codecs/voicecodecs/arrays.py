"""Array types, and the checks at the library's door.

A check returns the array to go on with (C-contiguous; a copy only if the caller's was not) or raises
`CodecError` in words a caller can act on.  Past the door nobody checks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from voicecodecs.errors import CodecError

__all__ = [
    "BoolArray",
    "Int16Array",
    "Int32Array",
    "RowArray",
    "Rows",
    "Uint8Array",
    "checked",
    "checked_out",
    "checked_rows",
]

Uint8Array: TypeAlias = NDArray[np.uint8]
Int16Array: TypeAlias = NDArray[np.int16]
Int32Array: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]
RowArray: TypeAlias = NDArray[np.intp]
Rows: TypeAlias = Sequence[int] | NDArray[np.integer]
"""Row numbers as callers may give them."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


def checked(
    array: NDArray[_Scalar], name: str, scalar: type[_Scalar], shape: tuple[int, ...]
) -> NDArray[_Scalar]:
    """Make sure that `array` is of that type and shape; return it, C-contiguous.

    Raises:
        CodecError: it is of another type or shape.
    """
    if not isinstance(array, np.ndarray) or array.dtype != scalar or array.shape != shape:
        raise CodecError(f"{name} is {_described(array)}; {np.dtype(scalar)} {list(shape)} is needed")
    return np.ascontiguousarray(array)


def checked_out(
    array: NDArray[_Scalar], name: str, scalar: type[_Scalar], shape: tuple[int, ...]
) -> NDArray[_Scalar]:
    """Make sure that results can be written right into `array`, and return it.

    Raises:
        CodecError: it is of another type or shape, read-only or not C-contiguous.
    """
    if checked(array, name, scalar, shape) is not array or not array.flags.writeable:
        raise CodecError(f"{name} is read-only or not C-contiguous: results cannot be written into it")
    return array


def checked_rows(rows: Rows, n_rows: int) -> RowArray:
    """Make sure that `rows` is a list of row numbers of a bank of `n_rows`; return it as intp [n].

    Raises:
        CodecError: not integers, not one-dimensional, or a row that the bank does not have.
    """
    array = np.asarray(rows)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise CodecError(f"rows is {_described(array)}; a list of integers is needed")
    array = np.ascontiguousarray(array, dtype=np.intp)
    unsigned = array.view(np.uintp)  # negative numbers become large ones: one comparison finds both
    if array.size and unsigned.max() >= n_rows:
        frame = int(np.argmax(unsigned >= n_rows))
        raise CodecError(f"row {array[frame]} is not in this bank of {n_rows} rows", frame=frame)
    return array


def _described(array: object) -> str:
    return (
        f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
    )
