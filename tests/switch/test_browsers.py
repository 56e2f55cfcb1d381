"""Browsers are called: which phones are, with what, and what becomes of those that want other media."""

from __future__ import annotations

import pytest

from gateway.media.commands import WebRtcPath
from gateway.sdp.crypto import Srtp
from gateway.sip.events import OfferAnswered, SessionAnswered, SessionProgressed
from gateway.sip.flow import Flow
from gateway.switch.browsers import Browsers, MediaWish
from gateway.switch.encryption import Encryption
from gateway.switch.world import Settings
from gateway.testing.phone import Phone, PhoneCall, port_in
from gateway.testing.srtp_bench import policy
from gateway.testing.switchboard import Board, switchboard
from gateway.testing.virtual_time import run_virtual

OURS, THEIRS = "sha-256 AA:BB", "sha-256 4A:AD:B9:B1"
UFRAG = "8hhY"
FLOW = Flow("ws", ("192.0.2.1", 5066), ("192.0.2.9", 40_000), 1)


def settings(wish: str = "auto", srtp: str = "accepted") -> Settings:
    """Return settings with a certificate, and how bob's phones are called."""
    calls, users = {"bob": MediaWish(wish)}, {"bob": Srtp(srtp)}
    return Settings(encryption=Encryption(fingerprint=OURS, calls=calls, users=users))


def browser(phone: Phone, *, setup: str = "active", direction: str = "sendrecv", version: int = 1) -> bytes:
    """Return what a browser says of its media."""
    security = [
        f"a=ice-ufrag:{UFRAG}",
        "a=ice-pwd:asd88fgpdd777uzjYhagZgcd",
        f"a=fingerprint:{THEIRS}",
        f"a=setup:{setup}",
        "a=mid:0",
        "a=rtcp-mux",
    ]
    plain = phone.sdp(direction=direction, version=version).replace(b"RTP/AVP", b"UDP/TLS/RTP/SAVPF")
    return plain + "".join(f"{line}\r\n" for line in security).encode()


def is_webrtc(sdp: bytes | None) -> bool:
    """Tell what an offer is; one to a browser has no keys in it, and one to others none of ICE."""
    assert sdp is not None
    assert (b"UDP/TLS/RTP/SAVPF" in sdp) == (b"a=ice-lite" in sdp) == (b"a=fingerprint" in sdp)
    return b"UDP/TLS/RTP/SAVPF" in sdp


async def ring(board: Board, caller: Phone, callee: Phone) -> tuple[PhoneCall, PhoneCall]:
    """Call somebody until it rings there."""
    return await caller.call("bob"), await callee.rung()


def test_a_phone_on_a_websocket_is_offered_what_a_browser_takes_and_its_row_waits_for_it():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            await ringing.answer(sdp=browser(bob))
            await calling.expect(SessionAnswered)
            await board.settle()

            assert is_webrtc(ringing.offer)
            row = board.media.row_at(port_in(ringing.offer))
            assert row.webrtc.fingerprints == (THEIRS,)
            assert f"a=ice-pwd:{row.webrtc.password}\r\n".encode() in ringing.offer
            assert (row.remote, row.edge) == (None, True)
            assert len(board.media.rooms[row.room]) == 2
            calling.hang_up()

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("wish", "transport", "offered"),
    [
        ("auto", "ws", True),
        ("auto", "udp", False),
        ("webrtc", "udp", True),
        ("webrtc", "ws", True),
        ("rtp", "ws", False),
    ],
)
def test_what_is_offered_hangs_on_the_transport_and_the_users_wish(wish, transport, offered):
    async def scenario():
        async with switchboard(settings=settings(wish)) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport=transport)
            calling, ringing = await ring(board, alice, bob)
            assert is_webrtc(ringing.offer) is offered
            calling.hang_up()

    run_virtual(scenario())


@pytest.mark.parametrize("how", [settings(srtp="off"), Settings()], ids=["not wanted", "no certificate"])
def test_where_nothing_is_encrypted_nobody_is_called_as_a_browser(how):
    async def scenario():
        async with switchboard(settings=how) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            assert not is_webrtc(ringing.offer)
            ringing.reject(488)
            assert (await calling.ended()).status == 488
            assert not list(bob.unanswered())

    run_virtual(scenario())


def test_who_refuses_it_is_asked_once_more_and_called_so_from_then_on():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            ringing.reject(488)
            again = await bob.rung()
            assert not is_webrtc(again.offer)
            await again.answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()
            await again.ended()

            calling, ringing = await ring(board, alice, bob)
            assert not is_webrtc(ringing.offer)
            calling.hang_up()
            assert [line["webrtc"] for line in board.log.all("leg.asked_otherwise")] == [False]

    run_virtual(scenario())


def test_who_refuses_both_is_not_asked_a_third_time_and_the_caller_is_told():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            ringing.reject(488)
            (await bob.rung()).reject(488)
            assert (await calling.ended()).status == 488
            assert not list(bob.unanswered())

    run_virtual(scenario())


def test_what_the_second_question_brings_is_what_counts():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            ringing.reject(488)
            (await bob.rung()).reject(503)
            assert (await calling.ended()).status == 500

    run_virtual(scenario())


@pytest.mark.parametrize("wish", ["webrtc", "rtp"])
def test_who_was_said_to_be_one_or_the_other_is_asked_once(wish):
    async def scenario():
        async with switchboard(settings=settings(wish)) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            ringing.reject(488)
            assert (await calling.ended()).status == 488
            assert not list(bob.unanswered())

    run_virtual(scenario())


def test_who_has_called_with_plain_media_over_its_connection_is_called_with_it():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling = await bob.call("echo")
            await calling.expect(SessionAnswered)
            calling.hang_up()
            calling, ringing = await ring(board, alice, bob)
            assert not is_webrtc(ringing.offer)
            calling.hang_up()

    run_virtual(scenario())


def test_a_browser_and_a_desk_phone_ring_together_each_with_what_it_takes():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, desk = await board.phone("alice"), await board.phone("bob")
            page = await board.phone("bob", transport="ws")
            calling, on_desk = await ring(board, alice, desk)
            on_page = await page.rung()
            assert (is_webrtc(on_desk.offer), is_webrtc(on_page.offer)) == (False, True)
            on_page.reject(488)
            await (again := await page.rung()).answer()
            await calling.expect(SessionAnswered)
            await on_desk.ended()
            await board.settle()
            assert board.media.row_at(port_in(again.offer)).webrtc is None
            calling.hang_up()

    run_virtual(scenario())


def test_a_browser_can_be_heard_before_it_answers():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            ringing.ring(status=183, sdp=browser(bob))
            assert (await calling.expect(SessionProgressed)).sdp is not None
            row = board.media.row_at(port_in(ringing.offer))
            assert row.webrtc is not None
            await ringing.answer(sdp=browser(bob))
            await calling.expect(SessionAnswered)
            assert board.media.row_at(port_in(ringing.offer)).webrtc == row.webrtc
            calling.hang_up()

    run_virtual(scenario())


def test_a_browser_that_was_called_holds_and_resumes_on_the_same_path():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            await ringing.answer(sdp=browser(bob))
            await calling.expect(SessionAnswered)
            before = board.media.row_at(port_in(ringing.offer))
            for direction, version in (("sendonly", 2), ("sendrecv", 3)):
                ringing.reoffer(browser(bob, setup="actpass", direction=direction, version=version))
                said = (await ringing.expect(OfferAnswered)).sdp
                assert f"a=ice-ufrag:{before.webrtc.ufrag}\r\n".encode() in said
                assert b"a=setup:passive\r\n" in said
                row = board.media.row_at(port_in(ringing.offer))
                assert (row.webrtc, row.sending) == (before.webrtc, direction == "sendrecv")
            calling.hang_up()

    run_virtual(scenario())


def test_a_party_is_transferred_to_a_browser():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, carol = await board.phone("alice"), await board.phone("carol")
            bob = await board.phone("bob", transport="ws")
            calling = await alice.call("carol")
            at_carol = await carol.rung()
            await at_carol.answer()
            await calling.expect(SessionAnswered)
            calling.refer("bob")
            at_bob = await bob.rung()
            assert is_webrtc(at_bob.offer)
            await at_bob.answer(sdp=browser(bob))
            await calling.ended()
            row = board.media.row_at(port_in(at_bob.offer))
            assert len(board.media.rooms[row.room]) == 2
            at_carol.hang_up()
            await at_bob.ended()

    run_virtual(scenario())


@pytest.mark.parametrize("transport", ["ws", "udp"])
def test_a_browser_that_calls_without_an_offer_gets_one_that_it_can_take(transport):
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice = await board.phone("alice", transport=transport)
            calling = await alice.call("echo", late=True)
            offer = (await calling.expect(SessionAnswered)).sdp
            assert is_webrtc(offer) is (transport == "ws")
            calling.acknowledge(browser(alice) if transport == "ws" else alice.sdp())
            await board.settle()
            assert (board.media.row_at(port_in(offer)).webrtc is not None) is (transport == "ws")
            calling.hang_up()

    run_virtual(scenario())


def test_browsers_call_each_other():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice", transport="ws"), await board.phone("bob", transport="ws")
            calling = await alice.call("bob", sdp=browser(alice, setup="actpass"))
            ringing = await bob.rung()
            await ringing.answer(sdp=browser(bob))
            answered = await calling.expect(SessionAnswered)
            assert is_webrtc(answered.sdp)
            assert is_webrtc(ringing.offer)
            assert all(row.webrtc is not None for row in board.media.rows.values())
            calling.hang_up()
            await ringing.ended()

    run_virtual(scenario())


def test_a_switch_that_is_killed_leaves_its_browsers_where_they_are():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            await ringing.answer(sdp=browser(bob))
            await calling.expect(SessionAnswered)
            row = board.media.row_at(port_in(ringing.offer))
            path = WebRtcPath(("198.51.100.7", 6000), policy())
            board.media.shaken(row.leg, path)
            await board.settle()
            await board.crash()
            await board.settle()

            assert board.media.paths == {row.leg: path}
            assert board.media.row_at(port_in(ringing.offer)).webrtc == row.webrtc
            assert board.log.all("calls.inherited") == [{"calls": 1, "ended": 0}]
            calling.hang_up()

    run_virtual(scenario())


def test_a_switch_that_is_killed_before_its_browser_has_keys_ends_the_call():
    async def scenario():
        async with switchboard(settings=settings()) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", transport="ws")
            calling, ringing = await ring(board, alice, bob)
            await ringing.answer(sdp=browser(bob))
            await calling.expect(SessionAnswered)
            await board.settle()
            await board.crash()

            await calling.ended()
            await ringing.ended()

    run_virtual(scenario())


def test_what_a_connection_shows_last_counts_and_others_need_show_nothing():
    browsers = Browsers()
    plain, page = b"m=audio 4000 RTP/AVP 0", b"m=audio 9 UDP/TLS/RTP/SAVPF 0"
    for sdp, called in ((plain, False), (page, True), (plain, False), (None, False)):
        browsers.offered(FLOW, sdp)
        assert browsers.called(FLOW, MediaWish.AUTO) is called
    reconnected = Flow("ws", FLOW.local, FLOW.remote, 2)
    assert browsers.called(reconnected, MediaWish.AUTO)


def test_of_more_connections_than_anybody_has_the_oldest_are_forgotten():
    browsers = Browsers()
    flows = [Flow("ws", FLOW.local, FLOW.remote, n) for n in range(10_001)]
    for flow in flows:
        browsers.are(flow, webrtc=False)
    assert browsers.called(flows[0], MediaWish.AUTO)
    assert not browsers.called(flows[1], MediaWish.AUTO)
