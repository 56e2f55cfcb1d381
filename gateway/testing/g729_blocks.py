"""What G.729's block tests draw: filters, spectra and the indices of frames."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import levels
from voicecodecs.reference.g729.bits import LsfIndices
from voicecodecs.reference.g729.lsp import filter_of_lsp, lsp_of_lsf

__all__ = ["filters", "lsf_indices", "sid_indices", "spectra", "stable_filters"]


def spectra() -> st.SearchStrategy[tuple[int, ...]]:
    """Draw ten line spectral pairs (cosines, Q15), in order and apart as the quantiser leaves them."""
    gaps = st.lists(st.integers(321, 3000), min_size=10, max_size=10)
    return gaps.map(_stacked).map(lsp_of_lsf)


def _stacked(gaps_q13: list[int]) -> list[int]:
    """Put frequencies one gap after the other, squeezed below pi."""
    total = max(25681, sum(gaps_q13))
    return [sum(gaps_q13[: i + 1]) * 25681 // total for i in range(10)]


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
