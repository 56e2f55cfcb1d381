"""A person's microphone and loudspeaker, with a sound card that a test plays."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.ids import SeededIds
from gateway.lab.phone import handset
from gateway.lab.phone.handset import Handset
from gateway.lab.phone.media import Media
from gateway.lab.phone.rtp import parse_rtp_untrusted
from gateway.lab.phone.sources import Silence
from gateway.sdp.codecs import codec_offer
from gateway.testing.rtp_peer import RtpMouth


class SoundCard:
    """What `sounddevice.Stream` is to the handset; there is no sound card where tests run."""

    def __init__(self, *, callback: Callable[..., None], **settings: object) -> None:
        self._callback, self.settings, self.running = callback, settings, False
        CARDS.append(self)

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def close(self) -> None:
        pass

    def block(self, spoken: list[int]) -> list[int]:
        """Give the handset a block from the microphone; return what the loudspeaker is to play."""
        played = np.full((len(spoken), 1), 99, np.int16)
        self._callback(np.array(spoken, np.int16).reshape(-1, 1), played, len(spoken), None, None)
        return [int(each) for each in played[:, 0]]


class NoDeviceError(Exception):
    pass


CARDS: list[SoundCard] = []


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Callable[[], SoundCard]:
    module = SimpleNamespace(Stream=SoundCard, PortAudioError=NoDeviceError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return lambda: CARDS[-1]


def test_without_sounddevice_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)

    with pytest.raises(LocalError, match=r"pip install tandem-voice\[audio\]"):
        Handset()


def test_a_sound_card_that_cannot_be_opened_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**settings: object) -> None:
        raise NoDeviceError("no default input device")

    module = SimpleNamespace(Stream=refuse, PortAudioError=NoDeviceError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)

    with pytest.raises(LocalError, match="no default input device"):
        Handset()


def test_the_microphone_is_read_in_packets_of_any_length(card: Callable[[], SoundCard]) -> None:
    with Handset() as mine:
        assert card().running
        card().block([*range(160)])
        card().block([*range(160, 320)])

        assert mine.read(240, 0.0).tolist() == [*range(240)]
        assert mine.read(240, 0.0).tolist() == [*range(240, 320), *[0] * 160]
    assert not card().running


def test_what_nobody_fetched_is_dropped_the_oldest_first(card: Callable[[], SoundCard]) -> None:
    with Handset() as mine:
        for number in range(40):
            card().block([number] * 160)

        mine.read(160, 0.0)

        assert mine.read(160, 0.0).tolist() == [35] * 160


def test_the_loudspeaker_is_silent_without_a_call_and_then_plays_what_is_heard(
    card: Callable[[], SoundCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    media = Media(Silence(), SeededIds(1), wall_minus_now_s=0.0)
    media.listener.expect([codec_offer("pcmu")])
    mouth = RtpMouth()
    with Handset() as mine:
        assert card().block([1] * 160) == [0] * 160
        mine.connect(media)
        for number in range(10):
            media.listener.arrive(
                parse_rtp_untrusted(mouth.say(b"\x80" * 160).to_bytes()), 10.0 + 0.02 * number
            )
        monkeypatch.setattr(handset, "time", SimpleNamespace(monotonic=lambda: 10.0 + 0.1))

        assert card().block([1] * 160) == [32124] * 160
