"""Ladders: what a reader of a conversation sees, and what a slow machine must not change."""

from gateway.testing.capture import Datagram
from gateway.testing.conversation import ladder

PHONE, SWITCH = ("127.0.0.1", 5070), ("127.0.0.1", 5060)
NAMES = {PHONE[1]: "alice"}
OFFER = "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=sendonly\r\n"


def message(start, cseq, body="", *, inward=True, call="1"):
    source, destination = (PHONE, SWITCH) if inward else (SWITCH, PHONE)
    text = f"{start}\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\n\r\n{body}"
    return Datagram(0.0, source, destination, text.encode())


INVITE = message("INVITE sip:bob@h SIP/2.0", "1 INVITE", OFFER)


def test_a_line_tells_the_direction_the_method_and_what_is_offered():
    ringing = message("SIP/2.0 180 Ringing", "1 INVITE", inward=False)
    assert ladder([INVITE, ringing], SWITCH[1], NAMES) == (
        "alice > INVITE, PCMU sendonly\nalice < 180 to INVITE\n"
    )


def test_retransmissions_and_trying_are_left_out():
    trying = message("SIP/2.0 100 Trying", "1 INVITE", inward=False)
    assert ladder([INVITE, INVITE, trying], SWITCH[1], NAMES) == "alice > INVITE, PCMU sendonly\n"


def test_each_dialog_is_a_paragraph():
    other = message("BYE sip:bob@h SIP/2.0", "2 BYE", call="2")
    assert ladder([INVITE, other, INVITE], SWITCH[1], {}) == "phone > INVITE, PCMU sendonly\n\nphone > BYE\n"


def test_keep_alives_and_registrations_are_left_out():
    ping = Datagram(0.0, PHONE, SWITCH, b"\r\n\r\n")
    register = message("REGISTER sip:h SIP/2.0", "1 REGISTER")
    assert ladder([ping, register], SWITCH[1], NAMES) == "\n"
