"""What G.729's block tests draw: filters, spectra and the indices of frames."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import levels
from voicecodecs.reference.g729.bits import LsfIndices
from voicecodecs.reference.g729.lsf_quantizer import LsfDecoder
from voicecodecs.reference.g729.lsp import filter_of_lsp

__all__ = ["filters", "lsf_indices", "sid_indices", "spectra", "stable_filters"]


def spectra() -> st.SearchStrategy[tuple[int, ...]]:
    """Draw ten line spectral pairs (cosines, Q15) that a decoder can come to, by any bits of one to five frames."""
    return st.lists(lsf_indices(), min_size=1, max_size=5).map(_decoded)


def _decoded(frames: list[LsfIndices]) -> tuple[int, ...]:
    decoder = LsfDecoder()
    return [decoder.decode(indices) for indices in frames][-1]


def stable_filters() -> st.SearchStrategy[list[int]]:
    """Draw a filter of a spectrum, Q12."""
    return spectra().map(lambda lsp_q15: list(filter_of_lsp(lsp_q15)))


def filters() -> st.SearchStrategy[list[int]]:
    """Draw a stable filter, now and then any numbers after the 1.0: these saturate."""
    return stable_filters() | levels(10).map(lambda a: [4096, *a])


def lsf_indices() -> st.SearchStrategy[LsfIndices]:
    """Draw L0 to L3 of a speech frame."""
    return st.builds(
        LsfIndices, st.integers(0, 1), st.integers(0, 127), st.integers(0, 31), st.integers(0, 31)
    )


def sid_indices() -> st.SearchStrategy[LsfIndices]:
    """Draw L0 to L2 of a SID frame."""
    return st.builds(LsfIndices, st.integers(0, 1), st.integers(0, 31), st.integers(0, 15), st.just(0))
