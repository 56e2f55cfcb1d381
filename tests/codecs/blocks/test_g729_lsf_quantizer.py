"""G.729 section 3.2.4: the quantiser of line spectral frequencies, over frames."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree
from gateway.testing.g729_blocks import lsf_indices, spectra
from voicecodecs.reference.g729.bits import LsfIndices
from voicecodecs.reference.g729.lsf_quantizer import LsfDecoder, LsfMemory, quantize_lsp

SEQUENCES = st.lists(st.none() | lsf_indices(), min_size=1, max_size=12)


def flat(rows: list[tuple[int, ...]]) -> list[int]:
    return [x for row in rows for x in row]


def decoded(faces: Faces, frames: list[LsfIndices | None]) -> list[list[int]]:
    fields = flat([tuple(frame or (0, 0, 0, 0)) for frame in frames])
    lost = bytes(frame is None for frame in frames)
    out = faces.g729_dequantize_lsp(Out16(10 * len(frames)), fields, lost, len(frames))
    return [out[at : at + 10] for at in range(0, len(out), 10)]


@agree(st.lists(spectra(), min_size=1, max_size=4), few=6, many=150)
def test_the_choices_are_the_twins(faces: Faces, wanted: list[tuple[int, ...]]) -> None:
    memory, n = LsfMemory(), len(wanted)
    twins = [quantize_lsp(memory, lsp_q15) for lsp_q15 in wanted]

    fields, quantized = faces.g729_quantize_lsp(Out16(4 * n), Out16(10 * n), flat(wanted), bytes(n), n)

    assert fields == flat([tuple(indices) for indices, _ in twins])
    assert quantized == flat([spectrum for _, spectrum in twins])


@agree(SEQUENCES)
def test_spectra_and_their_repetition_after_a_loss_are_the_twins(
    faces: Faces, frames: list[LsfIndices | None]
) -> None:
    twin = LsfDecoder()
    assert decoded(faces, frames) == [list(twin.decode(frame)) for frame in frames]


@agree(SEQUENCES)
def test_any_indices_give_a_spectrum_in_order(faces: Faces, frames: list[LsfIndices | None]) -> None:
    """The standard's L_LIMIT, M_LIMIT and GAP3 make every spectrum a stable filter."""
    for lsp_q15 in decoded(faces, frames):
        assert all(high > low for high, low in pairwise(lsp_q15))


@agree(lsf_indices())
def test_the_encoder_rebuilds_what_the_decoder_does(faces: Faces, indices: LsfIndices) -> None:
    wanted = decoded(faces, [indices])[0]

    fields, quantized = faces.g729_quantize_lsp(Out16(4), Out16(10), wanted, bytes(1), 1)

    assert decoded(faces, [LsfIndices(*fields)])[0] == quantized
