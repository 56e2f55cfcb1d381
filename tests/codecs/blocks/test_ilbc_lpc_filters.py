"""RFC 3951 section 3.2.7: one filter for each sub-block."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut16, Out16, agree, flat
from gateway.testing.ilbc_blocks import filters, line_spectra
from voicecodecs.reference.ilbc import lpc_filters
from voicecodecs.reference.ilbc.frame import MODES
from voicecodecs.reference.ilbc.tables import CHIRP_SYNTHESIS_Q15, CHIRP_WEIGHTING_Q15


@agree(line_spectra(), line_spectra(2), st.sampled_from([20, 30]))
def test_the_filters_of_a_frame_are_the_twins(
    faces: Faces, old_q13: list[int], both_q13: list[int], ms: int
) -> None:
    mode = MODES[ms]
    sets_q13 = [both_q13[:10], both_q13[10:]][: mode.lpc_sets]

    filters_q12, kept = faces.ilbc_filters(Out16(11 * mode.subblocks), InOut16(old_q13), flat(sets_q13), ms)

    assert filters_q12 == flat(lpc_filters.filters(old_q13, sets_q13, mode))
    assert kept == sets_q13[-1]


@agree(filters(), st.sampled_from([CHIRP_SYNTHESIS_Q15, CHIRP_WEIGHTING_Q15]))
def test_a_widened_filter_is_the_twins(faces: Faces, a_q12: list[int], chirp_q15: tuple[int, ...]) -> None:
    assert faces.ilbc_widen(InOut16(a_q12), chirp_q15) == lpc_filters.widen(a_q12, chirp_q15)


def test_the_last_sub_block_has_the_new_spectrum(faces: Faces) -> None:
    old_q13, new_q13 = list(range(2000, 22000, 2000)), list(range(1000, 23000, 2200))
    filters_q12, _ = faces.ilbc_filters(Out16(44), InOut16(old_q13), new_q13, 20)

    assert filters_q12[33:] == faces.ilbc_lsf_to_filter(Out16(11), new_q13)
