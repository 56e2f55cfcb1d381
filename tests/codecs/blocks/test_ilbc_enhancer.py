"""RFC 3951 section 4.6: make the residual more periodic; after a loss, join what was made up to what came."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from gateway.testing.ilbc_blocks import modes
from voicecodecs.reference.ilbc.enhancer import Enhancer
from voicecodecs.reference.ilbc.frame import MODES, Mode

FRAMES = 4
LOSSES = st.lists(st.booleans(), min_size=FRAMES, max_size=FRAMES)


@agree(modes(), signals(240 * FRAMES), LOSSES, few=10, many=200)
def test_the_residual_and_its_lags_are_the_twins(
    faces: Faces, mode: Mode, residual: list[int], after_loss: list[bool]
) -> None:
    n, twin = mode.samples, Enhancer(mode)

    out, lags = faces.ilbc_enhance(
        Out16(FRAMES * n), Out16(FRAMES), residual, bytes(after_loss), FRAMES, mode.ms
    )

    for i in range(FRAMES):
        enhanced, lag = twin.enhance(residual[i * n : (i + 1) * n], after_loss=after_loss[i])
        assert (out[i * n : (i + 1) * n], lags[i]) == (enhanced, lag), f"in frame {i}"


def test_it_lags_by_40_or_80_samples(faces: Faces) -> None:
    """A decoder without an enhancer is early by that: it cannot be told by ear."""
    for mode, delay in ((MODES[20], 40), (MODES[30], 80)):
        pulse = [0] * mode.samples
        pulse[mode.samples - delay - 1] = 10000
        (out, _) = faces.ilbc_enhance(Out16(mode.samples), Out16(1), pulse, bytes(1), 1, mode.ms)
        assert out[-1] > 8000


def test_the_lag_of_a_periodic_residual_is_its_period(faces: Faces) -> None:
    pulses = [8000 if i % 60 == 0 else 0 for i in range(160 * FRAMES)]
    _, lags = faces.ilbc_enhance(Out16(160 * FRAMES), Out16(FRAMES), pulses, bytes(FRAMES), FRAMES, 20)

    assert all(lag % 60 in (0, 58, 59, 1, 2) for lag in lags[1:])
