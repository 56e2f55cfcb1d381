"""May what one leg says be passed on to the other as it is?  The answer comes with its reason in words.

A relayed direction costs a table look-up a byte and no delay; any rule below that fails sends the direction through
the tick, where it is decoded, mixed and encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.media.commands import RowState

__all__ = ["RELAYED", "relay_reason"]

RELAYED: Final = "relayed: the same codec on both legs"
_TRANSLATED: Final = "relayed: G.711 to G.711 by a table"
_G711: Final = frozenset({"pcmu", "pcma"})

_Check = Callable[[RowState, RowState], bool]

_OBSTACLES: Final[tuple[tuple[_Check, str], ...]] = (
    (lambda a, b: a.force_tick or b.force_tick, "decoded: asked for"),
    (lambda a, b: a.answering is not None, "decoded: who has answered is found out"),
    (lambda a, b: a.recording is not None or b.recording is not None, "decoded: it is recorded"),
    (lambda a, b: a.muted or a.hold is not None, "silent: this leg is muted or on hold with music"),
    (lambda a, b: b.deaf, "silent: the other leg is deaf"),
    (lambda a, b: a.gain_in_db != 0 or b.gain_out_db != 0, "decoded: a gain is set"),
    (lambda a, b: a.coach is not None, "decoded: this leg is heard by one alone"),
    (lambda a, b: not a.receiving, "silent: this leg's audio is not wanted (hold)"),
    (lambda a, b: not b.sending, "silent: the other leg does not listen (hold)"),
    (lambda a, b: not _audio(a), "decoded: no audio format may arrive"),
    (
        lambda a, b: not any(_convertible(name, b.send_codec) for name in _audio(a)),
        "decoded: the codecs differ",
    ),
    (
        lambda a, b: b.send_codec == "ilbc" and a.options.mode_ms != b.options.mode_ms,
        "decoded: the legs' iLBC frames differ in length",
    ),
    (
        lambda a, b: b.send_codec == "g729" and a.options.annexb and not b.options.annexb,
        "decoded: this leg may send silence descriptors, the other takes none (annexb=no)",
    ),
    (
        lambda a, b: "cn" in a.receive.values() and b.options.noise_pt is None,
        "decoded: this leg may send comfort noise, the other takes none",
    ),
    (lambda a, b: a.ptime_ms != b.ptime_ms, "decoded: the legs' packets differ in length"),
)
"""What keeps a direction a -> b from being relayed, the first that holds."""


def _audio(row: RowState) -> tuple[str, ...]:
    return tuple(name for name in row.receive.values() if name not in {"telephone-event", "cn"})


def _convertible(name: str, to: str) -> bool:
    return name == to or {name, to} <= _G711


def relay_reason(a: RowState, b: RowState) -> tuple[bool, str]:
    """Return whether what comes from `a` may be relayed to `b`, and why or why not."""
    for holds, words in _OBSTACLES:
        if holds(a, b):
            return False, words
    return True, RELAYED if b.send_codec in a.receive.values() else _TRANSLATED
