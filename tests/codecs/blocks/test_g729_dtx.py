"""G.729 section B.4.1: when to describe the noise again, over frames."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from voicecodecs.reference.g729.dtx import Dtx, DtxContext
from voicecodecs.reference.g729.filters import EXCITATION_PAST, FRAME, ORDER
from voicecodecs.reference.g729.lpc import Predictor, autocorrelate
from voicecodecs.reference.g729.lsf_quantizer import LsfMemory
from voicecodecs.reference.g729.taming import Taming

N = 8
SENT = 5
SPEECH = st.lists(st.booleans(), min_size=N, max_size=N)


def twins(samples: list[int], speech: list[bool]) -> tuple[list[int], list[int]]:
    """Tell the twin the same story as the face tells the kernel."""
    dtx, predictor, lsf, taming = Dtx(), Predictor(), LsfMemory(), Taming()
    lsp_q15: tuple[int, ...] = (0,) * ORDER
    past, was_speech, sent, noise = [0] * EXCITATION_PAST, True, [], []
    for i, is_speech in enumerate(speech):
        dtx.observe(autocorrelate(samples[80 * i : 80 * i + 240]), speech=is_speech)
        excitation, description = [0] * FRAME, [0] * SENT
        if is_speech:
            dtx.restart()
        else:
            sid, excitation = dtx.frame(DtxContext(predictor, lsf, taming, lsp_q15, past), first=was_speech)
            lsp_q15 = dtx.lsp_q15
            if sid:
                description = [1, *sid.lsf[:3], sid.gain]
        was_speech = is_speech
        sent += description
        noise += excitation
        past = [*past, *excitation][-EXCITATION_PAST:]
    return sent, noise


def told(faces: Faces, samples: list[int], speech: list[bool]) -> tuple[list[int], list[int]]:
    n = len(speech)
    out: tuple[list[int], list[int]] = faces.g729_dtx(
        Out16(SENT * n), Out16(FRAME * n), samples, bytes(speech), n
    )
    return out


@agree(signals(160 + 80 * N), SPEECH, few=8, many=150)
def test_what_is_sent_and_the_noise_are_the_twins(
    faces: Faces, samples: list[int], speech: list[bool]
) -> None:
    assert told(faces, samples, speech) == twins(samples, speech)


@agree(signals(160 + 80 * N), few=10, many=100)
def test_the_first_frame_of_noise_is_sent_and_then_none_for_two_more(
    faces: Faces, samples: list[int]
) -> None:
    """FR_SID_MIN: at least three frames from one description to the next."""
    sent, _ = told(faces, samples, [True, *[False] * (N - 1)])
    at = [i for i in range(N) if sent[SENT * i]]

    assert at[0] == 1
    assert all(later - earlier >= 3 for earlier, later in pairwise(at))
