"""Kamailio between the switch and the rest: as the proxy that phones come through, and as a carrier.

The ladders in `conversations/` are what it and the switch said to each other.
"""

import contextlib
import time

import numpy as np
import pytest

from gateway.testing.audio import read_wav, window_correlations, write_wav
from gateway.testing.conversation import Conversation
from gateway.testing.kamailio import Kamailio
from gateway.testing.pjsua import Pjsua
from gateway.testing.processes import TANDEM, Command, free_block
from gateway.testing.wire_audio import distinct_speech

pytestmark = pytest.mark.interop

TALK_S = 3
SAID = {"alice": distinct_speech(TALK_S, seed=6), "bob": distinct_speech(TALK_S, seed=7)}
PROXY, CARRIER = "127.0.0.3", "127.0.0.2"
NUMBER = "+46700000001"


def assert_heard(recording, user):
    assert np.median(window_correlations(read_wav(recording), SAID[user])) > 0.95


def talk(directory, phone, user):
    wav = directory / f"{user}.wav"
    write_wav(wav, np.pad(SAID[user], (0, 8000)))
    phone.say(wav)


@contextlib.contextmanager
def behind(proxy, switch, directory):
    """Give alice and bob, who reach the switch through the proxy alone."""
    with contextlib.ExitStack() as running:
        yield [
            running.enter_context(
                Pjsua(
                    directory / user,
                    user=user,
                    password=switch.password(user),
                    server=switch.address,
                    ports=free_block(),
                    proxy=proxy.address,
                )
            )
            for user in SAID
        ]


def test_phones_behind_a_proxy_do_all_that_other_phones_do(serve, tmp_path, spoken_as):
    switch = serve()
    at = ("127.0.0.1", switch.sip_port)
    with (
        Kamailio(tmp_path / "kamailio", address=(PROXY, free_block()[0]), switch=at) as proxy,
        behind(proxy, switch, tmp_path) as (alice, bob),
        Conversation(tmp_path, switch.sip_port, {proxy.port: "kamailio"}) as told,
    ):
        alice.dial(switch.uri("bob"))
        alice.hold()
        switch.wait_for("leg.held")
        alice.resume()
        switch.wait_for("leg.resumed")
        alice.press("5", method="info")
        switch.wait_for("dtmf.heard", digit="5", via="info")
        alice.renegotiate("PCMA")
        alice.do("update")
        talk(tmp_path, alice, "alice")
        talk(tmp_path, bob, "bob")
        time.sleep(TALK_S + 1)
        alice.do("unregister")
        switch.wait_for("user.unregistered", user="alice")
        bob.hang_up()
        alice.wait_for_end()
        bob.do("dial", uri=switch.uri("alice"))
        assert bob.wait_for_next("ended")["status"] == 480

    assert_heard(alice.heard, "bob")
    assert_heard(bob.heard, "alice")
    spoken_as(told.ladder())


def test_a_number_leaves_by_a_carrier_that_is_a_proxy(serve, tmp_path, spoken_as):
    ports, far = free_block(), free_block()
    uri = f"sip:{CARRIER}:{ports[0]};transport=udp"
    switch = serve(settings=f'[[trunks]]\nname = "carrier"\nuri = "{uri}"\ncodecs = ["PCMA"]\nping_s = 0\n')
    callee = f"127.0.0.1:{far[0]}"
    listen = ("--listen", callee, "--codec", "PCMA", "--calls", "1", "--record", str(tmp_path / "callee.wav"))
    carrier = Kamailio(
        tmp_path / "kamailio",
        address=(CARRIER, ports[0]),
        switch=("127.0.0.1", switch.sip_port),
        onward=callee,
    )
    wav = tmp_path / "alice.wav"
    write_wav(wav, np.pad(SAID["alice"], (0, 8000)))
    with (
        carrier,
        Command((*TANDEM, "answer", *listen, "--json")) as answering,
        Conversation(tmp_path, switch.sip_port, {carrier.port: "kamailio"}) as told,
    ):
        answering.wait_for_line("ready for calls")
        assert switch.call(NUMBER, "--wav", str(wav)).status == 0
        answering.wait()

    assert_heard(tmp_path / "callee.wav", "alice")
    spoken_as(told.ladder())


def test_a_call_from_a_carrier_that_is_a_proxy_reaches_a_user(serve, tmp_path, spoken_as):
    ports = free_block()
    uri = f"sip:{CARRIER}:{ports[0]};transport=udp"
    switch = serve(settings=f'[[trunks]]\nname = "carrier"\nuri = "{uri}"\ncodecs = ["PCMA"]\nping_s = 0\n')
    carrier = Kamailio(
        tmp_path / "kamailio", address=(CARRIER, ports[0]), switch=("127.0.0.1", switch.sip_port)
    )
    wav = tmp_path / "alice.wav"
    write_wav(wav, np.pad(SAID["alice"], (0, 8000)))
    with (
        carrier,
        switch.answering("bob", "--record", str(tmp_path / "bob.wav"), "--calls", "1") as answering,
        Conversation(tmp_path, switch.sip_port, {carrier.port: "kamailio"}) as told,
    ):
        options = ("--proxy", carrier.address, "--wav", str(wav), "--json")
        with Command((*TANDEM, "call", switch.uri("bob"), *options)) as caller:
            assert caller.outcome().status == 0
        answering.wait()

    assert switch.wait_for("call.offered")["trunk"] == "carrier"
    assert_heard(tmp_path / "bob.wav", "alice")
    spoken_as(told.ladder())
