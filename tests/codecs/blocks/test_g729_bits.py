"""G.729 table 8 and B.4.3: the frame on the wire."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out8, Out16, agree
from voicecodecs.reference.g729.bits import pack_sid, pack_speech, parity, unpack_sid, unpack_speech


@agree(st.binary(min_size=10, max_size=10))
def test_80_bits_are_the_twins_parameters_and_come_back(faces: Faces, frame: bytes) -> None:
    speech = unpack_speech(frame)

    fields = faces.g729_unpack_speech(Out16(16), frame)

    assert fields == [*speech.lsf, *speech.subframes[0], *speech.subframes[1]]
    assert bytes(faces.g729_pack_speech(Out8(10), fields)) == pack_speech(speech) == frame


@agree(st.binary(min_size=2, max_size=2))
def test_15_bits_are_the_twins_description_and_come_back(faces: Faces, frame: bytes) -> None:
    sid = unpack_sid(frame)

    fields = faces.g729_unpack_sid(Out16(4), frame)

    assert fields == [*sid.lsf[:3], sid.gain]
    assert bytes(faces.g729_pack_sid(Out8(2), fields)) == pack_sid(sid) == bytes([frame[0], frame[1] & 0xFE])


def test_the_parity_is_odd_over_the_upper_six_bits(faces: Faces) -> None:
    for lag in range(256):
        assert faces.g729_parity(lag) == parity(lag) == 1 ^ (lag >> 2).bit_count() & 1


def test_the_first_bit_is_the_predictor_and_the_last_the_second_gain(faces: Faces) -> None:
    fields = [1] + [0] * 14 + [1]
    assert faces.g729_pack_speech(Out8(10), fields) == [0x80, *[0] * 8, 1]
