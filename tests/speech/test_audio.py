"""Sound files: what people have is played as it was meant, and everything else is refused in words."""

import hashlib
import io
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.speech.audio import RATE_HZ, decode_untrusted, format_of, levelled, to_int16
from gateway.speech.level import COMMON_DBOV, loudness
from gateway.speech.port import BadSound, TooLong
from gateway.testing.audio import speech

# kind of file, FFmpeg's format, codec, rate
FILES = [
    ("wav", "wav", "pcm_s16le", 8000),
    ("wav of 48 kHz", "wav", "pcm_s24le", 48000),
    ("wav of floats", "wav", "pcm_f32le", 44100),
    ("wav of 8 bit", "wav", "pcm_u8", 8000),
    ("wav of mu-law", "wav", "pcm_mulaw", 8000),
    ("wav of adpcm", "wav", "adpcm_ima_wav", 16000),
    ("mp3", "mp3", "libmp3lame", 44100),
    ("aac", "adts", "aac", 44100),
    ("m4a", "mp4", "aac", 44100),
    ("3gp", "3gp", "aac", 44100),
    ("opus", "ogg", "libopus", 48000),
    ("aiff", "aiff", "pcm_s16be", 44100),
]

LIBGSM = "18580a335293739a3acff7cc404ee77f3bfbb323e19056b13e450169698ff143"


def _spoken(seconds=3):
    return speech()[: seconds * RATE_HZ]


def _file(form, codec, rate_hz, pcm, channels=1):
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="stereo" if channels == 2 else "mono")
        frame = av.AudioFrame.from_ndarray(pcm[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        resampler = av.AudioResampler(stream.format, stream.layout, rate_hz, stream.frame_size or None)
        for ready in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize(("kind", "form", "codec", "rate_hz"), FILES, ids=[row[0] for row in FILES])
def test_a_file_is_heard_as_it_was_spoken(kind, form, codec, rate_hz):
    data = _file(form, codec, rate_hz, _spoken())

    heard = to_int16(decode_untrusted(data, format_of(f"x.{kind}")))

    assert _best_correlation(_spoken(), heard) > 0.95


def test_gsm_is_heard_though_it_has_no_header():
    """FFmpeg writes none without libgsm, so the file lies here, with the digest of what libgsm makes of it.

    The codec itself leaves a correlation of 0.947 with what was spoken.
    """
    data = (Path(__file__).parent.parent / "vectors" / "speech.gsm").read_bytes()

    heard = to_int16(decode_untrusted(data, format_of("speech.gsm")))

    assert hashlib.sha256(heard.astype("<i2").tobytes()).hexdigest() == LIBGSM
    assert _best_correlation(_spoken(), heard) > 0.94


def _best_correlation(reference, heard):
    """Return the correlation at the delay that fits best: codecs add some milliseconds of their own."""
    size = 1 << (reference.size + heard.size).bit_length()
    a, b = (np.fft.rfft(x.astype(np.float64), size) for x in (reference, heard))
    product = np.fft.irfft(b * np.conj(a), size)
    lag = int(np.argmax(product))
    lag -= size if lag > size // 2 else 0
    a, b = reference[max(-lag, 0) :], heard[max(lag, 0) :]
    n = min(a.size, b.size)
    return float(np.corrcoef(a[:n], b[:n])[0, 1])


def test_two_channels_become_one():
    data = _file("wav", "pcm_s16le", 8000, _spoken(), channels=2)

    assert decode_untrusted(data).size == _spoken().size


def test_a_file_that_breaks_off_gives_what_is_there():
    whole = _file("wav", "pcm_s16le", 8000, _spoken())

    assert decode_untrusted(whole[: len(whole) // 2]).size == pytest.approx(_spoken().size / 2, rel=0.02)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, this is a text file\n" * 100,
        b"<html>" * 50,
        b"RIFF\0\0\0\0WAVE",
        b"\x89PNG\r\n\x1a\n" * 9,
    ],
    ids=["nothing", "text", "html", "half a header", "picture"],
)
def test_what_is_no_sound_is_refused(data):
    with pytest.raises(BadSound):
        decode_untrusted(data)


@pytest.mark.parametrize(
    "data",
    [b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/hostname\n"],
    ids=["hls", "concat"],
)
def test_a_playlist_opens_no_other_file(data):
    with pytest.raises(BadSound):
        decode_untrusted(data)


def test_a_sound_of_hours_ends_with_an_error():
    data = _file("wav", "pcm_s16le", 8000, _spoken())

    with pytest.raises(TooLong, match="longer than 2 s"):
        decode_untrusted(data, longest_s=2)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 2000), junk=st.binary(min_size=1, max_size=40))
def test_damaged_files_are_heard_or_refused(at, junk):
    data = bytearray(_file("wav", "adpcm_ima_wav", 8000, _spoken(1)))
    data[at : at + len(junk)] = junk

    try:
        assert decode_untrusted(bytes(data)).dtype == np.float32
    except (BadSound, TooLong):
        pass


@pytest.mark.parametrize("factor", [0.02, 0.3, 1.0])
def test_files_of_any_loudness_come_out_alike(factor):
    loud = (speech()[: 8 * RATE_HZ] * factor).astype(np.int16)
    data = _file("wav", "pcm_s16le", 8000, loud)

    heard = levelled(decode_untrusted(data))

    assert loudness(heard / np.float32(32768), RATE_HZ).active_dbov == pytest.approx(COMMON_DBOV, abs=0.2)
