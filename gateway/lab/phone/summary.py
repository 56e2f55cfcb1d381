"""What a call was like, in numbers: the report that `tandem call` and `tandem answer` give.

An echo is recognised, not announced: if what came back is like what was said, its likeness, delay and
holes are told.  Both recordings lie on the phone's own clock, so the delay is the whole way there and
back, with the playout of whoever echoes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from gateway.lab import measures
from gateway.lab.measures import Gap
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.track import Pcm
from gateway.lab.quality import CallReport

__all__ = ["PhoneReport", "summarise"]

_LONGEST_ECHO_S: Final = 2.0
_MEASURED_S: Final = 120
_ECHO_LIKENESS: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneReport:
    """One call as one phone saw it: `call` is what every test call reports, the rest is the phone's own."""

    call: CallReport
    answered: bool
    ringing_ms: float | None
    """From the INVITE to the first sign that it rings."""
    first_sound_ms: float | None
    """From the answer to the first packet heard; negative for early media."""
    ended_by: str
    """`local`, `remote`, `timeout` or `transport`."""
    reason: str
    """Why it ended, in words."""
    codecs_heard: dict[str, int]
    """Packets by codec."""
    packets_unusable: int
    """Of a payload type that was not agreed, damaged, or from a stranger."""
    holes: int
    """Silences in what was heard that the sender did not announce."""
    hole_ms: float
    """How long in all."""
    level_dbov: float
    """Of what was heard; -127 = silence."""
    echo_delay_ms: float | None
    """From saying to hearing it again."""
    round_trip_ms: float | None
    """Of the network alone, by RTCP."""
    lost_at_peer: int | None
    """How many of ours the peer misses, by RTCP."""
    srtp: str | None = None
    """The suite by which the media was encrypted; None = it was not."""

    def to_dict(self) -> dict[str, object]:
        """Return everything on one level, as JSON types."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "call"}
        return self.call.to_dict() | own


@dataclass(frozen=True, slots=True)
class _Echo:
    """What was said, as it came back."""

    correlation: float
    delay_ms: float
    gaps: tuple[Gap, ...]


def summarise(call: PhoneCall) -> PhoneReport:
    """Return the report of a call that is over."""
    media, cause = call.media, call.cause
    echo = _echo(call)
    return PhoneReport(
        call=_call_report(call, echo),
        answered=call.answered_s is not None,
        ringing_ms=_between(call.started_s, call.ringing_s),
        first_sound_ms=_between(call.answered_s, media.listener.receiver.first_s),
        ended_by=cause.by if cause else "local",
        reason=cause.reason if cause else "",
        codecs_heard=dict(media.listener.codecs),
        packets_unusable=media.listener.n_unusable + media.counters["rtp.bad"] + media.counters["stranger"],
        holes=media.listener.n_gaps,
        hole_ms=round(media.listener.gap_ms, 1),
        level_dbov=round(measures.level_dbov(media.listener.heard.pcm()), 1),
        echo_delay_ms=None if echo is None else round(echo.delay_ms, 1),
        round_trip_ms=None if media.round_trip_ms is None else round(media.round_trip_ms, 1),
        lost_at_peer=media.peer_lost,
        srtp=_suite(call),
    )


def _suite(call: PhoneCall) -> str | None:
    agreed = call.negotiation.agreed
    return None if agreed is None or agreed.crypto is None else agreed.crypto.suite


def _call_report(call: PhoneCall, echo: _Echo | None) -> CallReport:
    agreed, listener = call.negotiation.agreed, call.media.listener
    receiver = listener.receiver
    return CallReport(
        target=call.peer,
        outcome=_outcome(call),
        codec=agreed.send.name if agreed else "",
        codec_reason=agreed.reason if agreed else "",
        set_up_ms=_between(call.started_s, call.answered_s),
        duration_s=(_between(call.answered_s, call.ended_s) or 0.0) / 1000.0,
        packets_sent=call.media.speaker.n_packets,
        packets_received=receiver.n_packets,
        packets_lost=receiver.n_lost,
        packets_late=listener.n_late,
        packets_duplicate=receiver.n_duplicate,
        packets_out_of_order=receiver.n_reordered,
        mean_burst=max(1.0, (receiver.n_lost + listener.n_late) / max(1, listener.n_bursts)),
        jitter_ms=receiver.jitter_ms,
        delay_ms=None if echo is None else echo.delay_ms / 2.0,
        correlation=None if echo is None else echo.correlation,
        gaps=() if echo is None else echo.gaps,
        digits_heard="".join(key.key for key in call.keys),
    )


def _outcome(call: PhoneCall) -> str:
    if call.answered_s is not None:
        return "answered"
    cause = call.cause
    return (
        "no answer" if cause is None else " ".join(str(each) for each in (cause.status, cause.reason) if each)
    )


def _echo(call: PhoneCall) -> _Echo | None:
    said, heard = _on_one_clock(call)
    rate_hz = call.media.speaker.rate_hz
    delay = measures.align(heard, said, max_delay=round(_LONGEST_ECHO_S * rate_hz))
    likeness = measures.correlation(heard, said, delay)
    if delay < 0 or likeness < _ECHO_LIKENESS:
        return None
    holes = measures.gaps(heard, said[: max(0, len(heard) - delay)], delay=delay, rate_hz=rate_hz)
    return _Echo(likeness, 1000.0 * delay / rate_hz, tuple(holes))


def _on_one_clock(call: PhoneCall) -> tuple[Pcm, Pcm]:
    """Return what was said and heard, int16 [n] each, sample n at the same moment; two minutes at most."""
    speaker, listener = call.media.speaker, call.media.listener
    said, heard = speaker.said.pcm(), listener.heard.pcm()
    if speaker.origin_s is None or listener.receiver.first_s is None:
        return said, heard
    ahead = round((listener.receiver.best_origin_s - speaker.origin_s) * speaker.rate_hz)
    heard = np.concatenate([np.zeros(max(0, ahead), np.int16), heard[max(0, -ahead) :]])
    n_samples = _MEASURED_S * speaker.rate_hz
    return said[:n_samples], heard[:n_samples]


def _between(earlier_s: float | None, later_s: float | None) -> float | None:
    return None if earlier_s is None or later_s is None else round(1000.0 * (later_s - earlier_s), 1)
