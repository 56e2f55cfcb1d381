"""What codecs take by themselves is not blamed on a switch, and nothing else is taken off."""

import pytest

from gateway.lab.bench.delay import own_delay_ms


@pytest.mark.parametrize("way", [("pcmu", "pcmu"), ("pcmu", "pcma"), ("pcma", "pcmu")])
def test_g711_needs_nothing(way):
    assert own_delay_ms(*way) == 0


@pytest.mark.parametrize("codec", ["g729", "ilbc"])
def test_a_coder_needs_less_than_two_of_its_frames(codec):
    assert 0 < own_delay_ms(codec, codec) < 20


def test_two_coders_need_what_both_need():
    once, other = own_delay_ms("g729", "g729"), own_delay_ms("ilbc", "ilbc")

    assert own_delay_ms("g729", "ilbc") >= max(once, other)
