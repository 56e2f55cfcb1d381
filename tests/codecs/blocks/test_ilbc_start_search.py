"""RFC 3951 sections 3.4 and 3.5: where the start state is, and its samples."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut8, agree, flat, signals
from gateway.testing.ilbc_blocks import fields_of, filters, modes
from voicecodecs.reference.ilbc.frame import MODES, Frame, Mode
from voicecodecs.reference.ilbc.lpc_filters import widen
from voicecodecs.reference.ilbc.start_search import code_start, locate_start
from voicecodecs.reference.ilbc.tables import CHIRP_WEIGHTING_Q15

START, STATE_FIRST = 6, 7


def located(faces: Faces, residual: list[int], mode: Mode) -> list[int]:
    return list(faces.ilbc_locate_start(InOut8(fields_of(Frame())), residual, mode.ms))


@agree(modes(), signals(240))
def test_the_place_is_the_twins(faces: Faces, mode: Mode, samples: list[int]) -> None:
    frame, residual = Frame(), samples[: mode.samples]
    locate_start(frame, residual, mode)
    assert bytes(located(faces, residual, mode)) == fields_of(frame)


@agree(modes(), signals(240), st.lists(filters(), min_size=6, max_size=6), few=25)
def test_the_samples_are_the_twins(
    faces: Faces, mode: Mode, samples: list[int], synthesis_q12: list[list[int]]
) -> None:
    frame, residual = Frame(), samples[: mode.samples]
    synthesis_q12 = synthesis_q12[: mode.subblocks]
    weighting_q12 = [widen(a_q12, CHIRP_WEIGHTING_Q15) for a_q12 in synthesis_q12]
    locate_start(frame, residual, mode)
    before = fields_of(frame)

    coded = faces.ilbc_code_start(InOut8(before), residual, flat(synthesis_q12), flat(weighting_q12), mode.ms)

    code_start(frame, residual, synthesis_q12, weighting_q12, mode)
    assert bytes(coded) == fields_of(frame)


def test_it_is_where_most_energy_is(faces: Faces) -> None:
    """Sub-blocks are counted from 1; the 57 or 58 samples lie at the stronger end of the two."""
    for mode in MODES.values():
        for start in range(1, mode.subblocks):
            residual = [0] * mode.samples
            residual[(start - 1) * 40 + 5 : (start - 1) * 40 + 45] = [9000, -9000] * 20
            fields = located(faces, residual, mode)
            assert (fields[START], fields[STATE_FIRST]) == (start, 1)


def test_of_equals_the_middle_and_the_end_are_taken(faces: Faces) -> None:
    """The weights favour the middle; the coded samples are the last ones unless the first are stronger."""
    silent = located(faces, [0] * 160, MODES[20])
    assert (silent[START], silent[STATE_FIRST]) == (1, 0)
    assert located(faces, [1000] * 160, MODES[20])[START] == 2
