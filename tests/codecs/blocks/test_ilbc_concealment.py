"""RFC 3951 section 4.5: the residual of a lost frame.  There are no vectors: the twins define it."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from gateway.testing.ilbc_blocks import modes
from voicecodecs.reference.ilbc.concealment import Concealment
from voicecodecs.reference.ilbc.frame import Mode

LAGS = st.integers(20, 120)
"""What the enhancer finds: 10 to 59 at half the rate, and what joining adds."""


@agree(modes(), signals(240), LAGS, st.integers(1, 4), few=25)
def test_a_run_of_lost_frames_is_the_twins(
    faces: Faces, mode: Mode, samples: list[int], lag: int, n_lost: int
) -> None:
    n, twin = mode.samples, Concealment(mode)
    twin.residual = samples[:n]

    made_up = faces.ilbc_conceal(Out16(n_lost * n), samples[:n], lag, n_lost, mode.ms)

    for i in range(n_lost):
        twin.residual = twin.conceal(lag, i + 1)
        assert made_up[i * n : (i + 1) * n] == twin.residual, f"in frame {i}"


def test_a_periodic_frame_goes_on_in_its_period(faces: Faces) -> None:
    pulses = [9000 if i % 80 == 60 else (i * 37) % 41 - 20 for i in range(240)]
    made_up = faces.ilbc_conceal(Out16(240), pulses, 80, 1, 30)

    assert [i for i, x in enumerate(made_up) if x > 4000] == [60, 140, 220]


def test_each_10_ms_is_quieter(faces: Faces) -> None:
    square = [9000 if i % 80 < 40 else -9000 for i in range(240)]
    made_up = faces.ilbc_conceal(Out16(240), square, 80, 1, 30)

    first, second, third = (max(made_up[at : at + 80]) for at in (0, 80, 160))
    assert first > second > third > 0.85 * first
