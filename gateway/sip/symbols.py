"""Enumerations that are keys of tables.

A transition table is a mapping of `(state, trigger)`, so its keys are hashed at each step, and a timer's name is
hashed whenever it is set.  `Enum` hashes its members' names by a Python function, which takes longer than the look-up
itself; a member is only ever equal to itself, so that its identity does as well.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Symbol"]


class Symbol(Enum):
    """An `Enum` that hashes as fast as an object."""

    __hash__ = object.__hash__
