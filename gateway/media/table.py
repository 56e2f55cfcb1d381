"""The table: a row per leg, a column per fact, in memory that may outlive this process.

The layout of a row is the C kernel's (`native/plane/plane.h`); numpy reads it from there, so there is one list of
fields.  Every column is an array over rows: `table.rows["heard_at"][[3, 8]]`.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.media.crypto import CryptoPolicy, security, suite_number

__all__ = ["ADDRESS", "NOTICE", "ROW", "SEND", "Table", "address_of", "pack_address"]


def _row_dtype() -> np.dtype[Any]:
    itemsize, fields = _native.row_layout()
    return np.dtype(
        {
            "names": [name for name, _, _, _ in fields],
            "formats": [(kind, (count,)) if count > 1 else kind for _, kind, _, count in fields],
            "offsets": [offset for _, _, offset, _ in fields],
            "itemsize": itemsize,
        }
    )


ROW: Final = _row_dtype()
SEND: Final = np.dtype([("row", "<i4"), ("bytes", "<u4"), ("data", "u1", (_native.PACKET_BYTES,))])
"""A packet to send: `data[:bytes]` through the socket of `row`."""
NOTICE: Final = np.dtype([("row", "<i4"), ("kind", "<u4"), ("value", "<u4"), ("extra", "<u4"), ("at", "<f8")])
ADDRESS: Final = np.dtype([("ip", "u1", (16,)), ("port", "<u2"), ("family", "<u2")])
"""An IP address and port; IPv4 lies in the first four bytes; family 0 = none, 4, 6."""

_NOTICES: Final = 4096


def pack_address(address: tuple[str, int] | None) -> NDArray[np.uint8]:
    """Return `(host, port)` as the 20 bytes of a row's address column; None is all zero.

    Raises:
        ValueError: the host is no numeric IP address, or the port is not 0-65535.
    """
    packed = np.zeros((), ADDRESS)
    if address is not None:
        ip = ipaddress.ip_address(address[0])
        packed["ip"][: len(ip.packed)] = np.frombuffer(ip.packed, np.uint8)
        if not 0 <= address[1] <= 0xFFFF:
            raise ValueError(f"port {address[1]} is not 0-65535")
        packed["port"] = address[1]
        packed["family"] = ip.version
    return np.frombuffer(packed.tobytes(), np.uint8)


def address_of(packed: NDArray[np.uint8]) -> tuple[str, int] | None:
    """Return the `(host, port)` of an address column's 20 bytes; None when it is not set."""
    address = np.frombuffer(packed.tobytes(), ADDRESS)[0]
    if address["family"] == 0:
        return None
    width = 4 if address["family"] == 4 else 16
    return str(ipaddress.ip_address(address["ip"][:width].tobytes())), int(address["port"])


class Table:
    """The plane's arrays for `capacity` rows.

    `memory` holds the rows and may be shared (a memfd: see the supervisor's ledger); playout slots and codec states
    (`voices`) are this process's own: audio that is 600 ms old is of no use to anybody.  Codec states are zero until a
    row needs them, so the machine gives memory for those in use only.
    """

    def __init__(self, capacity: int, memory: memoryview | None = None) -> None:
        n_bytes = capacity * ROW.itemsize
        self.capacity = capacity
        buffer = memory[:n_bytes] if memory is not None else memoryview(bytearray(n_bytes))
        self.rows: NDArray[Any] = np.frombuffer(buffer, ROW, capacity)
        self.slots = np.zeros((capacity, _native.SLOTS, _native.SLOT_BYTES), np.uint8)
        self.slot_unit = np.full((capacity, _native.SLOTS), -1, np.int32)
        self.slot_fill = np.zeros((capacity, _native.SLOTS), np.uint8)
        self.slot_codec = np.zeros((capacity, _native.SLOTS), np.uint8)
        self.voices = np.zeros(capacity * _native.VOICE_BYTES, np.uint8)
        self._notices = np.zeros(_NOTICES, NOTICE)
        self._security: Any = None
        """SRTP's keys, which are this process's own; made with the first row that is encrypted."""
        self.kernel = _native.plane(
            self.rows,
            self.slots,
            self.slot_unit,
            self.slot_fill,
            self.slot_codec,
            self.voices,
            self._notices,
        )

    def notices(self) -> NDArray[Any]:
        """Take what the kernels have to tell since the last call."""
        n = _native.notices(self.kernel)
        return self._notices[:n].copy()

    def encrypt(self, row: int, policy: CryptoPolicy | None, now: float) -> None:
        """Encrypt a row's packets from now on, or send and take plain ones.

        Raises:
            LocalError: no libcrypto will do.
        """
        if policy is None:
            if self.rows["crypto"][row]:
                _native.unsecure(self.kernel, row)
            return
        if self._security is None:
            self._security = security(self.kernel)
        _native.secure(self.kernel, row, suite_number(policy.suite), policy.ours, policy.theirs, now)

    def clear(self, row: int) -> None:
        """Free a row."""
        _native.unsecure(self.kernel, row)
        self.rows[row] = np.zeros((), ROW)
        self.rows["peer"][row] = -1
        self.rows["rtp_fd"][row] = self.rows["rtcp_fd"][row] = -1
        self.slot_unit[row] = -1
        _native.forget_voice(self.kernel, row)
