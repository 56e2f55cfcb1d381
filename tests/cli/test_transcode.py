"""`tandem transcode`: the same bits as the library's, and plain words about files that are not right."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway.cli.transcode import transcode
from gateway.errors import LocalError
from gateway.lab.payloads import Payloads, read_payloads, write_payloads
from gateway.lab.samples import read_wav, speech, write_wav
from gateway.lab.transcoding import Coding
from gateway.lab.transcoding import transcode as transcode_files
from voicecodecs import decode_frames, encode_frames

_VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "g729ab"

app = typer.Typer()
app.command()(transcode)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """Speech of two seconds and 37 samples."""
    write_wav(tmp_path / "in.wav", speech()[8000 : 24000 + 37])
    return tmp_path / "in.wav"


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _said(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


@pytest.mark.parametrize(
    ("name", "codec", "arguments", "options", "header"),
    [
        ("a.ulaw", "pcmu", [], {}, b""),
        ("a.alaw", "pcma", [], {}, b""),
        ("a.raw", "pcma", ["--codec", "PCMA"], {}, b""),
        ("a.g729", "g729", [], {"annexb": False}, b""),
        ("a.g729", "g729", ["--no-annexb"], {"annexb": False}, b""),
        ("a.lbc", "ilbc", [], {"mode_ms": 30}, b"#!iLBC30\n"),
        ("a.LBC", "ilbc", ["--mode", "20"], {"mode_ms": 20}, b"#!iLBC20\n"),
    ],
)
def test_payloads_are_those_of_the_library(name, codec, arguments, options, header, wav):
    out = wav.parent / name

    assert _run(wav, out, *arguments).exit_code == 0

    assert out.read_bytes() == header + b"".join(encode_frames(read_wav(wav), codec, **options))


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.ulaw", "pcmu", {}),
        ("a.alaw", "pcma", {}),
        ("a.g729", "g729", {}),
        ("a.lbc", "ilbc", {"mode_ms": 20}),
        ("a.lbc", "ilbc", {"mode_ms": 30}),
    ],
)
def test_samples_are_those_of_the_library(name, codec, options, wav):
    coded, out = wav.parent / name, wav.parent / "out.wav"
    frames = encode_frames(read_wav(wav), codec, **options)
    write_payloads(coded, Payloads(codec, frames, options))

    assert _run(coded, out).exit_code == 0

    assert read_wav(out).tolist() == decode_frames(frames, codec, **options).tolist()


def test_g711_keeps_every_sample_and_other_codecs_say_what_they_dropped(wav):
    kept = json.loads(_run(wav, wav.parent / "a.ulaw", "--json").stdout)
    dropped = json.loads(_run(wav, wav.parent / "a.g729", "--json").stdout)

    assert (kept["samples"], kept["bytes_written"], kept["samples_dropped"]) == (16037, 16037, 0)
    assert (dropped["frames_coded"], dropped["bytes_written"], dropped["samples_dropped"]) == (200, 2000, 37)


def test_silence_of_annex_b_goes_through_the_serial_format(wav):
    quiet = np.concatenate([speech()[8000:16000], np.zeros(16000, np.int16)])
    write_wav(wav, quiet)
    coded, out = wav.parent / "a.bit", wav.parent / "out.wav"

    report = json.loads(_run(wav, coded, "--annexb", "--json").stdout)

    frames = encode_frames(quiet, "g729", annexb=True)
    assert report["frames_untransmitted"] == frames.count(b"") > 100
    assert read_payloads(coded, "g729").frames == frames
    _run(coded, out)
    assert read_wav(out).tolist() == decode_frames(frames, "g729").tolist()


def test_a_wav_file_goes_through_a_codec_to_a_wav_file(wav):
    out = wav.parent / "out.wav"

    report = json.loads(_run(wav, out, "--codec", "g729", "--json").stdout)

    heard = decode_frames(encode_frames(read_wav(wav), "g729", annexb=False), "g729")
    assert (report["source_codec"], report["through"], report["target_codec"]) == ("wav", "g729", "wav")
    assert read_wav(out).tolist() == heard.tolist()


def test_payloads_of_one_codec_become_those_of_another(wav):
    _run(wav, wav.parent / "a.ulaw")

    _run(wav.parent / "a.ulaw", wav.parent / "a.alaw")

    heard = decode_frames(encode_frames(read_wav(wav), "pcmu"), "pcmu")
    assert (wav.parent / "a.alaw").read_bytes() == b"".join(encode_frames(heard, "pcma"))


@pytest.mark.vectors
@pytest.mark.parametrize("sequence", ["tstseq1a", "tstseq5", "tstseq6"])
def test_serial_files_of_the_standard_decode_with_their_losses(sequence, tmp_path):
    if not _VECTORS.is_dir():
        pytest.skip("the standards' conformance data is not in ../shared/vectors")

    assert _run(_VECTORS / f"{sequence}.bit", tmp_path / "out.wav").exit_code == 0

    expected = np.fromfile(_VECTORS / f"{sequence.removesuffix('a')}a.out", "<i2")
    assert read_wav(tmp_path / "out.wav").tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.g729", bytes(25), "is truncated: after 2 frames of 10 bytes there are 5 more"),
        ("a.lbc", b"#!iLBC20\n" + bytes(40), "is truncated: after 1 frames of 38 bytes there are 2 more"),
        ("a.lbc", bytes(50), "is not an iLBC file: it begins with neither #!iLBC20 nor #!iLBC30"),
        ("a.lbc", b"#!iLBC20\n", "has no frames"),
        ("a.ulaw", b"RIFF" + bytes(40), "is a WAV file, not one of pcmu payloads"),
        ("a.alaw", b"#!iLBC20\n" + bytes(38), "is an iLBC file (.lbc), not one of pcma payloads"),
        ("a.g729", b"\x21\x6b\x50\x00" + bytes(160), "is a file in the ITU serial format (.bit)"),
        ("a.bit", b"RIFF" + bytes(40), "frame 0 begins with 0x4952, not with 0x6b21"),
        ("a.bit", b"\x21\x6b\x50\x00" + b"\x81\x00" * 79, "is truncated within frame 0"),
        ("a.bit", b"\x21\x6b\x00\x00\x21\x6b", "is truncated within frame 1"),
        ("a.bit", b"\x21\x6b\x07\x00", "frame 0 has 7 bits; G.729 has 80, 16 or none"),
        ("a.bit", b"\x21\x6b\x50\x00" + b"\x05\x00" * 80, "frame 0 has a bit that is neither"),
        ("a.ulaw", b"", "has no frames"),
        ("a.wav", b"ulaw, all of it", "is not a WAV file"),
    ],
)
def test_files_that_are_truncated_or_foreign_are_refused_in_words(name, data, said, tmp_path):
    path, out = tmp_path / name, tmp_path / "out.wav" if name != "a.wav" else tmp_path / "out.ulaw"
    path.write_bytes(data)

    result = _run(path, out)

    assert result.exit_code == 1
    assert said in _said(result)
    assert not out.exists()


def test_a_wav_file_that_ends_too_early_is_refused(wav):
    wav.write_bytes(wav.read_bytes()[:-1000])

    result = _run(wav, wav.parent / "a.ulaw")

    assert (result.exit_code, "is truncated: of 32074 bytes of samples there are 31074" in _said(result)) == (
        1,
        True,
    )


def test_a_failure_is_a_json_document_too(tmp_path):
    result = _run(tmp_path / "none.wav", tmp_path / "a.ulaw", "--json")

    assert result.exit_code == 1
    assert "none.wav: No such file" in json.loads(result.stdout)["error"]


def test_raw_g729_cannot_hold_the_silence_of_annex_b(wav):
    result = _run(wav, wav.parent / "a.g729", "--annexb")

    assert result.exit_code == 1
    assert "cannot hold the silence of Annex B; a file named .bit can" in _said(result)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["in.wav", "a.xyz"], "its name does not tell what is in it"),
        (["a.raw", "b.raw", "--codec", "pcmu"], "its name does not tell what is in it"),
        (["in.wav", "out.wav"], "say with --codec what to go through"),
        (["in.wav", "a.ulaw", "--codec", "g729"], "the names of both files say otherwise"),
        (["in.wav", "a.ulaw", "--codec", "mp3"], "--codec mp3: there are"),
        (["in.wav", "in.wav", "--codec", "pcmu"], "the same file"),
        (["in.wav", "nowhere/a.ulaw"], "there is no folder"),
        (["in.wav", "a.lbc", "--mode", "25"], "iLBC has 20 and 30"),
        (["in.wav", "a.ulaw", "--annexb"], "only G.729 has it"),
        (["in.wav", "a.ulaw", "--implementation", "rust"], "native or reference"),
    ],
)
def test_a_command_that_is_not_understood_exits_with_2_and_says_why(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    result = _run(*arguments)

    assert result.exit_code == 2
    assert said in _said(result)


@given(data=st.binary(max_size=400), kind=st.sampled_from([".bit", ".lbc", ".g729", ".ulaw"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(data, kind, tmp_path):
    path = tmp_path / f"any{kind}"
    path.write_bytes({".lbc": b"#!iLBC20\n", ".bit": b"\x21\x6b\x00\x00"}.get(kind, b"") + data)

    with suppress(LocalError):
        codec = {".bit": "g729", ".lbc": "ilbc", ".g729": "g729", ".ulaw": "pcmu"}[kind]
        assert read_payloads(path, codec).frames


def test_progress_is_told_up_to_the_end(wav):
    told = []
    coding = Coding(wav, None), Coding(wav.parent / "a.ulaw", "pcmu")

    transcode_files(*coding, options={}, progress=lambda done_s, all_s: told.append((done_s, all_s)))

    assert [done_s for done_s, _ in told] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.01])
    assert {all_s for _, all_s in told} == {2.01}


def test_the_twins_write_the_same_file(wav):
    _run(wav, wav.parent / "a.ulaw")

    _run(wav, wav.parent / "b.ulaw", "--implementation", "reference")

    assert (wav.parent / "a.ulaw").read_bytes() == (wav.parent / "b.ulaw").read_bytes()
