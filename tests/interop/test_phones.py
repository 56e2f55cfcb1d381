"""linphonec and pjsua2 as users of the switch, each calling the other: call, key, hold, resume, change, leave.

The ladders in `conversations/` are what they and the switch said to each other.
"""

import contextlib
import time

import numpy as np
import pytest

from gateway.testing.audio import read_wav, window_correlations, write_wav
from gateway.testing.conversation import Conversation
from gateway.testing.linphone import Linphone
from gateway.testing.pjsua import Pjsua
from gateway.testing.processes import free_block
from gateway.testing.wire_audio import distinct_speech

pytestmark = pytest.mark.interop

KEYS = "0123456789*#"
TALK_S = 3
REFRESH_S = 50
"""More than half of the shortest session interval (RFC 4028 section 10)."""
SAID = {
    name: distinct_speech(TALK_S, seed=seed) for seed, name in enumerate(("alice", "bob", "carol"), start=4)
}
APPLICATION = "00000000-0000-4000-8000-000000000001"
PASSWORD = "secret"
THREE_USERS = f'[[applications]]\nkey = "{APPLICATION}"\nsecret = "c2VjcmV0"\n' + "".join(
    f'[[users]]\napplication = "{APPLICATION}"\nname = "{name}"\npassword = "{PASSWORD}"\n' for name in SAID
)
PEERS = {"linphone": Linphone, "pjsua": Pjsua}
BOTH_WAYS = pytest.mark.parametrize(
    "pair", [("linphone", "pjsua"), ("pjsua", "linphone")], ids="-calls-".join
)


@contextlib.contextmanager
def phones(switch, directory, programs, *, password=None, **settings):
    """Give a registered phone for each program, and the conversation that they have from then on."""
    with contextlib.ExitStack() as running:
        found = [
            running.enter_context(
                PEERS[program](
                    directory / user,
                    user=user,
                    password=password or switch.password(user),
                    server=switch.address,
                    ports=free_block(),
                    **settings,
                )
            )
            for user, program in zip(SAID, programs, strict=False)
        ]
        names = {phone.sip_port: user for user, phone in zip(SAID, found, strict=False)}
        told = running.enter_context(Conversation(directory, switch.sip_port, names))
        yield *found, told


def talk(directory, *speakers):
    """Let some phones speak for `TALK_S`."""
    for phone, user in speakers:
        wav = directory / f"{user}.wav"
        write_wav(wav, np.pad(SAID[user], (0, 8000)))
        phone.say(wav)
    time.sleep(TALK_S + 1)


def assert_heard(phone, user):
    assert np.median(window_correlations(read_wav(phone.heard), SAID[user])) > 0.95


@BOTH_WAYS
def test_they_call_hear_each_other_and_hang_up(serve, tmp_path, pair, spoken_as):
    switch = serve()
    with phones(switch, tmp_path, pair) as (alice, bob, told):
        alice.dial(switch.uri("bob"))
        talk(tmp_path, (alice, "alice"), (bob, "bob"))
        bob.hang_up()
        alice.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")
    assert switch.wait_for("call.ended")["by"] == "callee"
    spoken_as(told.ladder())


@BOTH_WAYS
def test_a_call_is_held_and_resumed(serve, tmp_path, pair, spoken_as):
    switch = serve()
    with phones(switch, tmp_path, pair) as (alice, bob, told):
        alice.dial(switch.uri("bob"))
        alice.hold()
        switch.wait_for("leg.held")
        alice.resume()
        switch.wait_for("leg.resumed")
        talk(tmp_path, (alice, "alice"), (bob, "bob"))
        alice.hang_up()
        bob.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")
    spoken_as(told.ladder())


@BOTH_WAYS
def test_keys_are_heard_once_by_the_other_and_told(serve, tmp_path, pair):
    switch = serve()
    with phones(switch, tmp_path, pair) as (alice, bob, _):
        alice.dial(switch.uri("bob"))
        for count, key in enumerate(KEYS, start=1):
            alice.press(key)
            switch.wait_for("dtmf.heard", count=count)
        bob.wait_for_key(KEYS[-1])
        alice.hang_up()

    assert bob.keys() == KEYS
    assert "".join(event["digit"] for event in switch.events("dtmf.heard")) == KEYS


def test_a_key_in_an_info_is_told_like_any_other(serve, tmp_path, spoken_as):
    switch = serve()
    with phones(switch, tmp_path, ("pjsua", "linphone")) as (alice, bob, told):
        alice.dial(switch.uri("bob"))
        alice.press("5", method="info")
        switch.wait_for("dtmf.heard", digit="5", via="info")
        alice.hang_up()
        bob.wait_for_end()

    spoken_as(told.ladder())


def test_a_call_changes_its_codec_and_is_heard_on(serve, tmp_path, spoken_as):
    switch = serve()
    with phones(switch, tmp_path, ("pjsua", "linphone")) as (alice, bob, told):
        alice.dial(switch.uri("bob"))
        assert alice.renegotiate("PCMA") == "PCMA"
        talk(tmp_path, (alice, "alice"), (bob, "bob"))
        alice.hang_up()
        bob.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")
    spoken_as(told.ladder())


def test_a_phone_that_has_left_cannot_be_called(serve, tmp_path):
    switch = serve()
    with phones(switch, tmp_path, ("pjsua", "pjsua")) as (alice, bob, _):
        bob.do("unregister")
        switch.wait_for("user.unregistered", user="bob")
        alice.do("dial", uri=switch.uri("bob"))
        assert alice.wait_for_next("ended")["status"] == 480


def test_a_call_outlives_the_registration_of_both(serve, tmp_path):
    switch = serve()
    with phones(switch, tmp_path, ("pjsua", "pjsua")) as (alice, bob, _):
        alice.dial(switch.uri("bob"))
        for count, phone in enumerate((alice, bob), start=1):
            phone.do("unregister")
            switch.wait_for("user.unregistered", count=count)
        talk(tmp_path, (alice, "alice"), (bob, "bob"))
        bob.hang_up()
        alice.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")


@pytest.mark.parametrize("pair", [("linphone", "pjsua"), ("pjsua", "linphone")], ids="-transfers-".join)
def test_a_phone_sends_the_other_to_a_third(serve, tmp_path, pair, spoken_as):
    switch = serve(settings=THREE_USERS)
    with phones(switch, tmp_path, (*pair, "pjsua"), password=PASSWORD) as (alice, bob, carol, told):
        alice.dial(switch.uri("bob"))
        alice.transfer(switch.uri("carol"))
        alice.wait_for_end()
        talk(tmp_path, (bob, "bob"), (carol, "carol"))
        bob.hang_up()
        carol.wait_for_end()

    assert_heard(bob, "carol")
    assert_heard(carol, "bob")
    if pair[0] == "pjsua":  # linphone hangs up by itself, and its BYE may cross that of the switch
        spoken_as(told.ladder())


def test_a_phone_joins_the_two_that_it_speaks_to(serve, tmp_path, spoken_as):
    switch = serve(settings=THREE_USERS)
    with phones(switch, tmp_path, ("pjsua", "linphone", "pjsua"), password=PASSWORD) as (
        alice,
        bob,
        carol,
        told,
    ):
        alice.dial(switch.uri("bob"))
        alice.hold()
        alice.dial(switch.uri("carol"))
        alice.attend()
        alice.wait_for_end()
        alice.wait_for_end()
        talk(tmp_path, (bob, "bob"), (carol, "carol"))
        bob.hang_up()
        carol.wait_for_end()

    assert_heard(bob, "carol")
    assert_heard(carol, "bob")
    spoken_as(told.ladder())


def test_a_session_is_refreshed_and_goes_on(serve, tmp_path, spoken_as):
    switch = serve()
    with phones(switch, tmp_path, ("pjsua", "pjsua"), session_expires_s=90) as (alice, bob, told):
        alice.dial(switch.uri("bob"))
        time.sleep(REFRESH_S)
        talk(tmp_path, (alice, "alice"), (bob, "bob"))
        bob.hang_up()
        alice.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")
    spoken_as(told.ladder())
