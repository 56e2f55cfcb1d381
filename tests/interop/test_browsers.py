"""Browsers as phones: JsSIP and SIP.js in headless Chromium speak SIP over WebSocket (RFC 7118) with the switch.

The libraries' SIP is their own.  Their media is plain RTP, as `browsers/plain_media.js` has it, so what a caller hears
has passed through the switch; `test_webrtc.py` has the browser's own RTCPeerConnection.

The ladders in `conversations/` are what they and the switch said to each other.
"""

import contextlib
import time
from pathlib import Path

import numpy as np
import pytest
import trustme

from gateway.testing.audio import read_wav, window_correlations, write_wav
from gateway.testing.browser import BrowserPhone, Chromium, bundled
from gateway.testing.pjsua import Pjsua
from gateway.testing.processes import PATIENCE_S, Serving, free_block
from gateway.testing.websocket_tap import WebSocketTap
from gateway.testing.wire_audio import distinct_speech

pytestmark = pytest.mark.interop

PAGES = Path(__file__).parent / "browsers"
WORKSHOP = Path(__file__).parents[2] / "build" / "browsers"
LIBRARIES = ("jssip", "sipjs")
EACH = pytest.mark.parametrize("library", LIBRARIES)
BOTH_WAYS = pytest.mark.parametrize("pair", [LIBRARIES, LIBRARIES[::-1]], ids="-calls-".join)
TRANSFERS = pytest.mark.parametrize(
    "three", [("jssip", "sipjs", "jssip"), ("sipjs", "jssip", "sipjs")], ids=["jssip", "sipjs"]
)

TALK_S = 1.2
REFRESH_S = 905
"""A little more than half of the session interval that we ask for (RFC 4028 section 10)."""
SAID = {
    name: distinct_speech(TALK_S, seed=seed) for seed, name in enumerate(("alice", "bob", "carol"), start=51)
}
PASSWORD = "secret"
APPLICATION = "00000000-0000-4000-8000-000000000001"
SETTINGS = f'[[applications]]\nkey = "{APPLICATION}"\nsecret = "c2VjcmV0"\n' + "".join(
    f'[[users]]\napplication = "{APPLICATION}"\nname = "{name}"\npassword = "{PASSWORD}"\nmedia = "rtp"\n'
    for name in SAID
)


WS_PORT, WSS_PORT = free_block()[:2]
MUST_END = ("calls", "media_legs", "bindings", "unanswered")
"""What a browser leaves nothing of; a transaction lingers for 32 s (RFC 6026), and its dialog with it."""


@pytest.fixture(scope="module")
def scripts():
    return bundled(PAGES, WORKSHOP, LIBRARIES)


@pytest.fixture(scope="module")
def chromium():
    pytest.importorskip("playwright", reason="the dependency group `interop` is not installed")
    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    folder, certificate = tmp_path_factory.mktemp("browsers"), trustme.CA().issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "chain.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    with Serving(
        folder / "switch",
        settings=SETTINGS,
        listen=[f"ws:127.0.0.1:{WS_PORT}", f"wss:127.0.0.1:{WSS_PORT}"],
        environment={
            "TANDEM_SIP__CERTIFICATE": str(folder / "chain.pem"),
            "TANDEM_SIP__KEY": str(folder / "key.pem"),
        },
    ) as serving:
        yield serving


class Web:
    """A switch for one test: browsers that are its phones, what they say to it, and what it tells from now on."""

    def __init__(self, switch, chromium, scripts, running):
        self.switch = switch
        self.tap = running.enter_context(WebSocketTap(("127.0.0.1", WS_PORT)))
        self._chromium, self._scripts, self._running = chromium, scripts, running
        self._past = len(switch.events())

    def phone(self, library, user, **settings):
        """Give a browser with a library's phone in it, registered if nothing else is said."""
        about = {
            "password": PASSWORD,
            "server": self.tap.url,
            "domain": self.switch.address,
            "stand_in": PAGES / "plain_media.js",
        }
        script = self._scripts[library]
        return self._running.enter_context(
            BrowserPhone(self._chromium, script, user=user, **(about | settings))
        )

    def phones(self, *libraries, **settings):
        """Give a phone for each library: alice's, bob's, carol's."""
        return [self.phone(library, user, **settings) for library, user in zip(libraries, SAID, strict=False)]

    def uri(self, name):
        """Return the SIP URI of somebody there."""
        return self.switch.uri(name)

    def wait_for(self, name, *, count=1, **facts):
        """Return the `count`th event of this test with that name and these facts."""
        past = self.switch.events()[: self._past]
        already = sum(each["event"] == name and facts.items() <= each.items() for each in past)
        return self.switch.wait_for(name, count=already + count, **facts)


@pytest.fixture
def web(switch, chromium, scripts):
    """Give a switch with browsers; afterwards nothing of them may be left in it."""
    with contextlib.ExitStack() as running:
        yield Web(switch, chromium, scripts, running)
    deadline = time.monotonic() + PATIENCE_S
    while left := {name: n for name, n in switch.census().items() if n and name in MUST_END}:
        assert time.monotonic() < deadline, f"left in the switch: {left}"
        time.sleep(0.05)


def connect(web, caller, callee, name):
    """Have one phone call another, who answers at once."""
    caller.dial(web.uri(name))
    callee.wait_for_talk()


def assert_they_hear_each_other(**phones):
    """Let two phones speak at once, and see that each has heard the other."""
    for user, phone in phones.items():
        phone.say(SAID[user])
    time.sleep(TALK_S + 0.3)
    (one, first), (other, second) = phones.items()
    assert likeness(first.heard(), SAID[other]) > 0.95
    assert likeness(second.heard(), SAID[one]) > 0.95


def likeness(heard, said):
    """Return how like what was said that is which was heard, 0 to 1."""
    return np.median(window_correlations(heard, said))


@EACH
def test_a_browser_registers_by_digest_and_leaves(web, library, spoken_as):
    alice = web.phone(library, "alice")
    assert web.wait_for("user.registered")["user"] == "alice"
    alice.do("unregister")
    alice.wait_for_next("unregistered")
    web.wait_for("user.unregistered", user="alice")
    spoken_as(web.tap.ladder(registrations=True))


@EACH
def test_a_wrong_password_is_refused(web, library):
    alice = web.phone(library, "alice", password="wrong", registered=False)
    assert alice.wait_for_next("registration.refused")["status"] == 401


@EACH
def test_wss_with_a_certificate_of_our_own(web, library):
    alice = web.phone(library, "alice", server=f"wss://127.0.0.1:{WSS_PORT}/")
    alice.dial(web.uri("echo"))
    alice.hang_up()
    assert web.wait_for("call.ended")["status"] == 200


@EACH
def test_a_keepalive_is_answered_and_a_browser_that_sends_them_can_be_called(web, library):
    alice, bob = web.phone("sipjs", "alice"), web.phone(library, "bob")
    while web.tap.messages(inward=True).count(b"\r\n\r\n") < 2:
        time.sleep(0.1)
    connect(web, bob, alice, "alice")
    bob.hang_up()
    alice.wait_for_end()
    assert b"\r\n" in web.tap.messages(inward=False)


@EACH
def test_a_browser_whose_websocket_was_cut_registers_again_and_can_be_called(web, library):
    alice, bob = web.phone("jssip", "alice"), web.phone(library, "bob")
    web.tap.cut("bob")
    web.wait_for("user.unregistered", user="bob")
    bob.wait_for_next("registered")
    connect(web, alice, bob, "bob")
    alice.hang_up()


@EACH
@pytest.mark.parametrize("way", ["closed", "unregistered"])
def test_a_browser_that_has_left_cannot_be_called(web, library, way):
    alice, bob = web.phone(library, "alice"), web.phone(library, "bob")
    if way == "closed":
        bob.leave()
    else:
        bob.do("unregister")
    web.wait_for("user.unregistered", user="bob")
    alice.do("dial", web.uri("bob"))
    assert alice.wait_for_end()["status"] == 480


@EACH
def test_a_browser_hears_its_own_echo(web, library):
    alice = web.phone(library, "alice")
    alice.dial(web.uri("echo"))
    alice.say(SAID["alice"])
    time.sleep(TALK_S + 0.3)
    assert likeness(alice.heard(), SAID["alice"]) > 0.95
    alice.hang_up()


@BOTH_WAYS
def test_they_call_hear_each_other_and_hang_up(web, pair, spoken_as):
    alice, bob = web.phones(*pair)
    connect(web, alice, bob, "bob")
    assert_they_hear_each_other(alice=alice, bob=bob)
    bob.hang_up()
    alice.wait_for_end()
    assert web.wait_for("call.ended")["by"] == "callee"
    spoken_as(web.tap.ladder())


@BOTH_WAYS
def test_a_call_is_held_and_resumed(web, pair, spoken_as):
    alice, bob = web.phones(*pair)
    connect(web, alice, bob, "bob")
    alice.hold()
    web.wait_for("leg.held")
    alice.resume()
    web.wait_for("leg.resumed")
    assert_they_hear_each_other(alice=alice, bob=bob)
    alice.hang_up()
    bob.wait_for_end()
    web.wait_for("call.ended")
    spoken_as(web.tap.ladder())


@EACH
def test_a_browser_changes_the_codec_and_hears_on(web, library, spoken_as):
    alice, bob = web.phone(library, "alice"), web.phone("jssip", "bob")
    connect(web, alice, bob, "bob")
    alice.change_codec("PCMA")
    bob.say(SAID["bob"])
    time.sleep(TALK_S + 0.3)
    assert likeness(alice.heard(), SAID["bob"]) > 0.95
    alice.hang_up()
    bob.wait_for_end()
    web.wait_for("leg.ended", side="caller", codec="pcma")
    web.wait_for("call.ended")
    spoken_as(web.tap.ladder())


def test_a_browser_refreshes_its_session(web, spoken_as):
    """JsSIP does so at half of the interval that we ask for, as the one who answered; SIP.js has no session timers."""
    alice, bob = web.phone("sipjs", "alice"), web.phone("jssip", "bob", hurried=True)
    connect(web, alice, bob, "bob")
    bob.wait_in_vain(REFRESH_S)
    while not any(message.startswith(b"UPDATE ") for message in web.tap.messages(inward=True)):
        time.sleep(0.02)
    alice.hang_up()
    bob.wait_for_end()
    web.wait_for("call.ended")
    spoken_as(web.tap.ladder())


@EACH
def test_a_call_outlives_the_registration_of_a_browser(web, library):
    alice, bob = web.phone("jssip", "alice"), web.phone(library, "bob")
    connect(web, alice, bob, "bob")
    bob.do("unregister")
    web.wait_for("user.unregistered", user="bob")
    alice.hold()
    alice.resume()
    alice.hang_up()
    bob.wait_for_end()
    assert web.wait_for("call.ended")["by"] == "caller"


@BOTH_WAYS
def test_a_caller_gives_up(web, pair, spoken_as):
    alice, bob = web.phone(pair[0], "alice"), web.phone(pair[1], "bob", answers=False)
    alice.do("dial", web.uri("bob"))
    alice.wait_for_next("ringing")
    alice.hang_up()
    bob.wait_for_end()
    assert web.wait_for("call.ended")["status"] == 487
    spoken_as(web.tap.ladder())


@BOTH_WAYS
def test_a_callee_declines(web, pair):
    alice, bob = web.phone(pair[0], "alice"), web.phone(pair[1], "bob", answers=False)
    alice.do("dial", web.uri("bob"))
    bob.wait_for_next("called", **{"from": "alice"})
    bob.do("decline")
    assert alice.wait_for_end()["status"] == 486


@EACH
def test_a_browser_calls_a_phone_and_both_are_heard(web, tmp_path, library):
    wav = tmp_path / "bob.wav"
    write_wav(wav, np.pad(SAID["bob"], (0, 8000)))
    alice, server = web.phone(library, "alice"), web.switch.address
    with Pjsua(tmp_path / "bob", user="bob", password=PASSWORD, server=server, ports=free_block()) as bob:
        alice.dial(web.uri("bob"))
        bob.wait_for_talk()
        alice.say(SAID["alice"])
        bob.say(wav)
        time.sleep(TALK_S + 0.3)
        assert likeness(alice.heard(), SAID["bob"]) > 0.95
        alice.hang_up()
        bob.wait_for_end()
    assert likeness(read_wav(bob.heard), SAID["alice"]) > 0.95


@EACH
def test_a_phone_calls_a_browser(web, tmp_path, library, spoken_as):
    alice, server = web.phone(library, "alice"), web.switch.address
    with Pjsua(tmp_path / "bob", user="bob", password=PASSWORD, server=server, ports=free_block()) as bob:
        bob.dial(web.uri("alice"))
        alice.wait_for_talk()
        bob.hang_up()
        alice.wait_for_end()
    spoken_as(web.tap.ladder())


@pytest.mark.parametrize(("cut", "ends"), [("alice", "alice"), ("alice", "bob"), ("bob", "alice")])
def test_a_call_outlives_its_websocket_and_ends_over_the_next_one(web, cut, ends):
    alice, bob = web.phones("jssip", "jssip")  # SIP.js itself forgets its calls then
    phones = {"alice": alice, "bob": bob}
    connect(web, alice, bob, "bob")
    web.tap.cut(cut)
    web.wait_for("user.unregistered", user=cut)
    phones[cut].wait_for_next("registered")
    assert_they_hear_each_other(**phones)
    phones.pop(ends).hang_up()
    for other in phones.values():
        other.wait_for_end()
    assert web.wait_for("call.ended")["by"] == ("caller" if ends == "alice" else "callee")


@BOTH_WAYS
def test_keys_in_rtp_are_told_once_and_reach_the_other(web, pair):
    alice, bob = web.phones(*pair)
    connect(web, alice, bob, "bob")
    alice.press("15#")
    web.wait_for("dtmf.heard", count=3)
    bob.wait_for_keys("15#")
    assert "".join(web.wait_for("dtmf.heard", count=n)["digit"] for n in (1, 2, 3)) == "15#"
    alice.hang_up()


@BOTH_WAYS
def test_a_key_in_an_info_is_told_like_any_other(web, pair, spoken_as):
    alice, bob = web.phones(*pair)
    connect(web, alice, bob, "bob")
    alice.press("5", method="info")
    web.wait_for("dtmf.heard", digit="5", via="info")
    bob.wait_for_keys("5")
    alice.hang_up()
    bob.wait_for_end()
    web.wait_for("call.ended")
    spoken_as(web.tap.ladder())


@TRANSFERS
def test_a_browser_sends_the_other_to_a_third(web, three, spoken_as):
    alice, bob = web.phones(*three[:2])
    carol = web.phone(three[2], "carol", answers=False)
    connect(web, alice, bob, "bob")
    alice.do("transfer", web.uri("carol"))
    alice.wait_for_next("transfer.ringing")
    carol.do("answer")
    carol.wait_for_talk()
    alice.wait_for_next("transferred")
    alice.wait_for_end()
    assert_they_hear_each_other(bob=bob, carol=carol)
    bob.hang_up()
    carol.wait_for_end()
    web.wait_for("call.ended")
    spoken_as(web.tap.ladder())


@TRANSFERS
def test_a_browser_joins_the_two_that_it_speaks_to(web, three, spoken_as):
    alice, bob, carol = web.phones(*three, lines=2)
    connect(web, alice, bob, "bob")
    alice.hold()
    connect(web, alice, carol, "carol")
    alice.do("attend")
    alice.wait_for_end()
    alice.wait_for_end()
    assert_they_hear_each_other(bob=bob, carol=carol)
    bob.hang_up()
    carol.wait_for_end()
    web.wait_for("call.ended", count=2)
    spoken_as(web.tap.ladder())


@EACH
def test_options_are_answered_and_a_message_is_refused_with_what_we_allow(web, library):
    alice = web.phone(library, "alice")
    assert alice.ask("OPTIONS", web.uri("echo"))["status"] == 200
    refused = alice.ask("MESSAGE", web.uri("bob"))
    assert refused["status"] == 405
    assert "INVITE" in refused["allow"]


@pytest.mark.parametrize(("library", "status"), [("jssip", 488), ("sipjs", 480)])
def test_an_unchanged_browser_refuses_plain_media_and_the_caller_is_told(web, library, status):
    alice, bob = web.phone("jssip", "alice"), web.phone(library, "bob", stand_in=None)
    alice.do("dial", web.uri("bob"))
    bob.wait_for_end()
    assert alice.wait_for_end()["status"] == status
