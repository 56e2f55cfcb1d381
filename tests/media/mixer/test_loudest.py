"""In a large room only the loudest N are heard, and they do not take turns."""

import numpy as np

from gateway.testing.audio import tone, tone_level
from gateway.testing.mix_bench import MixBench

_LARGE = {"loudest": 3, "loudest_from": 10}


def tones(levels, *, seconds=2.0):
    """Return a tone for each level, 300 Hz, 400 Hz and so on, int16 [n, samples]; None is silence."""
    n = round(seconds * 8000)
    return np.array(
        [
            np.zeros(n, np.int16)
            if level is None
            else tone(300 + 100 * i, duration_ms=1000 * seconds, level_dbov=level)
            for i, level in enumerate(levels)
        ]
    )


def heard_tones(pcm, n):
    return [i for i in range(n) if tone_level(pcm, 300 + 100 * i) > -50]


def test_the_three_loudest_of_a_large_room_are_heard():
    levels = [-30, -20, -28, -22, -26, -24, *[None] * 6]

    heard = MixBench([12], **_LARGE).run(tones(levels))[11]

    assert heard_tones(heard[8000:], 6) == [1, 3, 5]


def test_in_a_small_room_everybody_is_heard():
    levels = [-30, -20, -28, -22, -26, -24, *[None] * 3]

    heard = MixBench([9], **_LARGE).run(tones(levels))[8]

    assert heard_tones(heard[8000:], 6) == [0, 1, 2, 3, 4, 5]


def test_a_newcomer_must_be_louder_by_the_margin():
    """Who is heard stays against one who is 2 dB louder, and gives way to one who is 4 dB louder."""
    for louder, expected in ((2, [0, 1, 2]), (4, [1, 2, 3])):
        said = tones([-26, -25, -25, -26 + louder, *[None] * 8], seconds=4)
        said[3][:16000] = 0
        heard = MixBench([12], loudest_margin_db=3, **_LARGE).run(said)[11]
        assert heard_tones(heard[-8000:], 4) == expected


def test_equals_are_told_apart_by_their_keys_not_by_their_order():
    said = np.tile(tones([-20]), (12, 1))
    chosen = []
    for seed in range(3):
        bench = MixBench([12], seed=seed, **_LARGE)
        bench.run(said)
        chosen.append(np.flatnonzero(bench.rows["chosen"]).tolist())

    assert chosen == [[0, 1, 2]] * 3


def test_whoever_is_not_chosen_still_hears_everybody_who_is():
    levels = [-20, -20, -20, -30, *[None] * 8]

    heard = MixBench([12], **_LARGE).run(tones(levels))

    assert heard_tones(heard[3][8000:], 4) == [0, 1, 2]
    assert heard_tones(heard[0][8000:], 4) == [1, 2]


def test_a_prompt_takes_nobodys_place():
    bench = MixBench([12], **_LARGE)
    bench.rows["person"][0] = 0

    heard = bench.run(tones([-40, -20, -20, -20, -30, *[None] * 7]))[11]

    assert heard_tones(heard[8000:], 5) == [0, 1, 2, 3]


def test_all_who_are_silent_share_one_signal():
    bench = MixBench([12], gate_from=5, **_LARGE)

    bench.run(tones([-20, -25, -20, -26, *[None] * 8]))

    assert sorted(set(bench.signal_of.tolist())) == sorted({0, 1, 2, *bench.signal_of[3:].tolist()})
    assert len(set(bench.signal_of[3:].tolist())) == 1
