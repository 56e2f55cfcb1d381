"""Bugs that others shipped: a test for each, or a sentence why it cannot occur here.

`BUGS` names what users saw and where, and then the test that shows that we do not do it, or the sentence.  Tests
that are written for one of them alone stand below; that every named test exists is itself tested.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import OfferAnswered, OfferReceived
from gateway.sip.flow import Flow
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair
from gateway.testing.sip_script import Stranger, parse_request, parse_response, sip_request

CONFIG: Final = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))
TESTS: Final = Path(__file__).parents[1]
RELIABLY: Final = {"Require": "100rel", "RSeq": "1", "Allow": "INVITE, UPDATE, PRACK"}


class Bug(NamedTuple):
    """What users saw, who shipped it, and what shows that we do not."""

    symptom: str
    where: str
    shown: str
    """`folder/file::test`, or a sentence."""


BUGS: Final = {
    1: Bug(
        "491 on both sides, hold lost for ever",
        "pjsip/pjproject#3886, #1169",
        "sip/test_session_offers::test_offers_that_cross_are_refused_on_both_sides_and_tried_again_in_two_bands",
    ),
    2: Bug(
        "200 to a re-INVITE although an UPDATE is pending",
        "pjsip/pjproject#1166, baresip/re#1071",
        "sip/test_known_bugs::test_bug_2_an_offer_meets_our_pending_update",
    ),
    3: Bug(
        "re-INVITE on a call with one leg got 491, or 100 and nothing",
        "siphon-project/siphon-sip#345",
        "switch/test_known_bugs::test_bug_3_a_call_with_one_leg_answers_a_re_invite",
    ),
    4: Bug(
        "a re-INVITE retried after 491 never got through",
        "drachtio/drachtio-server#318",
        "sip/test_known_bugs::test_bug_4_what_was_refused_with_491_gets_through_later",
    ),
    5: Bug(
        "a repeated 200 was never acknowledged again",
        "drachtio/drachtio-srf#87",
        "sip/test_session::test_a_200_is_repeated_until_its_ack_and_the_ack_until_it_is_heard",
    ),
    6: Bug(
        "the ACK went elsewhere: not to the Contact, or by the route in the wrong order",
        "tayler6000/pyVoIP#297, sipwise/sipsak#7",
        "sip/test_endpoint::test_a_caller_reverses_the_route_and_obeys_a_strict_router",
    ),
    7: Bug(
        "a second To-tag was ignored, a forked 200 ended without ACK",
        "pjsip/pjproject#111, #657, #1644, #3234",
        "sip/test_forks::test_each_200_of_a_fork_is_acknowledged_and_all_but_the_first_are_ended",
    ),
    8: Bug(
        "a browser plays no early media",
        "onsip/SIP.js#193, #502",
        "sip/test_reliable_provisionals::test_browsers_are_told_the_answer_reliably_and_again_in_the_200",
    ),
    9: Bug(
        "180 with SDP was plain ringing; 180 after 183 ended early media",
        "meetecho/janus-gateway#2849, sipsorcery-org/sipsorcery#1548, baresip/baresip#3402",
        "switch/test_known_bugs::test_bug_9_ringing_after_early_media_ends_none",
    ),
    10: Bug(
        "183 repeated although acknowledged, two PRACKs for one",
        "asterisk/asterisk#794, onsip/SIP.js#144, siphon-project/siphon-sip#386",
        "sip/test_reliable_provisionals::test_section_4_each_reliable_response_is_acknowledged_once_and_in_order",
    ),
    11: Bug(
        "the answer came reliably, the 200 without SDP was 'no media'",
        "pjsip/pjproject#1397",
        "sip/test_reliable_provisionals::test_section_3_early_media_goes_reliably_and_the_200_says_it_no_more",
    ),
    12: Bug(
        "an INVITE without SDP was refused",
        "versatica/JsSIP#91, #624, pjsip/pjproject#3709",
        "switch/test_call_answered::test_a_late_offer_is_answered_in_the_ack",
    ),
    13: Bug(
        "CANCEL before any response: the later ringing had no owner",
        "pjsip/pjproject#302, #506",
        "sip/test_session::test_a_caller_who_hangs_up_before_anything_was_heard_cancels_on_the_first_word",
    ),
    14: Bug(
        "a 200 that crossed the CANCEL was neither acknowledged nor ended",
        "livekit/sip#756, versatica/JsSIP#597",
        "sip/test_session::test_a_200_that_crosses_the_cancel_is_acknowledged_and_ended",
    ),
    15: Bug(
        "422 to a browser's session interval, and no second try",
        "versatica/JsSIP#297, #397, pjsip/pjproject#2120",
        "sip/test_session_timers::test_the_ninety_seconds_of_a_browser_are_granted",
    ),
    16: Bug(
        "no refresh after early media; a dead refresh never ended the call",
        "LubosD/twinkle#277, pjsip/pjproject#1722",
        "sip/test_session_timers::test_a_call_with_early_media_is_refreshed_like_any_other",
    ),
    17: Bug(
        "a keepalive was logged as a broken message",
        "OpenSIPS/opensips#2817, pjsip/pjproject#482, versatica/JsSIP#744",
        "sip/test_message_parsing::test_keepalives_are_told_from_messages",
    ),
    18: Bug(
        "a line end that came alone was eaten as a keepalive",
        "emiago/sipgo#357",
        "sip/test_message_framing::test_a_line_end_inside_a_head_that_arrives_alone_is_not_eaten",
    ),
    19: Bug(
        "after a framing error one peer's method met another's Call-ID",
        "emiago/sipgo#344",
        "sip/test_message_framing::test_a_stream_without_framing_ends",
    ),
    20: Bug(
        "the second message of a segment was lost",
        "irontec/sngrep#466, RestComm/jain-sip#195",
        "sip/test_message_framing::test_a_read_may_hold_many_messages_or_half_of_one",
    ),
    21: Bug(
        "a WebSocket message without Content-Length was refused",
        "DoubangoTelecom/webrtc2sip#5",
        "sip/test_message_parsing::test_without_content_length_the_body_is_the_rest",
    ),
    22: Bug(
        "`received` had our own address, the response went to the Via's port",
        "GlomarGadaffi/pocket-dial#146, pjsip/pjproject#4581, signalwire/freeswitch#1457",
        "sip/test_endpoint::test_the_response_goes_where_the_request_came_from_and_says_so",
    ),
    23: Bug(
        "wss was taken for ws, BYE asked DNS for abc.invalid",
        "kamailio/kamailio#3340, #85, restsend/rsipstack#129",
        "sip/test_endpoint::test_requests_in_a_dialog_take_its_flow_whatever_the_contact_says",
    ),
    24: Bug(
        "sips without transport=tls led to a wrong transport",
        "kamailio/kamailio#4092",
        "sip/test_known_bugs::test_bug_24_the_contact_names_the_transport_of_the_flow",
    ),
    25: Bug(
        "a big INVITE went by TCP toward a trunk that has UDP only",
        "cloudwebrtc/go-sip-ua#56, davehorton/simple-sip-proxy#5",
        "Nothing in the engine chooses a transport: a message leaves on the flow that it was given.",
    ),
    26: Bug(
        "a REFER without a handler was relayed round until 483",
        "siphon-project/siphon-sip#110",
        "sip/test_reception::test_an_unknown_method_within_a_dialog_is_405",
    ),
    27: Bug(
        "the 487 after CANCEL matched nothing and was never acknowledged",
        "siphon-project/siphon-sip#214",
        "sip/test_session::test_a_caller_who_hangs_up_while_it_rings_cancels",
    ),
    28: Bug(
        "the transferor's BYE behind the 202 killed the transfer",
        "siphon-project/siphon-sip#220, #295, versatica/JsSIP#556, onsip/SIP.js#254",
        "switch/test_transfer::test_a_transferor_who_hangs_up_at_once_has_transferred_nevertheless",
    ),
    29: Bug(
        "attended transfers became blind ones: Supported: replaces was missing",
        "siphon-project/siphon-sip#281",
        "sip/test_known_bugs::test_bug_29_replaces_is_advertised",
    ),
    30: Bug(
        "hold by 0.0.0.0 was not seen, resume with the same address left it",
        "kamailio/kamailio#1292, signalwire/freeswitch#3098, livekit/sip#850",
        "sdp/test_terms::test_resuming_restores_the_address",
    ),
    31: Bug(
        "a refused line without rtpmap was an assertion",
        "pjsip/pjproject#964, #1088, #1411",
        "sdp/test_description::test_a_refused_line_may_come_without_a_format",
    ),
    32: Bug(
        "the answer had numbers of its own for dynamic payload types",
        "espressif/esp-adf#1474, signalwire/freeswitch#195",
        "sdp/test_offer_answer::test_it_mirrors_the_numbers_of_the_offer",
    ),
    33: Bug(
        "telephone-event of the wrong clock, or none and no call",
        "pjsip/pjproject#179, #2679, sipwise/rtpengine#1136, #1530",
        "sdp/test_terms::test_the_clock_of_the_chosen_codec_decides",
    ),
    34: Bug(
        "G.729 offered twice or as G729a, annexb lost",
        "sipwise/rtpengine#1060, #936, #1951",
        "sdp/test_codecs::test_every_name_of_g729_is_g729",
    ),
    35: Bug(
        "iLBC of 20 ms at one end and 30 at the other",
        "pjsip/pjproject#160, #919, sipwise/rtpengine#854, baresip/baresip#3804",
        "sdp/test_codecs::test_ilbc_is_30_ms_if_either_side_says_so_or_nothing",
    ),
    36: Bug(
        "ptime 30 was sent as 20, 40, 20, 40",
        "signalwire/freeswitch#2170, #3150",
        "sdp/test_terms::test_their_wish_counts_in_whole_frames_up_to_the_limit",
    ),
    37: Bug(
        "maxptime was ignored",
        "FreePBX/issue-tracker#294, sipwise/rtpengine#944",
        "sdp/test_terms::test_their_wish_counts_in_whole_frames_up_to_the_limit",
    ),
    38: Bug(
        "after T.38 was refused the way back to audio was lost",
        "signalwire/freeswitch#66, #1297",
        "sip/test_session_offers::test_a_refused_offer_leaves_the_session_on",
    ),
    39: Bug(
        "a browser leg fell silent after a re-INVITE",
        "sipwise/rtpengine#1249, #226, #1019, #1095",
        "There are no browser legs with DTLS yet.",
    ),
    40: Bug(
        "a held call was ended for its silence",
        "thevoiceguy/siphon-ai#402, sipsorcery-org/sipsorcery#884",
        "The media plane reports no silence of a row that is held.",
    ),
    41: Bug(
        "a rebooted phone was refused for an hour; a foreign Contact came first",
        "OpenSIPS/opensips#641, BelledonneCommunications/flexisip#186, onsip/SIP.js#932",
        "sip/test_registrar::test_a_phone_that_rebooted_may_start_its_cseq_again_from_a_new_port",
    ),
    42: Bug(
        "the ACK of a refresh was lost at a NAT after 15 minutes",
        "signalwire/freeswitch#1994",
        "sip/test_session_timers::test_section_10_the_refresher_speaks_at_half_of_the_interval_by_update",
    ),
}


@pytest.mark.parametrize("number", sorted(BUGS))
def test_what_shows_it_exists_or_says_why(number: int) -> None:
    file, colons, name = BUGS[number].shown.partition("::")
    if not colons:
        assert file.endswith("."), "not a sentence"
        return
    tree = ast.parse((TESTS / f"{file}.py").read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_none_is_left_out() -> None:
    assert sorted(BUGS) == list(range(1, 43))


def test_bug_2_an_offer_meets_our_pending_update() -> None:
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    phone.reply(invite, 183, body="v=0", headers=RELIABLY)
    phone.endpoint.reoffer(phone.calls[-1], sdp=b"v=0 new", now=phone.now)
    (update,) = phone.listen()
    phone.reply(invite, 200)
    ours = parse_request(invite)
    theirs = sip_request(
        "INVITE",
        to=str(ours.from_),
        from_="<sip:bob@192.0.2.7>;tag=bob-1",
        call_id=ours.call_id,
        branch="z9hG4bK-theirs",
        body="v=0",
    )

    assert phone.ask(theirs).status == 491
    phone.reply(update, 200, body="v=0 newer")
    assert phone.events[-1] == OfferAnswered(phone.calls[-1], b"v=0 newer")


def test_bug_4_what_was_refused_with_491_gets_through_later() -> None:
    phone = Stranger(CONFIG).called(ANSWER)
    phone.endpoint.reoffer(phone.session, sdp=OFFER, now=phone.now)
    (ours,) = phone.listen()
    assert phone.ask(phone.in_dialog("INVITE", cseq=2, body="v=0")).status == 491
    phone.reply(ours, 491)
    phone.say(phone.in_dialog("INVITE", cseq=3, body="v=0"))

    assert phone.events[-1] == OfferReceived(phone.session, b"v=0")


@pytest.mark.parametrize(
    ("transport", "named"), [("udp", None), ("tcp", "tcp"), ("tls", "tls"), ("ws", "ws"), ("wss", "ws")]
)
def test_bug_24_the_contact_names_the_transport_of_the_flow(transport: str, named: str | None) -> None:
    flow = Flow(transport, ("198.51.100.1", 5061), ("192.0.2.7", 5061), None if transport == "udp" else 1)

    assert EndpointConfig().contact(flow).parameter("transport") == named


def test_bug_29_replaces_is_advertised() -> None:
    pair = SipPair()
    pair.talk()
    invite, answer = parse_request(pair.sent("INVITE")[0]), parse_response(pair.sent("200")[0])

    for message in (invite, answer):
        assert "replaces" in message.headers.all("Supported")
        assert "REFER" in message.headers.all("Allow")


def test_an_invite_of_ours_that_comes_back_is_a_loop() -> None:
    """Promise 44: two switches that route at each other, or a trunk that leads to ourselves."""
    phone = Stranger(CONFIG)
    invite = phone.be_called(OFFER)
    (trying, *_) = phone.say(invite.replace(b"z9hG4bK", b"z9hG4bK-again-", 1))

    assert parse_response(trying).status == 482
