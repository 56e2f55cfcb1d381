"""RFC 3951 section 4.6.5: mix a block with its pitch-synchronous surround."""

from __future__ import annotations

from gateway.testing.blocks import Faces, Out16, agree, levels, signals
from voicecodecs.reference.ilbc.smoother import smooth


@agree(signals(80), signals(80))
def test_the_mix_is_the_twins(faces: Faces, current: list[int], surround: list[int]) -> None:
    assert faces.ilbc_smooth(Out16(80), current, surround) == smooth(current, surround)


@agree(signals(80), levels(80, -300, 300))
def test_the_mix_with_an_almost_equal_surround_is_the_twins(
    faces: Faces, current: list[int], noise: list[int]
) -> None:
    """Here the constraint is met at once, or nearly."""
    surround = [max(-32768, min(x + y, 32767)) for x, y in zip(current, noise, strict=True)]
    assert faces.ilbc_smooth(Out16(80), current, surround) == smooth(current, surround)


def test_a_perfectly_periodic_block_stays_as_it_is(faces: Faces) -> None:
    current = [(i * 731) % 2001 - 1000 for i in range(80)]
    out = faces.ilbc_smooth(Out16(80), current, current)

    assert all(abs(x - y) <= 1 for x, y in zip(out, current, strict=True))


def test_no_more_than_a_twentieth_of_the_power_is_changed(faces: Faces) -> None:
    """A surround that has nothing to do with the block may not replace it."""
    current = [(i * 731) % 2001 - 1000 for i in range(80)]
    surround = [(i * i * 377) % 1999 - 1000 for i in range(80)]
    out = faces.ilbc_smooth(Out16(80), current, surround)

    change = sum((x - y) ** 2 for x, y in zip(out, current, strict=True))
    assert change < 0.06 * sum(x * x for x in current)
