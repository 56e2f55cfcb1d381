"""Valid things to say: SIP messages, whole conversations, and session descriptions.

Messages are written by `sip_request` as a stranger's software would; responses and what belongs to a dialog have
blanks (`~to~`), which `engine` fills from what the engine said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.testing.fuzz.mutation import RECORD
from gateway.testing.sip_script import sip_request

__all__ = ["conversation_corpus", "message_corpus", "sdp_corpus"]

_SOON, _LATER, _MUCH_LATER = 1, 2, 3
_RING, _REFUSE, _NOTHING = 1 << 2, 2 << 2, 3 << 2
_STRANGER, _TCP, _BROWSER = 1 << 4, 2 << 4, 3 << 4
_CALL, _HANG_UP, _CHANGE = 1 << 6, 2 << 6, 3 << 6
_IN_DIALOG: Final = "<sip:100@switch.example>;tag=~tag~"
_PHONE_SDP: Final = (
    "v=0\r\no=- 5 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 18 97 101\r\n"
    "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=20\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\na=rtcp:4001\r\n"
)
_BROWSER_SDP: Final = (
    "v=0\no=mozilla 4 0 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 0\nm=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8\n"
    "c=IN IP6 ::1\na=rtpmap:111 opus/48000/2\na=ice-ufrag:x\na=ice-pwd:y\na=setup:actpass\na=mid:0\na=rtcp-mux\n"
    "a=fingerprint:sha-256 AA:BB\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20|1:4\na=maxptime:60\n"
)
_TWO_STREAMS_SDP: Final = (
    "v=0\no=user name 1 1 IN IP6 2001:db8::1\ns=\nb=AS:64\nt=1 2\na=inactive\nm=video 0 RTP/AVP 31\n"
    "m=audio 49170/2 RTP/AVP 8 13\ni=title\nc=IN IP6 2001:db8::2/127\nb=TIAS:64000\na=sendonly\nm=image 4 udptl t38\n"
)


def sdp_corpus() -> list[bytes]:
    """Return descriptions of a phone, a browser, and one with much in it."""
    return [text.encode() for text in (_PHONE_SDP, _BROWSER_SDP, _TWO_STREAMS_SDP)]


def message_corpus() -> list[bytes]:
    """Return single messages, requests and responses, as they come from the wire."""
    records = b"".join(conversation_corpus()).split(RECORD)
    return [record[1:] for record in records if len(record) > 1]


def conversation_corpus() -> list[bytes]:
    """Return conversations: calls to and from the engine, registrations, and what is asked besides."""
    return [
        _incoming_call(),
        _incoming_call(ring=True),
        _reliable_call(),
        _late_offer(),
        _cancelled(),
        _outgoing_call(),
        _outgoing_call(refused=True),
        _registration(),
        _our_registration(),
        _questions(),
    ]


def _record(how: int, message: bytes = b"") -> bytes:
    return RECORD + bytes([how]) + message


def _said(
    method: str, cseq: int, *, body: str = "", headers: Mapping[str, str] | None = None, **parts: str
) -> bytes:
    return sip_request(
        method,
        cseq=cseq,
        branch=f"z9hG4bK-{method}-{cseq}",
        body=body,
        headers=headers,
        to=_IN_DIALOG,
        **parts,
    )


def _reply(status: str, *, tag: str = ";tag=s", headers: str = "", body: str = "") -> bytes:
    content = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    return (
        f"SIP/2.0 {status}\r\nVia: ~via~\r\nFrom: ~from~\r\nTo: ~to~{tag}\r\nCall-ID: ~call-id~\r\nCSeq: ~cseq~\r\n"
        f"Contact: <sip:bob@192.0.2.7:5060>\r\n{headers}{content}"
    ).encode()


def _incoming_call(*, ring: bool = False) -> bytes:
    return b"".join(
        [
            _record(
                _RING if ring else 0,
                sip_request("INVITE", body=_PHONE_SDP, headers={"Supported": "100rel, timer"}),
            ),
            _record(_SOON, _said("ACK", 1)),
            _record(
                _LATER,
                _said("INFO", 2, body="Signal=5\r\nDuration=160", content_type="application/dtmf-relay"),
            ),
            _record(0, _said("INVITE", 3, body=_PHONE_SDP.replace("sendrecv", "sendonly"))),
            _record(_SOON, _said("ACK", 3)),
            _record(_CHANGE),
            _record(0, _reply("491 Request Pending", tag="")),
            _record(_LATER, _said("UPDATE", 4, body=_PHONE_SDP)),
            _record(_MUCH_LATER, _said("BYE", 5, headers={"Reason": 'Q.850;cause=16;text="bye"'})),
        ]
    )


def _reliable_call() -> bytes:
    """RFC 3262, RFC 4028, RFC 3515: reliable ringing, a session that is refreshed, a transfer."""
    asked = {"Require": "100rel", "Supported": "timer", "Session-Expires": "90;refresher=uac", "Min-SE": "90"}
    transfer = {
        "Refer-To": "<sip:carol@192.0.2.9?Replaces=c%3Bto-tag%3Da%3Bfrom-tag%3Db>",
        "Referred-By": "<sip:a@b>",
    }
    return b"".join(
        [
            _record(_RING, sip_request("INVITE", body=_PHONE_SDP, headers=asked)),
            _record(_RING | _SOON, _said("PRACK", 2, headers={"RAck": "~rseq~ 1 INVITE"})),
            _record(_RING | _SOON, _said("PRACK", 3, headers={"RAck": "~rseq~ 1 INVITE"}, body=_PHONE_SDP)),
            _record(_SOON, _said("UPDATE", 4, headers={"Session-Expires": "90;refresher=uac"})),
            _record(0, _said("REFER", 5, headers=transfer)),
            _record(_SOON, _reply("200 OK", tag="")),
            _record(_MUCH_LATER, sip_request("CANCEL")),
        ]
    )


def _late_offer() -> bytes:
    return b"".join(
        [
            _record(_STRANGER, sip_request("INVITE")),
            _record(_STRANGER, sip_request("ACK", to=_IN_DIALOG)),
            _record(_STRANGER, sip_request("INVITE", cseq=2, branch="z9hG4bK-2", body="")),
            _record(_STRANGER | _SOON, _said("ACK", 2, body=_PHONE_SDP)),
            _record(_HANG_UP),
            _record(_STRANGER, _reply("200 OK", tag="")),
        ]
    )


def _cancelled() -> bytes:
    return b"".join(
        [
            _record(
                _RING | _BROWSER,
                sip_request("INVITE", via="SIP/2.0/WSS df7jal23ls0d.invalid", body=_BROWSER_SDP),
            ),
            _record(
                _BROWSER,
                sip_request("INVITE", cseq=2, via="SIP/2.0/WSS df7jal23ls0d.invalid", branch="z9hG4bK-2"),
            ),
            _record(_RING, sip_request("INVITE", call_id="c", branch="z9hG4bK-c", body=_PHONE_SDP)),
            _record(_SOON, sip_request("CANCEL", call_id="c", branch="z9hG4bK-c")),
            _record(0, sip_request("ACK", call_id="c", branch="z9hG4bK-c", to=_IN_DIALOG)),
            _record(
                _REFUSE, sip_request("INVITE", call_id="d", branch="z9hG4bK-d", headers={"Require": "100rel"})
            ),
            _record(
                _NOTHING, sip_request("INVITE", call_id="e", branch="z9hG4bK-e", headers={"Expires": "3"})
            ),
        ]
    )


def _outgoing_call(*, refused: bool = False) -> bytes:
    challenge = 'Proxy-Authenticate: Digest realm="r", nonce="1", qop="auth,auth-int", algorithm=MD5\r\n'
    first = [
        _record(_CALL | _RING),
        _record(0, _reply("100 Trying", tag="")),
        _record(0, _reply("407 Proxy Authentication Required", headers=challenge)),
        _record(
            _SOON, _reply("183 Session Progress", body=_PHONE_SDP, headers="Require: 100rel\r\nRSeq: 1\r\n")
        ),
        _record(_SOON, _reply("180 Ringing", tag=";tag=other")),
    ]
    if refused:
        return b"".join([*first, _record(_HANG_UP), _record(0, _reply("487 Request Terminated"))])
    return b"".join(
        [
            *first,
            _record(
                _LATER, _reply("200 OK", body=_PHONE_SDP, headers="Session-Expires: 1800;refresher=uas\r\n")
            ),
            _record(0, _reply("200 OK", tag=";tag=other", body=_PHONE_SDP)),
            _record(_CHANGE | _SOON),
            _record(0, _reply("200 OK", tag="", body=_PHONE_SDP)),
            _record(_HANG_UP | _LATER),
            _record(0, _reply("200 OK", tag="")),
        ]
    )


def _registration() -> bytes:
    contact = '<sip:bob@192.0.2.7:5060;transport=tcp>;expires=60;q=0.5;+sip.instance="<urn:uuid:0>";reg-id=1'
    return b"".join(
        [
            _record(_TCP, _register(1, contact)),
            _record(_TCP, _register(2, contact)),
            _record(_TCP, _register(3, None)),
            _record(_TCP, _register(4, "*", headers={"Expires": "0"})),
        ]
    )


def _register(cseq: int, contact: str | None, headers: Mapping[str, str] | None = None) -> bytes:
    return sip_request(
        "REGISTER",
        "sip:switch.example",
        cseq=cseq,
        branch=f"z9hG4bK-r{cseq}",
        contact=contact,
        to="<sip:bob@switch.example>",
        from_="<sip:bob@switch.example>;tag=r",
        headers=headers,
    )


def _our_registration() -> bytes:
    challenge = (
        'WWW-Authenticate: Digest realm="r", nonce="1", opaque="o", stale=false, algorithm=SHA-256\r\n'
    )
    granted = "Contact: <sip:tandem@198.51.100.1:5060>;expires=30\r\nService-Route: <sip:r@192.0.2.7;lr>\r\n"
    return b"".join(
        [
            _record(_CHANGE),
            _record(0, _reply("401 Unauthorized", headers=challenge)),
            _record(0, _reply("423 Interval Too Brief", headers="Min-Expires: 600\r\n")),
            _record(0, _reply("200 OK", headers=granted)),
            _record(
                _MUCH_LATER, _reply("503 Service Unavailable", headers="Retry-After: 5 (busy);duration=3\r\n")
            ),
        ]
    )


def _questions() -> bytes:
    asked = {
        "Event": "presence",
        "Accept": "*/*",
        "Route": "<sip:p;lr>",
        "Record-Route": "<sip:p;lr>, <sip:q>",
    }
    return b"".join(
        [
            _record(0, sip_request("OPTIONS", branch="z9hG4bK-o")),
            _record(0, sip_request("SUBSCRIBE", branch="z9hG4bK-s", headers=asked)),
            _record(0, sip_request("MESSAGE", branch="z9hG4bK-m", body="hello", content_type="text/plain")),
            _record(
                0,
                sip_request(
                    "REFER", branch="z9hG4bK-f", headers={"Refer-To": "<sip:c@h?Replaces=a%3Bto-tag%3Db>"}
                ),
            ),
            _record(
                0, sip_request("NOTIFY", branch="z9hG4bK-n", headers={"Subscription-State": "terminated"})
            ),
            _record(0, b"\r\n\r\n"),
        ]
    )
