"""The lessons of the torture tests, RFC 4475 and RFC 5118, in short messages: one trap each.

Their names are the RFCs'.  The whole messages, with what they are answered, are in `tests/scenarios/torture`.  A
trap that is not about parsing (unknown methods, Require, Max-Forwards 0, ...) is tested with whoever judges it.
"""

import pytest

from gateway.errors import BadMessage
from gateway.sip.headers import parse_name_addr_untrusted
from gateway.sip.message import Request, Response, parse_message_untrusted

PARTS = {
    "start": "OPTIONS sip:user@example.com SIP/2.0",
    "via": "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
    "from": "From: <sip:caller@example.net>;tag=1",
    "to": "To: <sip:user@example.com>",
    "call_id": "Call-ID: torture@192.0.2.1",
    "cseq": "CSeq: 1 OPTIONS",
    "other": "Max-Forwards: 70",
}


def message(body: str = "", **parts: str) -> bytes:
    """Write a harmless message with some lines exchanged."""
    return ("\r\n".join((PARTS | parts).values()) + "\r\n\r\n" + body).encode("utf-8", "surrogateescape")


VALID = {
    "wsinv: white space and folding wherever they may stand": message(
        via="v:  SIP  / 2.0  / TCP     h.example.com   ;\r\n  branch  =   z9hG4bKx  ,\r\n SIP  /    2.0   / UDP  a ",
        to="TO :\r\n sip:user@example.com ;   tag    = 1918181833n",
        cseq="CSeq: 0009\r\n  OPTIONS",
        other='s :\r\nContact:\r\n "Quoted \\"\\"" <sip:a@b.c>; newparam =\r\n newvalue ;\r\n  q = 0.33\r\nX: ;;,,;;,;',
    ),
    "intmeth: every character that a token, a URI or a quoted string may have": message(
        start="!Any-Method0123456789_*+`.%~' sip:1_odd.~(to-be!sure)&it+is$,/;;*:&pa$wo~d_(x)@example.com SIP/2.0",
        to='To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_odd.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>',
        **{"from": "From: t1~` t2'+_ t3*%!.- <sip:m@example.com>;p''~+*_!.-%=\"été\";tag=_t~1'+`*%!-."},
        call_id="Call-ID: word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
        cseq="CSeq: 139122385 !Any-Method0123456789_*+`.%~'",
    ),
    "esc01: an escaped at sign in the user": message(
        start="OPTIONS sip:sips%3Auser%40example.com@example.net SIP/2.0"
    ),
    "escnull: an escaped NUL in the user": message(to="To: <sip:null-%00-null@example.com>"),
    "esc02: a percent sign that escapes nothing outside URIs": message(other="RE%47IST%45R: 1%2E5"),
    "lwsdisp: no white space between display name and bracket": message(to="To: caller<sip:user@example.com>"),
    "longreq: very long values": message(other="U: " + "very " * 300 + "long", to=f"To: <sip:{'a' * 500}@h>"),
    "dblreq: surplus bytes in a datagram": message("surplus", other="Content-Length: 0"),
    "semiuri: a semicolon in the user": message(start="OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"),
    "transports: Via of transports nobody has": message(other="Via: SIP/2.0/UNKNOWN t5.example.com;branch=z"),
    "unreason: a reason phrase in UTF-8": message(start="SIP/2.0 200 = 2**3 * 5**2 né été"),
    "noreason: no reason phrase": message(start="SIP/2.0 100 "),
    "unkscm: an unknown scheme": message(start="OPTIONS nobodyKnowsThisScheme:totallyopaque SIP/2.0"),
    "novelsc: a known one that is not SIP": message(start="OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"),
    "unksm2: unknown schemes in From and To": message(to="To: isbn:2983792873"),
    "inv2543: an RFC 2543 request": message(via="Via: SIP/2.0/UDP iftgw.example.com", other="X: y"),
    "ipv6-good: an IPv6 reference": message(
        start="OPTIONS sip:[2001:db8::10] SIP/2.0", via="Via: SIP/2.0/UDP [2001:db8::9:1];branch=z"
    ),
    "port-ambiguous: a port ambiguous without brackets": message(start="OPTIONS sip:[2001:db8::10:5070] SIP/2.0"),
    "via-received-param-with-delim: brackets in received are accepted too": message(
        via="Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z"
    ),
}  # fmt: skip

INVALID = {
    "clerr: Content-Length larger than the message": message("short", other="Content-Length: 9999"),
    "ncl: negative Content-Length": message(other="Content-Length: -999"),
    "scalar02: numbers out of range": message(cseq="CSeq: 36893488147419103232 OPTIONS"),
    "scalarlg: the same in a response": message(
        start="SIP/2.0 503 No", cseq="CSeq: 9292394834772304023312 OPTIONS"
    ),
    "badaspec: an address that is none": message(to='To: "Watson, Thomas" < t.watson@example.org >'),
    "quotbal: an open quote": message(to='To: "Mr. J. User <sip:j.user@example.com>'),
    "ltgtruri: brackets round the Request-URI": message(start="OPTIONS <sip:user@example.com> SIP/2.0"),
    "lwsruri: white space in the Request-URI": message(start="OPTIONS sip:user@example.com; lr SIP/2.0"),
    "lwsstart: more than one space": message(start="OPTIONS  sip:user@example.com  SIP/2.0"),
    "trws: a space after the version": message(start="OPTIONS sip:user@example.com SIP/2.0 "),
    "badvers: another version": message(start="OPTIONS sip:user@example.com SIP/7.0"),
    "mismatch01: CSeq of another method": message(cseq="CSeq: 8 INVITE"),
    "bigcode: a status beyond 699": message(start="SIP/2.0 4294967301 better not break the receiver"),
    "insuf: a header is missing": message(cseq="X: y"),
    "multi01: twice what there is one of": message(other="CSeq: 59 OPTIONS"),
    "ipv6-bad: an IPv6 address without brackets": message(start="OPTIONS sip:2001:db8::10 SIP/2.0"),
}  # fmt: skip


@pytest.mark.parametrize("data", VALID.values(), ids=VALID)
def test_valid(data: bytes):
    assert parse_message_untrusted(parse_message_untrusted(data).to_bytes()) == parse_message_untrusted(data)


@pytest.mark.parametrize("data", INVALID.values(), ids=INVALID)
def test_invalid(data: bytes):
    with pytest.raises(BadMessage):
        parse_message_untrusted(data)


def read(name: str) -> Request | Response:
    (data,) = (data for key, data in VALID.items() if key.startswith(f"{name}:"))
    return parse_message_untrusted(data)


def test_wsinv_means_what_it_says():
    request = read("wsinv")

    assert (request.via.transport, request.via.branch) == ("TCP", "z9hG4bKx")
    assert (request.to.tag, request.cseq.number) == ("1918181833n", 9)
    assert request.headers.get("Subject") == ""
    contact = parse_name_addr_untrusted(request.headers.all("Contact")[0])
    assert (contact.display, contact.parameter("newparam"), contact.parameter("q")) == (
        'Quoted ""',
        "newvalue",
        "0.33",
    )


def test_intmeth_means_what_it_says():
    request = read("intmeth")

    assert request.to.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert request.from_.parameter("p''~+*_!.-%") == "été"
    assert isinstance(request, Request)
    assert request.uri.user == "1_odd.~(to-be!sure)&it+is$,/;;*"


def test_escapes_are_decoded_once():
    assert read("esc01").to_bytes().startswith(b"OPTIONS sip:sips%3Auser%40example.com@example.net SIP/2.0")
    assert read("escnull").to.uri.user == "null-\x00-null"
    assert read("esc02").headers.get("RE%47IST%45R") == "1%2E5"


def test_unknown_schemes_keep_their_text():
    request = read("novelsc")

    assert isinstance(request, Request)
    assert (request.uri.scheme, str(request.uri)) == ("soap.beep", "soap.beep://192.0.2.103:3002")
