"""Browsers with media of their own: ICE, DTLS and SRTP of Chromium, under JsSIP's and SIP.js's SIP.

Whom they call, and who calls them, has plain RTP in most tests (`browsers/plain_media.js`), so that the test hears what
the switch has decrypted.
"""

import contextlib
import os
import signal
import time
import wave
from pathlib import Path

import numpy as np
import pytest
import soxr

from gateway.testing.audio import read_wav, window_correlations, write_wav
from gateway.testing.baresip import Baresip
from gateway.testing.browser import BrowserPhone, Chromium, bundled
from gateway.testing.processes import PATIENCE_S, TANDEM, Command, Serving, free_block
from gateway.testing.wire_audio import distinct_speech

pytestmark = pytest.mark.interop

PAGES = Path(__file__).parent / "browsers"
WORKSHOP = Path(__file__).parents[2] / "build" / "browsers"
LIBRARIES = ("jssip", "sipjs")
EACH = pytest.mark.parametrize("library", LIBRARIES)
BOTH_WAYS = pytest.mark.parametrize("pair", [LIBRARIES, LIBRARIES[::-1]], ids="-calls-".join)
APPLICATION = "00000000-0000-4000-8000-000000000001"
SETTINGS = f'[[applications]]\nkey = "{APPLICATION}"\nsecret = "c2VjcmV0"\n' + "".join(
    f'[[users]]\napplication = "{APPLICATION}"\nname = "{name}"\npassword = "secret"\nmedia = "{media}"\n'
    for name, media in {"alice": "auto", "bob": "rtp", "carol": "auto", "dave": "auto"}.items()
)
WS_PORT = free_block()[0]
SPEECH = distinct_speech(2.0, seed=61)
CLOSED_S = 15.0
"""So soon a call of a closed tab is over."""
MUST_END = ("calls", "media_legs", "bindings", "unanswered")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    pytest.importorskip("playwright", reason="the dependency group `interop` is not installed")
    microphone = tmp_path_factory.mktemp("microphone") / "speech.wav"
    with wave.open(str(microphone), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(soxr.resample(SPEECH, 8_000, 48_000).tobytes())
    with Chromium(microphone) as browser:
        yield browser


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("webrtc")
    with Serving(folder / "switch", settings=SETTINGS, listen=[f"ws:127.0.0.1:{WS_PORT}"]) as serving:
        yield serving


@pytest.fixture
def phone(switch, chromium):
    """Give what makes a page of a library into a user's phone; afterwards nothing of it may be left in the switch."""
    scripts = bundled(PAGES, WORKSHOP, LIBRARIES)

    def phone(library, user="alice", media="real_media.js", **settings):
        about = {"user": user, "password": "secret", "domain": switch.address, "stand_in": PAGES / media}
        server = f"ws://127.0.0.1:{WS_PORT}/"
        return running.enter_context(
            BrowserPhone(chromium, scripts[library], server=server, **about, **settings)
        )

    with contextlib.ExitStack() as running:
        yield phone
    deadline = time.monotonic() + PATIENCE_S
    while left := {name: n for name, n in switch.census().items() if n and name in MUST_END}:
        assert time.monotonic() < deadline, f"left in the switch: {left}"
        time.sleep(0.05)


def call(phone, uri):
    """Have a browser call, and wait until it hears something."""
    phone.do("dial", uri)
    phone.wait_for_next("established")
    return phone.wait_for_media(received=50)


@EACH
def test_a_browser_hears_itself_in_the_echo_test(switch, phone, library):
    alice = phone(library)
    state = call(alice, switch.uri("echo"))
    assert state["connection"] == "connected"
    assert state["codec"] in {"audio/PCMU", "audio/PCMA"}
    assert state["lost"] == 0
    alice.hang_up()


@EACH
def test_a_browser_and_a_phone_with_plain_media_hear_each_other(switch, phone, library):
    alice, bob = phone(library), phone("sipjs", "bob", "plain_media.js")
    alice.do("dial", switch.uri("bob"))
    bob.wait_for_talk()
    bob.say(SPEECH)
    alice.wait_for_media(received=100)
    assert np.median(window_correlations(bob.heard(), SPEECH)) > 0.9
    alice.hang_up()
    bob.wait_for_end()


@EACH
def test_after_a_hold_a_browser_hears_again_by_the_same_keys(switch, phone, library):
    alice = phone(library)
    call(alice, switch.uri("echo"))
    alice.hold()
    alice.resume()
    alice.wait_for_media(received=alice.media()["received"] + 50)
    alice.hang_up()


def test_a_tab_that_is_closed_ends_its_call_for_the_other(switch, phone):
    alice, bob = phone("jssip"), phone("sipjs", "bob", "plain_media.js")
    alice.do("dial", switch.uri("bob"))
    bob.wait_for_talk()
    bob.say(SPEECH)
    alice.wait_for_media(received=10)
    already, began = len(switch.events("call.ended")), time.monotonic()
    alice.leave()
    bob.wait_for_end()
    assert time.monotonic() - began < CLOSED_S
    assert "browser" in switch.wait_for("call.ended", count=already + 1)["cause"]


@EACH
def test_keys_of_a_browser_are_told(switch, phone, library):
    alice = phone(library)
    call(alice, switch.uri("echo"))
    alice.do("press", "7", "rfc4733")
    switch.wait_for("dtmf.heard", digit="7")
    alice.hang_up()


def test_a_phone_with_plain_media_calls_a_browser_and_they_hear_each_other(switch, phone):
    alice, bob = phone("sipjs"), phone("jssip", "bob", "plain_media.js")
    bob.dial(switch.uri("alice"))
    bob.say(SPEECH)
    state = alice.wait_for_media(received=100)
    assert state["connection"] == "connected"
    assert np.median(window_correlations(bob.heard(), SPEECH)) > 0.9
    bob.hang_up()
    alice.wait_for_end()


@BOTH_WAYS
def test_browsers_call_each_other(switch, phone, pair):
    alice, carol = phone(pair[0]), phone(pair[1], "carol")
    call(alice, switch.uri("carol"))
    carol.wait_for_media(received=50)
    carol.hang_up()
    alice.wait_for_end()


def test_a_browser_that_was_called_holds_and_hears_again(switch, phone):
    alice, carol = phone("sipjs"), phone("jssip", "carol")
    call(alice, switch.uri("carol"))
    carol.hold()
    carol.resume()
    carol.wait_for_media(received=carol.media()["received"] + 50)
    alice.hang_up()
    carol.wait_for_end()


@EACH
def test_a_browser_looks_for_another_way_to_us_and_is_heard_by_it(switch, phone, library):
    alice = phone(library)
    before = call(alice, switch.uri("echo"))
    alice.restart()
    after = alice.wait_for_media(received=alice.media()["received"] + 50)
    assert after["peer"] != before["peer"]
    alice.hang_up()


def test_a_page_with_media_of_its_own_kind_is_asked_once_more_and_then_known(switch, phone):
    carol, bob = phone("jssip", "carol", "plain_media.js", lines=2), phone("sipjs", "bob", "plain_media.js")
    bob.dial(switch.uri("carol"))
    carol.wait_for_end()  # of what it has refused
    carol.wait_for_talk()
    bob.hang_up()
    carol.wait_for_end()
    assert switch.wait_for("leg.asked_otherwise", peer="carol")["webrtc"] is False


def test_a_phone_with_keys_in_its_sdp_calls_a_browser(switch, phone, tmp_path):
    write_wav(tmp_path / "dave.wav", np.tile(SPEECH, 20))
    alice, about = phone("jssip"), {"codec": "PCMU", "says": tmp_path / "dave.wav", "srtp": True}
    address = {"server": switch.address, "ports": free_block()}
    with Baresip(tmp_path / "dave", user="dave", password="secret", **about, **address) as dave:
        dave.dial(switch.uri("alice"))
        alice.wait_for_media(received=100)
        dave.hang_up()
        alice.wait_for_end()
    assert np.median(window_correlations(read_wav(dave.heard()), SPEECH)) > 0.9
    keys = {leg["srtp"] for leg in switch.events("leg.ended")[-2:]}
    assert "DTLS-SRTP" in keys
    assert any(suite and suite.startswith("AES_CM") for suite in keys)


def test_a_browser_calls_a_phone_that_has_g729_alone(switch, phone):
    alice, about = phone("sipjs"), ("--user", "dave", "--password", "secret", "--codec", "G729", "--echo")
    command = (*TANDEM, "answer", "--registrar", f"sip:{switch.address}", *about, "--json", "--calls", "1")
    with Command(command) as dave:
        dave.wait_for_line("ready for calls")
        state = call(alice, switch.uri("dave"))
        alice.hang_up()
        dave.report()
    assert state["codec"] in {"audio/PCMU", "audio/PCMA"}
    assert {leg["codec"] for leg in switch.events("leg.ended")[-2:]} > {"g729"}


def test_a_browser_hears_on_when_the_switch_process_dies_and_its_call_can_be_ended(switch, phone):
    alice = phone("jssip")  # SIP.js itself forgets its calls when its WebSocket is cut
    call(alice, switch.uri("echo"))
    os.kill(switch.child("switch"), signal.SIGKILL)
    switch.wait_for("calls.inherited")
    alice.wait_for_next("registered")
    alice.wait_for_media(received=alice.media()["received"] + 50)
    alice.hang_up()
    switch.wait_for("call.resumed")
