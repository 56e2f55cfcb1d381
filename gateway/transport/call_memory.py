"""Notes on calls in memory that outlives this process: `gateway.switch.ports.CallMemory` in a memfd of the supervisor.

A directory of fixed entries, then slots of 16 KiB, one for each call.  A note is written into a free slot, its entry
is filled in, and only then the entry of the note before it is cleared: whoever is killed half-way leaves the old note,
the new one, or both, of which the newer counts.  A checksum finds what was torn.  Slots are used again at once, so the
memory that is touched is that of the most calls there ever were at a time.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from typing import Final, Self

__all__ = ["SLOT_BYTES", "SlotMemory"]

SLOT_BYTES: Final = 16 << 10
_ENTRY: Final = struct.Struct("<QIIQ")
"""Number of the note (0 = free), length of its key and of all of it, checksum."""
_FREE: Final = _ENTRY.pack(0, 0, 0, 0)


class SlotMemory:
    """Notes by key."""

    def __init__(self, memory: mmap.mmap | bytearray) -> None:
        """`memory` is all zeros, or what another `SlotMemory` has left."""
        self._memory: Final = memory
        self._n_slots: Final = len(memory) // (_ENTRY.size + SLOT_BYTES)
        self._slots: dict[str, int] = {}
        self._last = 0
        self._left = self._read()
        self._free: list[int] = []
        for slot in sorted(set(range(self._n_slots)) - set(self._slots.values()), reverse=True):
            self._release(slot)  # what is torn or older shall not be found by the next one either
        self.refused = 0
        """Notes that were too long, or for which there was no slot."""

    @classmethod
    def inherited(cls, descriptor: int) -> Self:
        """Open the memory behind a descriptor."""
        return cls(mmap.mmap(descriptor, os.fstat(descriptor).st_size))

    def keep(self, key: str, note: bytes) -> None:
        """Keep a note in place of the one before it."""
        name = key.encode()
        text = name + note
        if len(text) > SLOT_BYTES or not self._free:
            self.refused += 1
            self.forget(key)  # an old note would be worse than none
            return
        slot, before = self._free.pop(), self._slots.get(key)
        at = self._at(slot)
        self._memory[at : at + len(text)] = text
        self._last += 1
        self._enter(slot, _ENTRY.pack(self._last, len(name), len(text), zlib.crc32(text)))
        self._slots[key] = slot
        if before is not None:
            self._release(before)

    def forget(self, key: str) -> None:
        """Forget a note; one that is not there is no error."""
        if (slot := self._slots.pop(key, None)) is not None:
            self._release(slot)

    def __len__(self) -> int:
        return len(self._slots)

    def copied(self) -> bytearray:
        """Return the memory as another process would find it now."""
        return bytearray(self._memory[:])

    def left(self) -> Mapping[str, bytes]:
        """Return the notes of a process before this one."""
        return self._left

    def _read(self) -> dict[str, bytes]:
        """Read every note that is whole, of each key the newest."""
        found: dict[str, tuple[int, int, bytes]] = {}
        for slot in range(self._n_slots):
            number, name_bytes, n_bytes, checksum = _ENTRY.unpack_from(self._memory, slot * _ENTRY.size)
            if not number or n_bytes > SLOT_BYTES:
                continue
            self._last = max(self._last, number)
            at = self._at(slot)
            text = bytes(self._memory[at : at + n_bytes])
            key = text[:name_bytes].decode("utf-8", "replace")
            if zlib.crc32(text) == checksum and found.get(key, (0,))[0] < number:
                found[key] = number, slot, text[name_bytes:]
        self._slots = {key: slot for key, (_, slot, _) in found.items()}
        return {key: note for key, (_, _, note) in found.items()}

    def _at(self, slot: int) -> int:
        return self._n_slots * _ENTRY.size + slot * SLOT_BYTES

    def _enter(self, slot: int, entry: bytes) -> None:
        self._memory[slot * _ENTRY.size : (slot + 1) * _ENTRY.size] = entry

    def _release(self, slot: int) -> None:
        self._enter(slot, _FREE)
        self._free.append(slot)
