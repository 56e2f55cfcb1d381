"""A call in numbers: how good it would sound to people (ITU-T G.107), and the report of a test call.

The E-model adds up impairments on a scale of 0 to 100 and turns the rest into a mean opinion score, 1 to 4.5:

    R = R0 - Id - Ie,eff                                     R0 = 93.2: all else at the defaults of G.107
    Id = 25 ((1 + X^6)^(1/6) - 3 (1 + (X/3)^6)^(1/6) + 2)    X = log2(Ta / 100), Ta in ms; 0 up to 100 ms
    Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl)       Ppl in per cent
    MOS = 1 + 0.035 R + R (R - 60) (100 - R) 7e-6            held within 1 and 4.5

`Ta` is the one-way delay from mouth to ear.  `BurstR` is 1 for losses that come singly by chance, and the
mean length of a burst over what chance would give, 1 / (1 - loss), else.  `Ie` (how much a codec costs) and
`Bpl` (how well it bears loss) are from the tables of ITU-T G.113 Appendix I.  Echo, noise and level are not
measured here, so they stand at their defaults: the score says what codec, loss and delay allow, not what a
listener heard.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gateway.lab.measures import Gap

__all__ = ["IMPAIRMENTS", "CallReport", "Impairment", "burst_ratio", "mos", "mos_of_rating", "rating"]

_BASE_RATING: Final = 93.2


@dataclass(frozen=True, slots=True)
class Impairment:
    """What a codec costs: `ie` on the R scale without loss, and `bpl`, its robustness to packet loss."""

    ie: float
    bpl: float


IMPAIRMENTS: Final[Mapping[str, Impairment]] = {
    "pcmu": Impairment(0, 25.1),  # with the concealment of G.711 Appendix I; without any, Bpl is 4.3
    "pcma": Impairment(0, 25.1),
    "g729": Impairment(11, 19.0),  # the figures of G.729A with VAD, the humbler of the family
    "ilbc": Impairment(11, 32.0),  # not in G.113: our estimate; base of G.729A, frames that need no past
}
"""By `voicecodecs` name."""


def burst_ratio(loss: float, mean_burst: float) -> float:
    """Return BurstR of G.107 for a share `loss` (0-1) lost in bursts of `mean_burst` packets; at least 1."""
    return max(mean_burst * (1 - loss), 1.0)


def rating(codec: str, *, loss_pct: float, delay_ms: float = 0.0, burst: float = 1.0) -> float:
    """Return the transmission rating R (up to 93.2; below 0 is possible).

    `loss_pct` counts what the ear missed: lost, and too late to be played. `delay_ms` is one way, mouth to
    ear; `burst` is `burst_ratio`.  A codec that is not in `IMPAIRMENTS` is rated as `g729`.
    """
    cost = IMPAIRMENTS.get(codec, IMPAIRMENTS["g729"])
    loss_impairment = (95 - cost.ie) * loss_pct / (loss_pct / burst + cost.bpl)
    return _BASE_RATING - _delay_impairment(delay_ms) - (cost.ie + loss_impairment)


def mos_of_rating(r: float) -> float:
    """Return the mean opinion score (1-4.5) of a rating, G.107 Annex B."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0)  # the cubic dips below 1 for small R


def mos(codec: str, *, loss_pct: float, delay_ms: float = 0.0, burst: float = 1.0) -> float:
    """Return the estimated mean opinion score, rounded to 0.01; arguments as for `rating`."""
    return round(mos_of_rating(rating(codec, loss_pct=loss_pct, delay_ms=delay_ms, burst=burst)), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """What a test call came to; None is what was not measured."""

    target: str
    """Who was called."""
    outcome: str
    """In words: `answered`, or why not (`486 Busy Here`)."""
    codec: str = ""
    """`voicecodecs` name of what was sent; empty if there was no media."""
    codec_reason: str = ""
    """Why this codec, in words."""
    set_up_ms: float | None = None
    """From INVITE to 200."""
    duration_s: float = 0.0
    """From 200 to the end."""
    packets_sent: int = 0
    packets_received: int = 0
    packets_lost: int = 0
    """Expected by sequence number and never seen."""
    packets_late: int = 0
    """Seen, but after their turn to be played."""
    packets_duplicate: int = 0
    packets_out_of_order: int = 0
    mean_burst: float = 1.0
    """Mean length of a run of lost packets."""
    jitter_ms: float = 0.0
    """Interarrival jitter of RFC 3550 section 6.4.1, at the end."""
    delay_ms: float | None = None
    """One way; with an echo at the far end, half of the way there and back."""
    correlation: float | None = None
    """What was heard with what was said, after alignment; only of an echo."""
    gaps: tuple[Gap, ...] = ()
    """Stretches that were said and not heard; only of an echo."""
    digits_heard: str = ""

    @property
    def loss_pct(self) -> float:
        """Lost and late packets, per cent of the expected ones."""
        expected = self.packets_received + self.packets_lost
        return 100 * (self.packets_lost + self.packets_late) / expected if expected else 0.0

    @property
    def mos(self) -> float | None:
        """The estimated mean opinion score of what was received; None if nothing was."""
        if not self.codec or not self.packets_received:
            return None
        burst = burst_ratio(self.loss_pct / 100, self.mean_burst)
        return mos(self.codec, loss_pct=self.loss_pct, delay_ms=self.delay_ms or 0.0, burst=burst)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, and `loss_pct`, `mos` and `gap_ms` (in all), as JSON types."""
        fields = {name: _rounded(value) for name, value in asdict(self).items()}
        gap_ms = sum(gap.duration_ms for gap in self.gaps)
        return fields | {"loss_pct": round(self.loss_pct, 3), "mos": self.mos, "gap_ms": round(gap_ms, 3)}

    def to_json(self) -> str:
        """Return `to_dict` as one JSON document."""
        return json.dumps(self.to_dict(), indent=2)

    def to_text(self) -> str:
        """Return the report for people: one aligned line a fact, without those that were not measured."""
        rows = list(self._rows())
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield "call", f"{self.target}: {self.outcome}"
        if self.set_up_ms is not None:
            yield "set-up", f"{self.set_up_ms:.0f} ms, then {self.duration_s:.1f} s"
        if self.codec:
            yield "codec", f"{self.codec} ({self.codec_reason})" if self.codec_reason else self.codec
            yield "packets", f"{self.packets_sent} sent, {self.packets_received} received"
            yield (
                "trouble",
                f"{self.packets_lost} lost, {self.packets_late} late, {self.packets_duplicate} duplicate, "
                f"{self.packets_out_of_order} out of order ({self.loss_pct:.1f} % missed)",
            )
            yield "jitter", f"{self.jitter_ms:.1f} ms"
        if self.delay_ms is not None:
            yield "delay", f"{self.delay_ms:.0f} ms one way"
        if self.correlation is not None:
            yield "likeness", f"{self.correlation:.3f} of 1"
            holes = [f"{gap.duration_ms:.0f} ms at {gap.start_ms:.0f}" for gap in self.gaps]
            yield "gaps", ", ".join(holes) or "none"
        if self.digits_heard:
            yield "digits", self.digits_heard
        if self.mos is not None:
            yield "quality", f"MOS {self.mos:.2f} of 4.5 (estimated, ITU-T G.107)"


def _delay_impairment(delay_ms: float) -> float:
    if delay_ms <= 100:
        return 0.0
    x = math.log2(delay_ms / 100)
    return 25 * (math.pow(1 + x**6, 1 / 6) - 3 * math.pow(1 + (x / 3) ** 6, 1 / 6) + 2)


def _rounded(value: Any) -> Any:
    """Round floats, also in what is nested, to three places: more is noise."""
    match value:
        case float():
            return round(value, 3) if math.isfinite(value) else None
        case tuple() | list():
            return [_rounded(each) for each in value]
        case dict():
            return {name: _rounded(each) for name, each in value.items()}
        case _:
            return value
