"""What users and trunks want of SRTP, and what the rows of their calls are told."""

import base64

import pytest

from gateway.sdp.crypto import Srtp
from gateway.sip.events import OfferAnswered, SessionAnswered
from gateway.switch.encryption import Encryption
from gateway.switch.world import Settings
from gateway.testing.phone import port_in
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual

SUITE = "AES_CM_128_HMAC_SHA1_80"
KEY, OTHER_KEY = bytes(range(30)), bytes(range(30, 60))


def encrypted(sdp: bytes, key: bytes = KEY, *, tag: int = 1, protocol: str = "RTP/SAVP") -> bytes:
    """Return a phone's description with a key in it."""
    line = f"a=crypto:{tag} {SUITE} inline:{base64.b64encode(key).decode()}\r\n"
    return sdp.replace(b"RTP/AVP", protocol.encode()) + line.encode()


def wants(**users: str) -> Settings:
    return Settings(encryption=Encryption(users={name: Srtp(wish) for name, wish in users.items()}))


def keys(board):
    """Return what the rows of the one call were told last, the caller's first."""
    return [row.crypto for row in board.media.rows.values()]


def test_an_encrypted_offer_is_answered_and_the_row_gets_both_keys():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo", sdp=encrypted(alice.sdp()))
            answered = await calling.expect(SessionAnswered)

            crypto = board.media.row_at(port_in(answered.sdp)).crypto
            assert (crypto.suite, crypto.theirs) == (SUITE, KEY)
            assert base64.b64encode(crypto.ours) in answered.sdp
            assert b" RTP/SAVP " in answered.sdp
            assert [line["transport"] for line in board.log.all("leg.keys_shown")] == ["udp"]
            calling.hang_up()
            await board.settle()
            assert board.log.all("leg.ended")[0]["srtp"] == SUITE

    run_virtual(scenario())


def test_why_an_offered_key_was_not_used_is_in_the_line_of_the_leg():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            named = encrypted(alice.sdp(), protocol="RTP/AVP").removesuffix(b"\r\n") + b"|2^31|1:4\r\n"
            calling = await alice.call("echo", sdp=named)
            await calling.expect(SessionAnswered)
            calling.hang_up()
            await board.settle()
            (line,) = board.log.all("leg.ended")
            assert line["srtp"] is None
            assert "MKI" in line["srtp_reason"]

    run_virtual(scenario())


def test_a_plain_call_has_no_keys():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")
            answered = await calling.expect(SessionAnswered)

            assert keys(board) == [None]
            assert b"crypto" not in answered.sdp
            assert not board.log.all("leg.keys_shown")
            calling.hang_up()

    run_virtual(scenario())


def test_a_re_invite_with_the_same_key_changes_none_and_with_another_only_theirs():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo", sdp=encrypted(alice.sdp()))
            await calling.expect(SessionAnswered)
            (first,) = keys(board)
            calling.reoffer(encrypted(alice.sdp(version=2)))
            await calling.expect(OfferAnswered)
            (second,) = keys(board)
            calling.reoffer(encrypted(alice.sdp(version=3), OTHER_KEY))
            await calling.expect(OfferAnswered)
            (third,) = keys(board)

            assert first == second
            assert (third.ours, third.theirs) == (first.ours, OTHER_KEY)
            calling.hang_up()

    run_virtual(scenario())


def test_who_demands_encryption_and_does_not_offer_it_is_refused_in_words():
    async def scenario():
        async with switchboard(settings=wants(alice="demanded")) as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")

            assert (await calling.ended()).status == 488
            await board.settle()
            assert "encryption is demanded" in board.log.all("call.ended")[0]["cause"]

    run_virtual(scenario())


@pytest.mark.parametrize(("wish", "protocol"), [("offered", b"RTP/AVP"), ("demanded", b"RTP/SAVP")])
def test_a_called_phone_is_offered_keys_and_its_answer_taken(wish, protocol):
    async def scenario():
        async with switchboard(settings=wants(bob=wish)) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            await ringing.answer(sdp=encrypted(bob.sdp(), protocol=protocol.decode()))
            await calling.expect(SessionAnswered)
            await board.settle()

            assert b" " + protocol + b" " in ringing.offer
            crypto = board.media.row_at(port_in(ringing.offer)).crypto
            assert (crypto.suite, crypto.theirs) == (SUITE, KEY)
            assert keys(board).count(None) == 1
            calling.hang_up()

    run_virtual(scenario())


def test_a_called_phone_that_passes_over_the_keys_is_plain_if_they_were_only_offered():
    async def scenario():
        async with switchboard(settings=wants(bob="offered")) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            await (await bob.rung()).answer()
            await calling.expect(SessionAnswered)
            await board.settle()

            assert keys(board) == [None, None]
            calling.hang_up()

    run_virtual(scenario())


def test_a_called_phone_that_answers_without_keys_that_are_demanded_is_hung_up():
    async def scenario():
        async with switchboard(settings=wants(bob="demanded")) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            await ringing.answer()

            assert (await calling.ended()).status == 488
            await ringing.ended()

    run_virtual(scenario())


def test_two_legs_never_have_the_same_key():
    async def scenario():
        async with switchboard() as board:
            found = []
            alice = await board.phone("alice")
            for _ in range(3):
                calling = await alice.call("echo", sdp=encrypted(alice.sdp()))
                await calling.expect(SessionAnswered)
                found += keys(board)
                calling.hang_up()
                await board.settle()

            assert len({crypto.ours for crypto in found}) == 3

    run_virtual(scenario())


def test_no_key_is_in_any_line_of_the_log():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo", sdp=encrypted(alice.sdp()))
            await calling.expect(SessionAnswered)
            (crypto,) = keys(board)
            calling.hang_up()
            await board.settle()

            for key in (crypto.ours, crypto.theirs):
                for shown in (base64.b64encode(key).decode(), key.hex(), repr(key)):
                    assert shown not in str(board.log.lines)

    run_virtual(scenario())


def test_a_trunk_and_a_user_of_one_name_have_policies_of_their_own():
    policies = Encryption(users={"x": Srtp.OFF}, trunks={"x": Srtp.DEMANDED})

    assert policies.of("x", trunk=False) is Srtp.OFF
    assert policies.of("x", trunk=True) is Srtp.DEMANDED
    assert policies.of("y", trunk=True) is Srtp.ACCEPTED
