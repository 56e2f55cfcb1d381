"""What the options of the test phone mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.ids import SeededIds
from gateway.lab import measures
from gateway.lab.phone.advice import advice
from gateway.lab.phone.choices import codec_names, voice
from gateway.lab.phone.media import Media
from gateway.lab.phone.reach import destination, host_and_port
from gateway.lab.phone.sources import PcmSource, Silence, ToneSource
from gateway.lab.samples import write_wav
from gateway.sip.events import EndCause


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("sip:echo@127.0.0.1:5060", "sip:echo@127.0.0.1:5060"),
        ("echo@192.0.2.1", "sip:echo@192.0.2.1"),
        ("echo", "sip:echo@127.0.0.1"),
        ("sip:echo", "sip:echo@127.0.0.1"),
        ("+46700000001", "sip:+46700000001@127.0.0.1"),
        ("127.0.0.1:5070", "sip:127.0.0.1:5070"),
        ("sip:a@[::1]:5070", "sip:a@[::1]:5070"),
    ],
)
def test_a_destination_is_what_a_person_means(said: str, meant: str) -> None:
    assert str(destination(said)) == meant


def test_a_transport_goes_into_the_uri_unless_it_is_there() -> None:
    assert str(destination("echo", transport="tcp")) == "sip:echo@127.0.0.1;transport=tcp"
    assert str(destination("sip:a@b.example;transport=udp", transport="tcp")).endswith(";transport=udp")


@pytest.mark.parametrize("said", ["sips:a@b.example", "sip:a@b@c", "sip:a@127.0.0.1:port", ""])
def test_what_is_no_destination_is_refused(said: str) -> None:
    with pytest.raises(LocalError):
        destination(said)


def test_an_address_to_listen_at_is_an_ip_address_and_a_port() -> None:
    assert host_and_port("[::1]:5070") == ("::1", 5070)
    with pytest.raises(LocalError, match="ADDRESS:PORT"):
        host_and_port("5070")


def test_codecs_are_read_in_order_and_once() -> None:
    assert codec_names("PCMA, pcmu,PCMA") == ("pcma", "pcmu")


@pytest.mark.parametrize("text", ["", "PCMU,MP3"])
def test_a_codec_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(LocalError, match="--codec"):
        codec_names(text)


def test_without_a_choice_a_phone_speaks_the_sample_once() -> None:
    chosen = voice()

    assert chosen.name == "speech"
    assert chosen.length_s == pytest.approx(5.0, abs=0.5)


def test_a_file_is_said_and_can_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    write_wav(path, np.arange(8000, dtype=np.int16))

    assert voice(wav=path).length_s == 1.0
    assert voice(wav=path, repeat=True).length_s is None


def test_a_phone_says_one_thing() -> None:
    with pytest.raises(LocalError, match="only one"):
        voice(echo=True, tone_hz=440.0)


def test_a_recording_ends_in_silence_and_a_repeated_one_begins_again() -> None:
    pcm = np.arange(1, 101, dtype=np.int16)
    once, again = PcmSource(pcm), PcmSource(pcm, repeat=True)

    assert once.read(160, 0.0).tolist() == [*range(1, 101), *[0] * 60]
    assert once.finished
    assert again.read(160, 0.0).tolist() == [*range(1, 101), *range(1, 61)]
    assert again.read(1, 0.0).tolist() == [61]


def test_a_tone_has_its_frequency_and_no_click_between_packets() -> None:
    tone = ToneSource(440.0)
    pcm = np.concatenate([tone.read(160, 0.0) for _ in range(50)])

    assert measures.tone_level(pcm, 440.0) == pytest.approx(measures.level_dbov(pcm), abs=0.01)


def test_an_echo_before_anything_was_heard_is_silence() -> None:
    media = Media(Silence(), SeededIds(1), wall_minus_now_s=0.0)

    assert not voice(echo=True).make(media).read(160, 1.0).any()


@pytest.mark.parametrize(
    ("cause", "word"),
    [
        (EndCause(401, "Unauthorized", "remote"), "--user"),
        (EndCause(404, "Not Found", "remote"), "sip:echo@HOST"),
        (EndCause(486, "Busy Here", "remote"), "on the phone"),
        (EndCause(499, "Odd", "remote"), "reason"),
        (EndCause(502, "Bad Gateway", "remote"), "log"),
        (EndCause(408, "Request Timeout", "timeout"), "tandem serve"),
        (EndCause(503, "connection refused", "transport"), "tandem serve"),
    ],
)
def test_each_failure_says_what_to_try(cause: EndCause, word: str) -> None:
    assert word in advice(cause)
