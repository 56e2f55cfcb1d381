"""baresip calls baresip through the switch, one with PCMU alone, the other with PCMA alone."""

import contextlib
import time

import numpy as np
import pytest

from gateway.testing.audio import align, correlation, gaps, read_wav, write_wav
from gateway.testing.baresip import Baresip
from gateway.testing.capture import Capture, rtp_packets
from gateway.testing.processes import TANDEM, Command, free_block
from gateway.testing.wire_audio import distinct_speech, passage
from voicecodecs.reference import g711

pytestmark = [pytest.mark.interop, pytest.mark.alone]

TALK_S = 30
SAID = {"alice": distinct_speech(TALK_S + 20, seed=1), "bob": distinct_speech(TALK_S + 20, seed=2)}
APPLICATION = "00000000-0000-4000-8000-000000000001"
THREE_USERS = f'[[applications]]\nkey = "{APPLICATION}"\nsecret = "c2VjcmV0"\n' + "".join(
    f'[[users]]\napplication = "{APPLICATION}"\nname = "{name}"\npassword = "secret"\n'
    for name in ("alice", "bob", "carol")
)
CODECS = {"alice": "PCMU", "bob": "PCMA"}
TO_A_LAW = bytes(g711.alaw_encode(g711.ulaw_decode(code)) for code in range(256))
TO_U_LAW = bytes(g711.ulaw_encode(g711.alaw_decode(code)) for code in range(256))


@contextlib.contextmanager
def phones(switch, directory, *, password=None):
    """Give alice and bob, registered."""
    with contextlib.ExitStack() as stack:
        found = []
        for name, said in SAID.items():
            wav = directory / f"{name}.wav"
            write_wav(wav, said)
            phone = Baresip(
                directory / name,
                user=name,
                password=password or switch.password(name),
                server=switch.address,
                ports=free_block(),
                codec=CODECS[name],
                says=wav,
            )
            found.append(stack.enter_context(phone))
        yield found


def directions(capture, alice, bob):
    """Return the streams (came, left) of alice to bob and of bob to alice."""
    streams = {}
    for source, destination, each in rtp_packets(capture.datagrams()):
        streams.setdefault((source[1], destination[1]), []).append(each)

    def from_(phone):
        return next(stream for (source, _), stream in streams.items() if source in phone.rtp_ports)

    def to(phone):
        return next(stream for (_, target), stream in streams.items() if target in phone.rtp_ports)

    return (from_(alice), to(bob)), (from_(bob), to(alice))


def likeness(heard, said, delay):
    """Return the correlation of each second, aligned by itself: the delay of the tick may have changed meanwhile."""
    starts = range(8000, len(heard) - 8000, 8000)
    return [
        correlation(heard[start : start + 8000], said[start - delay - 400 : start - delay + 8400])
        for start in starts
    ]


def talk(switch, directory):
    """Let them talk for `TALK_S`; see that each ear heard it, and return how each direction passed the switch."""
    rtp = f"udp portrange {switch.media_ports[0]}-{switch.media_ports[-1]}"
    with phones(switch, directory) as (alice, bob), Capture(directory / "wire.pcap", rtp) as wire:
        alice.dial(switch.uri("bob"))
        time.sleep(TALK_S)
        alice.hang_up()
        bob.wait_for_call("CALL_CLOSED")

    assert wire.dropped == 0
    for phone, said in ((alice, SAID["bob"]), (bob, SAID["alice"])):
        heard = read_wav(phone.heard())
        delay = align(heard, said)
        assert np.median(likeness(heard, said, delay)) > 0.95
        assert gaps(heard, said[: len(heard) - delay], delay=delay, minimum_ms=25) == []
    return [
        passage(came, left, convert)
        for (came, left), convert in zip(directions(wire, alice, bob), (TO_A_LAW, TO_U_LAW), strict=True)
    ]


@pytest.mark.timeout(180)
def test_the_relay_passes_every_packet_of_thirty_seconds_unchanged_but_for_its_law_within_3_ms(
    serve, tmp_path
):
    for passed in talk(serve(), tmp_path):
        assert passed.n_matched >= (TALK_S - 0.5) * 50
        assert (passed.n_unmatched, passed.n_skipped, passed.n_before) == (0, 0, 0)
        assert passed.delay_ms(99) <= 3


@pytest.mark.timeout(180)
def test_the_tick_adds_at_most_40_ms(serve, tmp_path):
    for passed in talk(serve(media_settings="force_tick = true"), tmp_path):
        assert passed.n_matched >= 0.99 * TALK_S * 50
        assert passed.delay_ms(99) <= 40


def test_a_call_is_held_resumed_and_sent_to_a_third(serve, tmp_path):
    switch = serve(settings=THREE_USERS)
    carol = (
        "--user",
        "carol",
        "--password",
        "secret",
        "--registrar",
        f"sip:{switch.address}",
        "--calls",
        "1",
    )
    with (
        phones(switch, tmp_path, password="secret") as (alice, bob),
        Command((*TANDEM, "answer", *carol, "--json")) as third,
    ):
        third.wait_for_line("ready for calls")
        alice.dial(switch.uri("bob"))
        alice.hold()
        switch.wait_for("leg.held")
        alice.resume()
        switch.wait_for("leg.resumed")
        alice.transfer(switch.uri("carol"))
        alice.wait_for_call("CALL_CLOSED")
        bob.hang_up()
        third.wait()

    assert switch.wait_for("call.ended")["by"] == "callee"


def test_keys_pressed_on_one_are_heard_once_by_the_other_and_in_the_log(serve, tmp_path):
    keys = "0123456789*#"
    switch = serve()
    with phones(switch, tmp_path) as (alice, bob):
        alice.dial(switch.uri("bob"))
        for count, key in enumerate(keys, start=1):
            alice.press(key)
            switch.wait_for("dtmf.heard", count=count)
        bob.wait_for_line(f"received event: '{keys[-1]}' (end=1)")
        alice.hang_up()

    heard = [line for line in bob.printed().splitlines() if "(end=1)" in line]
    assert heard == [f"received event: '{key}' (end=1)" for key in keys]
    assert "".join(event["digit"] for event in switch.events("dtmf.heard")) == keys
