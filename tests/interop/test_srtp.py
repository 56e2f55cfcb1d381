"""Phones that encrypt their media, each with a phone that does not on the other side of the switch.

Their stacks are libsrtp (pjsua2, linphonec) and libre's own (baresip): two that nobody here wrote.
"""

import contextlib
import time

import numpy as np
import pytest
import trustme

from gateway.testing.audio import align, correlation, read_wav, window_correlations, write_wav
from gateway.testing.baresip import Baresip
from gateway.testing.linphone import Linphone
from gateway.testing.pjsua import Pjsua
from gateway.testing.processes import free_block
from gateway.testing.wire_audio import distinct_speech

pytestmark = pytest.mark.interop

TALK_S = 3
SAID = {name: distinct_speech(TALK_S, seed=seed) for seed, name in enumerate(("alice", "bob"), start=11)}
APPLICATION = "00000000-0000-4000-8000-000000000001"
ENCRYPTED = {
    "linphone": (Linphone, {"srtp": True}),
    "pjsua-optional": (Pjsua, {"srtp": "optional"}),
    "pjsua-mandatory": (Pjsua, {"srtp": "mandatory"}),
}
SIDES = pytest.mark.parametrize("program", ENCRYPTED)


def users(**srtp):
    """Return a configuration in which users want this of encryption."""
    text = f'[[applications]]\nkey = "{APPLICATION}"\nsecret = "c2VjcmV0"\n'
    for name in SAID:
        wish = f'srtp = "{srtp[name]}"\n' if name in srtp else ""
        text += f'[[users]]\napplication = "{APPLICATION}"\nname = "{name}"\npassword = "secret"\n{wish}'
    return text


@contextlib.contextmanager
def phone(kind, switch, directory, user, **settings):
    """Give a registered phone of a kind."""
    about = {"password": "secret", "server": switch.address, "ports": free_block()}
    with kind(directory / user, user=user, **(about | settings)) as found:
        yield found


def secured(directory):
    """Have a certificate made for a switch; return a port for it, and the file of who vouches for it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(directory / "chain.pem")
    certificate.private_key_pem.write_to_path(directory / "key.pem")
    authority.cert_pem.write_to_path(directory / "authority.pem")
    return free_block()[0], directory / "authority.pem"


def by_tls(port, directory):
    """Return the environment of a switch that speaks TLS there, with that certificate."""
    return {
        "TANDEM_SIP__LISTEN": f"tls:127.0.0.1:{port}",
        "TANDEM_SIP__CERTIFICATE": str(directory / "chain.pem"),
        "TANDEM_SIP__KEY": str(directory / "key.pem"),
    }


def talk(directory, **speakers):
    """Let both speak for `TALK_S`."""
    for user, each in speakers.items():
        wav = directory / f"{user}.wav"
        write_wav(wav, np.pad(SAID[user], (0, 8000)))
        each.say(wav)
    time.sleep(TALK_S + 1)


def assert_heard(each, user):
    assert np.median(window_correlations(read_wav(each.heard), SAID[user])) > 0.95


def suites(switch):
    """Return what the two legs of the call were encrypted with, by side."""
    switch.wait_for("call.ended")
    return {event["side"]: event["srtp"] for event in switch.events("leg.ended")}


@SIDES
def test_an_encrypted_phone_calls_a_plain_one(serve, tmp_path, program):
    kind, settings = ENCRYPTED[program]
    plain = Linphone if kind is Pjsua else Pjsua
    switch = serve(settings=users())
    with (
        phone(kind, switch, tmp_path, "alice", **settings) as alice,
        phone(plain, switch, tmp_path, "bob") as bob,
    ):
        alice.dial(switch.uri("bob"))
        talk(tmp_path, alice=alice, bob=bob)
        alice.hang_up()
        bob.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")
    found = suites(switch)
    assert found["callee"] is None
    assert found["caller"] is not None


@SIDES
def test_a_plain_phone_calls_one_of_whom_encryption_is_demanded(serve, tmp_path, program):
    kind, settings = ENCRYPTED[program]
    plain = Linphone if kind is Pjsua else Pjsua
    switch = serve(settings=users(bob="demanded"))
    with (
        phone(plain, switch, tmp_path, "alice") as alice,
        phone(kind, switch, tmp_path, "bob", **settings) as bob,
    ):
        alice.dial(switch.uri("bob"))
        bob.wait_for_talk()
        talk(tmp_path, alice=alice, bob=bob)
        alice.hang_up()
        bob.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")
    found = suites(switch)
    assert found["caller"] is None
    assert found["callee"] is not None


def test_two_encrypted_phones_of_different_makes_hold_and_resume(serve, tmp_path):
    switch = serve(settings=users(bob="demanded"))
    with (
        phone(Pjsua, switch, tmp_path, "alice", srtp="mandatory") as alice,
        phone(Linphone, switch, tmp_path, "bob", srtp=True) as bob,
    ):
        alice.dial(switch.uri("bob"))
        alice.hold()
        switch.wait_for("leg.held")
        alice.resume()
        switch.wait_for("leg.resumed")
        talk(tmp_path, alice=alice, bob=bob)
        alice.hang_up()
        bob.wait_for_end()

    assert_heard(alice, "bob")
    assert_heard(bob, "alice")
    assert None not in suites(switch).values()


def test_a_phone_on_tls_keeps_its_keys_to_itself(serve, tmp_path):
    port, _ = secured(tmp_path)
    switch = serve(settings=users(alice="demanded"), environment=by_tls(port, tmp_path))
    about = {"server": f"127.0.0.1:{port}", "srtp": True, "transport": "tls"}
    with phone(Linphone, switch, tmp_path, "alice", **about) as alice:
        alice.dial(f"sip:echo@127.0.0.1:{port};transport=tls")
        talk(tmp_path, alice=alice)
        alice.hang_up()

    assert_heard(alice, "alice")
    assert suites(switch)["caller"] is not None
    assert not switch.events("leg.keys_shown")


def test_baresip_on_tls_hears_its_own_echo_by_srtp_of_best_effort(serve, tmp_path):
    port, authority = secured(tmp_path)
    switch, said = serve(settings=users(), environment=by_tls(port, tmp_path)), distinct_speech(20, seed=31)
    wav = tmp_path / "said.wav"
    write_wav(wav, said)
    about = {"codec": "PCMU", "says": wav, "srtp": True, "authority": authority}
    with phone(Baresip, switch, tmp_path, "alice", server=f"127.0.0.1:{port}", **about) as alice:
        alice.dial(f"sip:echo@127.0.0.1:{port};transport=tls")
        time.sleep(TALK_S)
        alice.hang_up()
        heard = read_wav(alice.heard())

    heard = heard[np.flatnonzero(np.abs(heard) > 100)[0] :][: 2 * 8000]
    assert correlation(heard, said, align(heard, said, max_delay=8000)) > 0.95
    assert suites(switch)["caller"] == "AES_CM_128_HMAC_SHA1_80"


def test_a_phone_that_does_not_encrypt_is_refused_where_that_is_demanded(serve, tmp_path):
    switch = serve(settings=users(alice="demanded"))
    with phone(Pjsua, switch, tmp_path, "alice") as alice:
        alice.do("dial", uri=switch.uri("echo"))
        assert alice.wait_for_next("ended")["status"] == 488
    assert "encryption is demanded" in switch.wait_for("call.ended")["cause"]
