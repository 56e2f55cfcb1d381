from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

UNIT_SAMPLES: Final[int]
SLOTS: Final[int]
SLOT_BYTES: Final[int]
PACKET_BYTES: Final[int]
SEND_MAX: Final[int]
CHORUS_KINDS: Final[int]
VERDICTS: Final[int]
PACKET_UNITS_MAX: Final[int]
VOICE_BYTES: Final[int]
CODEC_PCMU: Final[int]
CODEC_PCMA: Final[int]
CODEC_G729: Final[int]
CODEC_ILBC_20: Final[int]
CODEC_ILBC_30: Final[int]
CODEC_COMFORT_NOISE: Final[int]
CODEC_EVENT: Final[int]
FLIGHT_RING_BYTES_MIN: Final[int]
FLIGHT_FILL: Final[int]
FLIGHT_ARRIVAL: Final[int]
FLIGHT_REFUSED: Final[int]
FLIGHT_ROW: Final[int]
FLIGHT_TOLD: Final[int]
NOTICE_DIGIT: Final[int]
NOTICE_LATCHED: Final[int]
NOTICE_RELAY_REFUSED: Final[int]
NOTICE_BYE: Final[int]

class _Plane: ...  # a capsule: see native/bindings/plane_capsule.h
class _Flight: ...  # a capsule: see native/bindings/flight.c
class _Security: ...  # a capsule: see native/bindings/srtp.c
class _SrtpEnds: ...  # a capsule: see native/bindings/srtp.c

def plane(
    rows: NDArray[Any],
    slots: NDArray[np.uint8],
    slot_unit: NDArray[np.int32],
    slot_fill: NDArray[np.uint8],
    slot_codec: NDArray[np.uint8],
    voices: NDArray[np.uint8],
    notices: NDArray[Any],
    /,
) -> _Plane: ...
def row_layout() -> tuple[int, Sequence[tuple[str, str, int, int]]]: ...
def arrive(
    plane: _Plane,
    rows: NDArray[np.int32],
    sources: NDArray[Any],
    packets: NDArray[np.uint8],
    lengths: NDArray[np.int32],
    on_rtcp: NDArray[np.uint8],
    nows: NDArray[np.float64],
    sends: NDArray[Any],
    verdicts: NDArray[np.uint8],
    /,
) -> int: ...
def playout(
    plane: _Plane, rows: NDArray[np.int32], at: NDArray[np.int32], pcm: NDArray[np.int16], now: float, /
) -> None: ...
def speak(
    plane: _Plane,
    rows: NDArray[np.int32],
    at: NDArray[np.int32],
    pcm: NDArray[np.int16],
    now: float,
    sends: NDArray[Any],
    /,
) -> int: ...
def press(presses: NDArray[np.uint8], at: int, code: int, tens: int, now: float, /) -> bool: ...
def pressed(
    plane: _Plane, rows: NDArray[np.int32], presses: NDArray[np.uint8], now: float, sends: NDArray[Any], /
) -> int: ...
def press_layout() -> tuple[int, int]: ...
def voice(plane: _Plane, row: int, /) -> bytes: ...
def is_voice(copy: bytes, /) -> bool: ...
def set_voice(plane: _Plane, row: int, copy: bytes, /) -> None: ...
def forget_voice(plane: _Plane, row: int, /) -> None: ...
def rtcp(
    plane: _Plane, rows: NDArray[np.int32], now: float, wall: float, bye: bool, sends: NDArray[Any], /
) -> int: ...
def rate(plane: _Plane, rows: NDArray[np.int32], /) -> None: ...
def enter(plane: _Plane, row: int, now: float, /) -> None: ...
def leave(plane: _Plane, row: int, now: float, /) -> None: ...
def notices(plane: _Plane, /) -> int: ...
def security(plane: _Plane, path: str, /) -> _Security: ...
def secure(plane: _Plane, row: int, suite: int, ours: bytes, theirs: bytes, now: float, /) -> None: ...
def unsecure(plane: _Plane, row: int, /) -> None: ...
def srtp_suites() -> Sequence[tuple[str, int, int, int]]: ...
def srtp_ends(path: str, suite: int, ours: bytes, theirs: bytes, /) -> _SrtpEnds: ...
def srtp_protect(ends: _SrtpEnds, packet: bytes, rtcp: bool, /) -> bytes: ...
def srtp_open(ends: _SrtpEnds, packet: bytes, rtcp: bool, /) -> bytes | None: ...
def flight(plane: _Plane, memory: memoryview | NDArray[np.uint8], /) -> _Flight: ...
def flight_tell(flight: _Flight, kind: int, data: bytes, /) -> None: ...
def flight_keep(flight: _Flight, rows: NDArray[np.int32], /) -> None: ...
def flight_digest(digests: NDArray[np.uint64], sends: NDArray[Any], n: int, /) -> None: ...
def chorus(
    plane: _Plane,
    mix: NDArray[Any],
    rows: NDArray[np.int32],
    at: NDArray[np.int32],
    signal_of: NDArray[np.int32],
    choruses: NDArray[np.int64],
    now: float,
    /,
) -> None: ...
def mix_row_layout() -> tuple[int, Sequence[tuple[str, str, int, int]]]: ...
def mix_room_layout() -> tuple[int, Sequence[tuple[str, str, int, int]]]: ...
def mix(
    rows: NDArray[Any],
    rooms: NDArray[Any],
    room_of: NDArray[np.int32],
    offsets: NDArray[np.int32],
    member_rows: NDArray[np.int32],
    member_at: NDArray[np.int32],
    said: NDArray[np.int16],
    spoken: NDArray[np.int16],
    hears: NDArray[np.int16],
    signal_of: NDArray[np.int32],
    samples: int,
    /,
) -> None: ...
