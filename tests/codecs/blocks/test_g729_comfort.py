"""G.729 section B.4.5: the decoder while the other side is silent."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from gateway.testing.g729_blocks import sid_indices
from voicecodecs.reference.g729.bits import Sid
from voicecodecs.reference.g729.comfort import Comfort
from voicecodecs.reference.g729.lsf_quantizer import LsfMemory

FRAMES = st.lists(st.none() | st.builds(Sid, sid_indices(), st.integers(0, 31)), min_size=1, max_size=6)


def heard(faces: Faces, speech: list[int], frames: list[Sid | None]) -> tuple[list[int], list[int]]:
    n = len(frames)
    fields = [x for sid in frames for x in ([*sid.lsf[:3], sid.gain] if sid else [0] * 4)]
    kinds = bytes(sid is not None for sid in frames)
    out: tuple[list[int], list[int]] = faces.g729_comfort(
        Out16(80 * n), Out16(10 * n), speech, kinds, fields, n
    )
    return out


@agree(signals(80), FRAMES, few=15, many=300)
def test_the_noise_and_its_spectrum_are_the_twins(
    faces: Faces, speech: list[int], frames: list[Sid | None]
) -> None:
    twin, memory, past, noise, spectra = Comfort(), LsfMemory(), [0] * 154, [], []
    twin.remember(speech)
    for i, sid in enumerate(frames):
        made = twin.frame(memory, past, sid, first=i == 0)
        noise += made
        spectra += twin.lsp_q15
        past = [*past, *made][-154:]

    assert heard(faces, speech, frames) == (noise, spectra)


def test_a_lost_first_description_is_replaced_by_the_level_of_the_speech_before(faces: Faces) -> None:
    loud, _ = heard(faces, [8000, -8000] * 40, [None])
    faint, _ = heard(faces, [8, -8] * 40, [None])

    assert sum(x * x for x in faint) * 1000 < sum(x * x for x in loud)
