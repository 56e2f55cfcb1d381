from __future__ import annotations

import pytest

from voicecodecs import CodecError, decode_frames, encode_frames, transcode_table


@pytest.mark.parametrize(("source", "target"), [("pcmu", "pcma"), ("pcma", "pcmu")])
def test_table_is_decode_then_encode(source, target, implementation, every_code):
    heard = decode_frames(every_code, source, implementation=implementation)

    composed = b"".join(encode_frames(heard, target, implementation=implementation))

    assert transcode_table(source, target) == composed


@pytest.mark.parametrize(("source", "target"), [("pcmu", "g729"), ("pcmu", "pcmu")])
def test_other_pairs_have_no_table(source, target):
    with pytest.raises(CodecError, match=f"no table leads from '{source}' to '{target}'"):
        transcode_table(source, target)
