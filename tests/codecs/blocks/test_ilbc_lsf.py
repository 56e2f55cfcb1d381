"""RFC 3951 sections 3.2.3 and 3.2.7: filters as line spectral frequencies, and back."""

from __future__ import annotations

from itertools import pairwise

from gateway.testing.blocks import Faces, Out16, agree, levels
from gateway.testing.ilbc_blocks import filters, line_spectra
from voicecodecs.reference.ilbc.lsf import filter_to_lsf, lsf_to_filter
from voicecodecs.reference.ilbc.tables import LSF_MEAN_Q13


@agree(line_spectra() | levels(10, 0))
def test_the_filter_of_a_spectrum_is_the_twins(faces: Faces, lsf_q13: list[int]) -> None:
    assert faces.ilbc_lsf_to_filter(Out16(11), lsf_q13) == lsf_to_filter(lsf_q13)


@agree(filters())
def test_the_spectrum_of_a_filter_is_the_twins(faces: Faces, a_q12: list[int]) -> None:
    assert faces.ilbc_filter_to_lsf(Out16(10), a_q12) == filter_to_lsf(a_q12)


@agree(filters())
def test_frequencies_are_in_order_and_below_half_the_rate(faces: Faces, a_q12: list[int]) -> None:
    lsf_q13 = faces.ilbc_filter_to_lsf(Out16(10), a_q12)

    assert all(low <= high for low, high in pairwise(lsf_q13))
    assert 0 <= lsf_q13[0] <= lsf_q13[-1] <= 25736


def test_the_mean_spectrum_comes_back(faces: Faces) -> None:
    a_q12 = faces.ilbc_lsf_to_filter(Out16(11), LSF_MEAN_Q13)
    back = faces.ilbc_filter_to_lsf(Out16(10), a_q12)

    assert a_q12[0] == 4096
    assert all(abs(x - y) < 64 for x, y in zip(back, LSF_MEAN_Q13, strict=True))


def test_a_filter_without_ten_roots_has_the_mean_spectrum(faces: Faces) -> None:
    unstable = [4096, 32767, -32768, 32767, -32768, 32767, -32768, 32767, -32768, 32767, -32768]
    flat = faces.ilbc_filter_to_lsf(Out16(10), unstable)

    assert all(abs(x - y) < 64 for x, y in zip(flat, LSF_MEAN_Q13, strict=True))
