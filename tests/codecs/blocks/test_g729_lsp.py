"""G.729 sections 3.2.3, 3.2.5 and 3.2.6: from filter to line spectrum and back."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, cut, flat, rows
from gateway.testing.g729_blocks import filters, spectra, stable_filters
from voicecodecs.reference.g729 import lsp
from voicecodecs.reference.g729.tables_lsp import LSP_START_Q15


@agree(filters())
def test_the_roots_of_a_filter_are_the_twins(faces: Faces, a_q12: list[int]) -> None:
    found = faces.g729_lsp_of_filter(Out16(10), a_q12, LSP_START_Q15)
    assert tuple(found) == lsp.lsp_of_filter(a_q12, LSP_START_Q15)


@agree(rows(st.tuples(spectra(), spectra())))
def test_both_filters_of_a_frame_are_the_twins(
    faces: Faces, drawn: list[tuple[tuple[int, ...], tuple[int, ...]]]
) -> None:
    old, new = zip(*drawn, strict=True)
    n = len(drawn)

    first, second = faces.g729_interpolate_filters(Out16(11 * n), Out16(11 * n), flat(old), flat(new), n)

    both = [lsp.interpolate_filters(*row) for row in drawn]
    assert cut(first, 11) == [list(row[0]) for row in both]
    assert cut(second, 11) == [list(row[1]) for row in both]


@agree(spectra())
def test_the_frequencies_are_the_twins(faces: Faces, lsp_q15: tuple[int, ...]) -> None:
    lsf_q13 = faces.g729_lsf_of_lsp(Out16(10), lsp_q15)

    assert lsf_q13 == lsp.lsf_of_lsp(lsp_q15)
    assert tuple(faces.g729_lsp_of_lsf(Out16(10), lsf_q13)) == lsp.lsp_of_lsf(lsf_q13)
    assert faces.g729_normal_lsf_of_lsp(Out16(10), lsp_q15) == lsp.normal_lsf_of_lsp(lsp_q15)


@agree(stable_filters())
def test_a_spectrum_falls_and_its_frequencies_rise(faces: Faces, a_q12: list[int]) -> None:
    lsp_q15 = faces.g729_lsp_of_filter(Out16(10), a_q12, LSP_START_Q15)

    assert all(high > low for high, low in pairwise(lsp_q15))
    assert all(low <= high for low, high in pairwise(faces.g729_lsf_of_lsp(Out16(10), lsp_q15)))


def test_too_few_roots_give_the_previous_spectrum(faces: Faces) -> None:
    unstable = [4096, *[32767, -32768] * 5]
    assert tuple(faces.g729_lsp_of_filter(Out16(10), unstable, LSP_START_Q15)) == LSP_START_Q15
