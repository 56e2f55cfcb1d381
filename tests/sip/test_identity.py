"""RFC 3323, 3325, 5806 and 7044: who calls, and who is told."""

from __future__ import annotations

import pytest

from gateway.sip.identity import ANONYMOUS, CallerId, read_caller, shown_to_carrier, shown_to_phone
from gateway.testing.sip_script import parse_request, sip_request


def caller(headers: dict[str, str], *, user: str | None = None, trusted: bool = True) -> CallerId:
    from_ = headers.pop("From", '"Wendy" <sip:+4681111111@carrier.example>;tag=1')
    request = parse_request(sip_request("INVITE", from_=from_, headers=headers, body="v=0"))
    return read_caller(request, user=user, trusted=trusted)


def test_rfc_3325_a_carriers_assertion_counts_more_than_the_from() -> None:
    asserted = {"P-Asserted-Identity": '"Cullen" <sip:+14085264000@cisco.example>, <tel:+14085264000>'}

    assert caller(asserted) == CallerId("+14085264000", "Cullen")


def test_a_tel_uri_is_a_number_without_its_separators() -> None:
    assert caller({"P-Asserted-Identity": "<tel:+46-8-(111).1111>"}).user == "+4681111111"


@pytest.mark.parametrize(
    "header", ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Diversion", "History-Info"]
)
def test_promise_43_what_a_stranger_asserts_means_nothing(header: str) -> None:
    assert caller({header: "<sip:+4690000@x>, <sip:a@b>"}, trusted=False) == CallerId("+4681111111", "Wendy")


def test_a_user_is_who_proved_it_whatever_the_from_says() -> None:
    assert caller({"P-Asserted-Identity": "<sip:+1@x>"}, user="alice").user == "alice"


def test_the_older_remote_party_id_is_understood() -> None:
    assert caller({"Remote-Party-ID": "<sip:+4670@x>;party=calling;privacy=full"}) == CallerId(
        "+4670", "Wendy", True
    )


@pytest.mark.parametrize("privacy", ["id", "user;id", "header", "session; critical"])
def test_rfc_3323_privacy_withholds_the_number(privacy: str) -> None:
    assert caller({"Privacy": privacy}).withheld


@pytest.mark.parametrize("privacy", ["none", "", "none;critical"])
def test_rfc_3323_none_withholds_nothing(privacy: str) -> None:
    assert not caller({"Privacy": privacy}).withheld


def test_an_anonymous_from_with_an_assertion_is_known_and_withheld() -> None:
    known = caller({"From": f"{ANONYMOUS};tag=1", "P-Asserted-Identity": "<sip:+4670@x>"})

    assert known == CallerId("+4670", None, True)


def test_rfc_5806_the_first_diversion_is_the_last_who_diverted() -> None:
    diverted = {"Diversion": "<tel:+4672>;reason=no-answer, <tel:+4671>;reason=unconditional"}

    assert caller(diverted).diverted_by == "+4672"


def test_rfc_7044_the_entry_before_the_last_is_who_diverted() -> None:
    history = (
        "<sip:+4671@x>;index=1, <sip:+4672@x?Reason=SIP%3Bcause%3D302>;index=1.1, <sip:+4673@x>;index=1.2"
    )

    assert caller({"History-Info": history}).diverted_by == "+4672"
    assert caller({"History-Info": "<sip:+4671@x>;index=1"}).diverted_by is None


def test_what_cannot_be_read_says_nothing() -> None:
    assert caller({"P-Asserted-Identity": "<nonsense", "Diversion": "mailto:x"}).user == "+4681111111"


def test_a_carrier_is_told_who_calls_and_that_it_is_not_to_be_shown() -> None:
    from_, headers = shown_to_carrier(CallerId("+4670", "Alice", withheld=True), "switch.example")

    assert from_ == ANONYMOUS
    assert headers == [("P-Asserted-Identity", '"Alice" <sip:+4670@switch.example>'), ("Privacy", "id")]


def test_a_carrier_is_told_a_caller_who_hides_nothing() -> None:
    from_, headers = shown_to_carrier(CallerId("+4670"), "switch.example")

    assert str(from_) == "<sip:+4670@switch.example>"
    assert headers == [("P-Asserted-Identity", "<sip:+4670@switch.example>")]


def test_a_phone_sees_the_caller_or_nobody() -> None:
    assert str(shown_to_phone(CallerId("alice", "Alice"), "h")) == '"Alice" <sip:alice@h>'
    assert shown_to_phone(CallerId("alice", "Alice", withheld=True), "h") == ANONYMOUS
    assert shown_to_phone(CallerId(""), "h") == ANONYMOUS
