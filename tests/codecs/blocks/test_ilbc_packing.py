"""RFC 3951 section 3.8: a frame's bits by importance."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out8, agree
from gateway.testing.ilbc_blocks import FIELDS, fields_of, frames, modes
from voicecodecs.reference.ilbc.frame import MODES, Frame, Mode
from voicecodecs.reference.ilbc.packing import pack, unpack

FRAMES = modes().flatmap(lambda mode: st.tuples(st.just(mode), frames(mode)))
PAYLOADS = modes().flatmap(
    lambda mode: st.tuples(st.just(mode), st.binary(min_size=mode.bytes, max_size=mode.bytes))
)


@agree(FRAMES)
def test_the_bytes_of_a_frame_are_the_twins(faces: Faces, drawn: tuple[Mode, Frame]) -> None:
    mode, frame = drawn
    assert bytes(faces.ilbc_pack(Out8(mode.bytes), fields_of(frame), mode.ms)) == pack(frame, mode)


@agree(PAYLOADS)
def test_any_bytes_are_the_twins_frame(faces: Faces, drawn: tuple[Mode, bytes]) -> None:
    mode, payload = drawn
    assert bytes(faces.ilbc_unpack(Out8(FIELDS), payload, mode.ms)) == fields_of(unpack(payload, mode))


@agree(PAYLOADS)
def test_what_is_unpacked_packs_to_the_same_bytes(faces: Faces, drawn: tuple[Mode, bytes]) -> None:
    mode, payload = drawn
    fields = bytes(faces.ilbc_unpack(Out8(FIELDS), payload, mode.ms))
    assert bytes(faces.ilbc_pack(Out8(mode.bytes), fields, mode.ms)) == payload


def test_the_faces_see_every_field(faces: Faces) -> None:
    assert faces.ilbc_fields() == FIELDS == len(fields_of(Frame()))


def test_the_very_last_bit_says_empty(faces: Faces) -> None:
    """RFC 3951 section 3.8: so that a gateway can send a frame that decodes as a lost one."""
    for mode in MODES.values():
        packed = faces.ilbc_pack(Out8(mode.bytes), fields_of(Frame(empty=1)), mode.ms)
        assert packed == [*[0] * (mode.bytes - 1), 1]
