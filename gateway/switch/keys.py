"""Keys that one party pressed and the other shall hear of, where the media plane does not see to it by itself.

Events of RTP are passed on by the plane the moment they come.  A key that came by INFO (RFC 6086) is pressed for the
other party: as an event, if that leg agreed on events (RFC 4733), else by INFO again.  A phone that says a key both
ways has it passed on once: by the plane, which knows that it was.  A key that came as tones is heard by the others
as it was said; those who agreed on events are pressed it too, since they listen for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.media.commands import KEYS
from gateway.switch.dtmf import write_dtmf_info
from gateway.switch.legs import Leg
from gateway.switch.ports import MediaPort, SignallingPort

__all__ = ["press_for", "press_tones_for"]


def press_for(
    others: Iterable[Leg], digit: str, duration_ms: int, *, media: MediaPort, signalling: SignallingPort
) -> None:
    """Let the other parties hear of a key that came by INFO."""
    for other in others:
        agreed = other.negotiated
        if agreed is not None and agreed.event_send_pt is not None and digit in KEYS:
            media.press(other.id, digit, duration_ms)
        elif other.session is not None:
            content_type, body = write_dtmf_info(digit, duration_ms)
            signalling.send_info(other.session, content_type=content_type, body=body)


def press_tones_for(others: Iterable[Leg], digit: str, duration_ms: int, *, media: MediaPort) -> None:
    """Let the other parties hear of a key that came as tones."""
    for other in others:
        if other.negotiated is not None and other.negotiated.event_send_pt is not None:
            media.press(other.id, digit, duration_ms)
