"""RFC 3951 sections 3.6 and 4.4: the blocks of a residual, in the order in which they are coded."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut16, agree, signals
from gateway.testing.ilbc_blocks import fields_of, frames, modes
from voicecodecs.reference.ilbc.frame import MODES, Frame, Mode
from voicecodecs.reference.ilbc.residual import complete_residual

FRAMES = modes().flatmap(lambda mode: st.tuples(st.just(mode), frames(mode)))


def started(frame: Frame, mode: Mode, state: list[int]) -> list[int]:
    """Return a residual of which only the start state's coded samples are there."""
    residual, position = [0] * mode.samples, frame.state_position(mode)
    residual[position : position + mode.state_short] = state[: mode.state_short]
    return residual


@agree(FRAMES, signals(58))
def test_a_completed_residual_is_the_twins(faces: Faces, drawn: tuple[Mode, Frame], state: list[int]) -> None:
    mode, frame = drawn
    residual = started(frame, mode, state)

    completed = faces.ilbc_residual(InOut16(residual), fields_of(frame), mode.ms)

    complete_residual(residual, frame, mode)
    assert completed == residual


@agree(FRAMES, signals(58))
def test_the_coded_samples_stay(faces: Faces, drawn: tuple[Mode, Frame], state: list[int]) -> None:
    mode, frame = drawn
    at = frame.state_position(mode)

    completed = faces.ilbc_residual(InOut16(started(frame, mode, state)), fields_of(frame), mode.ms)

    assert completed[at : at + mode.state_short] == state[: mode.state_short]


def test_nothing_comes_of_nothing(faces: Faces) -> None:
    """The codebook is made of the frame itself and of no frame before: a lost one costs only itself."""
    for mode in MODES.values():
        frame = Frame(start=1, vector=[[9] * 3] * 5, gain=[[31, 15, 7]] * 5)
        assert not any(faces.ilbc_residual(InOut16([0] * mode.samples), fields_of(frame), mode.ms))
