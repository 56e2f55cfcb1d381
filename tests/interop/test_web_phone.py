"""The web phone in Chromium: its page, its module, and the calls that it makes and takes.

Nobody else's code is in the page; axe-core, which looks for what people with other eyes and hands cannot use, is
npm's and stays outside of it.
"""

import contextlib
import hashlib
import os
import signal
import time
import tomllib
import wave
from pathlib import Path

import numpy as np
import pytest
import soxr

from gateway.config.lan_certificate import keep_certificate
from gateway.lab.quality import mos
from gateway.testing.audio import read_wav, window_correlations
from gateway.testing.browser import Chromium, bundled
from gateway.testing.processes import PATIENCE_S, Serving, free_block
from gateway.testing.web_phone import WebPhone, web_page
from gateway.testing.wire_audio import distinct_speech
from gateway.user_tokens import sign_token

pytestmark = pytest.mark.interop

PAGES = Path(__file__).parent / "browsers"
WORKSHOP = Path(__file__).parents[2] / "build" / "browsers"
WS_PORT, WSS_PORT, HTTPS_PORT = free_block()[:3]
SPEECH = distinct_speech(2.0, seed=67)
MUST_END = ("calls", "media_legs", "bindings", "unanswered")
HARMLESS = ("minor", "moderate")


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
    folder = tmp_path_factory.mktemp("web_phone")
    pem = folder / "lan.pem"
    keep_certificate(pem, "127.0.0.1")
    secured = {"TANDEM_SIP__CERTIFICATE": str(pem), "TANDEM_SIP__KEY": str(pem)}
    with Serving(
        folder / "switch",
        listen=[f"ws:127.0.0.1:{WS_PORT}", f"wss:127.0.0.1:{WSS_PORT}"],
        environment={"TANDEM_HTTP__PHONE": f"127.0.0.1:{HTTPS_PORT}", **secured},
    ) as serving:
        yield serving


@pytest.fixture
def show(switch, chromium):
    """Show a page of the switch; afterwards nothing of it may be left there."""
    home = f"http://127.0.0.1:{switch.http_port}"
    with contextlib.ExitStack() as running:
        yield lambda path="/phone", home=home: running.enter_context(web_page(chromium, f"{home}{path}"))
    deadline = time.monotonic() + PATIENCE_S
    while left := {name: n for name, n in switch.census().items() if n and name in MUST_END}:
        assert time.monotonic() < deadline, f"left in the switch: {left}"
        time.sleep(0.05)


@pytest.fixture
def phone(switch, show):
    """Show the web phone of a user."""

    def phone(user="alice"):
        phone = WebPhone(show())
        phone.sign_in(user, switch.password(user))
        return phone

    return phone


def token(switch, user, nonce):
    """Return what the application's backend would give its app."""
    made, now = tomllib.loads((switch.data / "secrets.toml").read_text()), int(time.time())
    key, secret = made["application_key"], made["application_secret"]
    return sign_token(key, secret, user, nonce=nonce, issued_at=now, expires_at=now + 600)


def alike(recording):
    return np.median(window_correlations(read_wav(recording), SPEECH))


def test_the_printed_link_signs_in_and_one_click_calls_the_echo(switch, show):
    link = switch.wait_for_line("/phone#token=").strip()
    phone = WebPhone(show(link.partition(str(switch.http_port))[2]))
    phone.is_signed_in()

    phone.page.get_by_role("button", name="Call the echo test").click()

    phone.is_talking()
    phone.hears()
    quality = phone.quality()
    assert quality["Loss"] == "0.0 %"
    assert float(quality["Quality"].split()[0]) > 4.0
    assert "token" not in phone.page.url
    phone.hang_up()
    phone.says("Call ended")


def test_by_https_everything_is_encrypted(switch, show):
    phone = WebPhone(show(home=f"https://127.0.0.1:{HTTPS_PORT}"))
    phone.sign_in("alice", switch.password("alice"))
    phone.dial("echo")
    phone.is_talking()
    phone.hears()
    phone.hang_up()


def test_a_wrong_password_is_told(show):
    phone = WebPhone(show())

    phone.try_to_sign_in("alice", "guess")

    phone.says("The name or the password is wrong")


def test_somebody_of_whom_only_the_token_knows_signs_in_and_stays_so_after_a_reload(switch, show):
    phone = WebPhone(show())
    phone.sign_in_by(token(switch, "carol", "reload"))
    phone.is_signed_in()

    phone.page.reload()

    phone.is_signed_in()
    phone.says("carol")


def test_a_token_serves_once(switch, show):
    phone = WebPhone(show())
    phone.sign_in_by(token(switch, "carol", "twice"))
    phone.is_signed_in()
    phone.press("Sign out")

    phone.sign_in_by(token(switch, "carol", "twice"))

    phone.says("this token was used before")


def test_a_phone_hears_what_the_page_says(switch, phone, tmp_path):
    recording = tmp_path / "heard.wav"
    alice = phone()
    with switch.answering("bob", "--record", str(recording), "--calls", "1") as bob:
        alice.dial("bob")
        alice.is_talking()
        alice.hears()
        alice.page.wait_for_timeout(1500)  # of speech
        alice.hang_up()
        (heard,) = bob.report()["calls"]
    assert heard["packets_received"] > 50
    assert alike(recording) > 0.9


def test_keys_of_the_page_are_heard(switch, phone):
    alice = phone()
    alice.dial("echo")
    alice.is_talking()
    alice.press("Keypad")

    for key in ("5", "hash"):
        alice.page.locator("#call-keys").get_by_role("button", name=key, exact=True).click()

    switch.wait_for("dtmf.heard", digit="5")
    switch.wait_for("dtmf.heard", digit="#")
    assert alice.page.get_by_label("Keys pressed").inner_text() == "5#"
    alice.hang_up()


def test_after_a_hold_the_page_hears_again(phone):
    alice = phone()
    alice.dial("echo")
    alice.is_talking()
    alice.press("Hold")
    alice.says("On hold")

    alice.press("Hold")

    alice.is_talking()
    alice.hears()
    alice.hang_up()


def test_a_call_whose_websocket_is_cut_goes_on_and_can_be_controlled_again(phone):
    alice = phone()
    alice.dial("echo")
    alice.is_talking()

    alice.lose_connection()

    alice.hears()
    alice.press("Hold")
    alice.says("On hold")
    alice.hang_up()


def test_a_call_whose_path_is_gone_finds_another_one(phone):
    alice = phone()
    alice.dial("echo")
    alice.is_talking()

    alice.lose_path()

    alice.hears()
    alice.hang_up()


def test_tabs_meet_in_a_room(phone):
    tabs = phone(), phone("bob")

    for each in tabs:
        each.page.get_by_role("button", name="Join the room").click()

    for each in tabs:
        each.is_talking()
        each.hears()
    for each in tabs:
        each.hang_up()


def test_nobody_hears_who_is_mute(phone):
    alice = phone()
    alice.dial("echo")
    alice.is_talking()
    alice.hears()

    alice.press("Mute")

    alice.is_silent()
    alice.hang_up()


def test_a_call_that_is_not_answered_is_taken_back(switch, phone):
    alice, bob = phone(), phone("bob")
    alice.dial("bob")
    bob.says("Incoming call")

    alice.hang_up()

    bob.is_signed_in()
    alice.says("Cancelled")


def test_two_tabs_talk_to_each_other(phone):
    alice, bob = phone(), phone("bob")
    alice.dial("bob")
    bob.says("Incoming call")
    bob.says("alice")

    bob.press("Answer")

    for each in (alice, bob):
        each.is_talking()
        each.hears()
    bob.hang_up()
    alice.is_signed_in()


def test_a_phone_calls_the_page(switch, phone):
    alice = phone()
    with switch.calling("alice", "--duration", "2", caller="bob") as bob:
        alice.says("Incoming call")
        alice.press("Answer")
        alice.is_talking()
        alice.hears()
        report = bob.report()
    alice.is_signed_in()
    assert report["packets_received"] > 50


def test_who_is_declined_is_told(phone):
    alice, bob = phone(), phone("bob")
    alice.dial("bob")
    bob.says("Incoming call")

    bob.press("Decline")

    alice.says("Declined")


def test_of_two_devices_the_first_to_answer_has_the_call(phone):
    alice, desk, mobile = phone(), phone("bob"), phone("bob")
    alice.dial("bob")
    desk.says("Incoming call")
    mobile.says("Incoming call")

    desk.press("Answer")

    mobile.says("Answered on another device")
    alice.hang_up()


def test_the_example_calls_the_echo(switch, show):
    page = show("/phone/example.html")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill(switch.password("alice"))
    page.get_by_role("button", name="Call the echo").click()
    page.get_by_text("talk, and you hear yourself").wait_for()

    page.get_by_role("button", name="Hang up").click()

    page.get_by_text("over", exact=True).wait_for()


def test_a_page_of_another_host_signs_in_by_the_module(switch, chromium):
    with chromium.page() as page:
        user = page.evaluate(
            """async ([home, token]) => {
              const { TandemClient } = await import(`${home}/phone/tandem.js`);
              const client = new TandemClient({ userId: 'dora' });
              client.addListener({ onCredentialsRequired: (_, registration) => registration.register(token) });
              await client.start();
              await client.terminate();
              return client.credentials.userId;
            }""",
            [f"http://127.0.0.1:{switch.http_port}", token(switch, "dora", "elsewhere")],
        )
    assert user == "dora"


def test_md5_is_md5(show):
    page = show()
    texts = ["", "a", "ä" * 27, "x" * 55, "x" * 56, "x" * 63, "x" * 64, "x" * 1000]

    digests = page.evaluate(
        "async (texts) => { const { md5 } = await import('/phone/digest.js'); return texts.map(md5); }", texts
    )

    assert digests == [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in texts]


def test_the_page_rates_a_line_as_the_command_line_does(show):
    lines = [(0, 0, 0), (1, 5, 30), (5, 20, 100), (30, 60, 400), (0, 0, 1500), (100, 0, 0)]
    facts = [{"lossPercent": loss, "jitterMs": jitter, "roundTripMs": trip} for loss, jitter, trip in lines]

    rated = show().evaluate(
        "async (lines) => { const { mosOf } = await import('/phone/media.js'); return lines.map(mosOf); }",
        facts,
    )

    delays = [trip / 2 + 2 * jitter + 40 for _, jitter, trip in lines]
    expected = [
        mos("pcmu", loss_pct=loss, delay_ms=delay) for (loss, *_), delay in zip(lines, delays, strict=True)
    ]
    assert rated == pytest.approx(expected, abs=0.006)


def test_headers_over_the_limit_are_an_argument_error(switch, show):
    page = show()

    told = page.evaluate(
        """async (password) => {
          const { TandemClient } = await import('/phone/tandem.js');
          const client = new TandemClient({ userId: 'alice', password });
          await client.start();
          const error = await client.callClient.callUser('echo', { long: 'ä'.repeat(511) }).catch((error) => error);
          await client.terminate();
          return [error.name, error.message];
        }""",
        switch.password("alice"),
    )

    assert told == ["ArgumentError", "headers: 1026 bytes, and 1024 are allowed"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_nothing_on_the_page_shuts_anybody_out(switch, show, width, scheme):
    bundled(PAGES, WORKSHOP, ("sipjs",))
    axe = (WORKSHOP / "node_modules/axe-core/axe.min.js").read_text()
    page = show()
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    phone = WebPhone(page)
    page.get_by_role("heading", name="Sign in").wait_for()
    faults = faults_of(page, axe)
    phone.sign_in("alice", switch.password("alice"))
    faults += faults_of(page, axe)
    phone.dial("echo")
    phone.is_talking()
    phone.press("Keypad")
    faults += faults_of(page, axe)
    phone.hang_up()
    assert faults == []


def test_who_signed_in_by_a_token_stays_so_when_the_switch_process_dies(switch, show):
    phone = WebPhone(show())
    phone.sign_in_by(token(switch, "erin", "survivor"))
    phone.is_signed_in()

    os.kill(switch.child("switch"), signal.SIGKILL)

    phone.says("Reconnecting")
    phone.comes_back()
    phone.dial("echo")
    phone.is_talking()
    phone.hang_up()


def faults_of(page, axe):
    """Return what axe-core finds that is serious, as lines."""
    page.evaluate(axe)
    found = page.evaluate("() => axe.run()")["violations"]
    serious = [each for each in found if each["impact"] not in HARMLESS]
    return [f"{each['id']}: {node['html']}" for each in serious for node in each["nodes"]]
