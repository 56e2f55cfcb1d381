"""RFC 3951 section 3.2.7: one filter for each sub-block, between the last frame's frequencies and this one's."""

from __future__ import annotations

from collections.abc import Sequence

from voicecodecs.reference.ilbc.frame import Mode
from voicecodecs.reference.ilbc.lsf import lsf_to_filter
from voicecodecs.reference.ilbc.tables import LSF_WEIGHT_20_Q14, LSF_WEIGHT_30_Q14

__all__ = ["filters", "widen"]


def filters(old_q13: Sequence[int], sets_q13: Sequence[Sequence[int]], mode: Mode) -> list[list[int]]:
    """Interpolate: old_q13 is the last frame's last set, sets_q13 this frame's one or two."""
    if mode.ms == 20:
        return [_between(old_q13, sets_q13[0], share) for share in LSF_WEIGHT_20_Q14]
    first, *others = LSF_WEIGHT_30_Q14
    return [
        _between(old_q13, sets_q13[0], first),
        *(_between(sets_q13[0], sets_q13[1], share) for share in others),
    ]


def widen(a_q12: Sequence[int], chirp_q15: Sequence[int]) -> list[int]:
    """Move the poles inwards by a chirp factor, whose powers these are."""
    return [a_q12[0], *(c * a + 16384 >> 15 for c, a in zip(chirp_q15[1:], a_q12[1:], strict=True))]


def _between(older_q13: Sequence[int], newer_q13: Sequence[int], share_of_older_q14: int) -> list[int]:
    share = share_of_older_q14
    return lsf_to_filter(
        [
            share * older + (16384 - share) * newer + 8192 >> 14
            for older, newer in zip(older_q13, newer_q13, strict=True)
        ]
    )
