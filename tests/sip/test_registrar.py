from __future__ import annotations

import pytest

from gateway.errors import Overload, PeerError
from gateway.sip.flow import Flow
from gateway.sip.registrar import Registrar, RegistrarLimits, Registration
from gateway.sip.uri import parse_uri_untrusted
from gateway.testing.sip_script import parse_request, sip_request

FLOW = Flow("udp", ("198.51.100.1", 5060), ("192.0.2.7", 5060))
TCP = Flow("tcp", ("198.51.100.1", 5060), ("192.0.2.7", 40000), connection=1)


def register(
    registrar: Registrar,
    contact: str | None,
    *,
    cseq: int = 1,
    call_id: str = "reg-1",
    flow: Flow = FLOW,
    now: float = 0.0,
    **headers: str,
) -> Registration:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = sip_request(
        "REGISTER", "sip:switch.example", contact=contact, call_id=call_id, cseq=cseq, headers=named
    )
    return registrar.register("bob", parse_request(data), flow, now)


def contacts(registration: Registration) -> list[str]:
    return [value for name, value in registration.headers if name == "Contact"]


def users_contacts(registrar: Registrar) -> list[str]:
    return [str(binding.contact) for binding in registrar.bindings("bob")]


def test_the_contact_comes_back_exactly_as_it_was_sent() -> None:
    """Phones compare text (pjsip/pjproject#534): escapes, case and odd parameters stay."""
    sent = '"B, <b>" <sip:%62OB@192.0.2.7:5060;Transport=UDP;ob>;q=0.5;expires=600;+x="a,b"'

    answer = register(Registrar(), sent)

    assert contacts(answer) == ['<sip:%62OB@192.0.2.7:5060;Transport=UDP;ob>;q=0.5;+x="a,b";expires=600']


def test_without_angle_brackets_parameters_are_the_headers() -> None:
    assert contacts(register(Registrar(), "sip:bob@192.0.2.7;expires=100")) == [
        "<sip:bob@192.0.2.7>;expires=100"
    ]


@pytest.mark.parametrize(
    ("contact", "header", "granted"),
    [
        ("<sip:b@h>;expires=90", "300", 90),
        ("<sip:b@h>", "300", 300),
        ("<sip:b@h>", "nonsense", 3600),
        ("<sip:b@h>;expires=99999999999999", "300", 300),
        ("<sip:b@h>", "100000", 7200),
        ("<sip:b@h>", "60", 60),
    ],
)
def test_expiry_is_the_contacts_then_the_headers_then_an_hour_within_bounds(
    contact: str, header: str, granted: int
) -> None:
    answer = register(Registrar(), contact, Expires=header)

    assert contacts(answer) == [f"<sip:b@h>;expires={granted}"]


def test_too_short_an_expiry_is_423_and_changes_nothing() -> None:
    registrar = Registrar()

    with pytest.raises(PeerError) as caught:
        register(registrar, "<sip:b@h>;expires=600, <sip:c@h>;expires=59")

    assert (caught.value.status, len(registrar)) == (423, 0)


def test_a_phone_behind_nat_on_udp_is_granted_three_minutes() -> None:
    mapped = Flow("udp", FLOW.local, ("203.0.113.9", 61000))

    assert contacts(register(Registrar(), "<sip:b@h>", flow=mapped)) == ["<sip:b@h>;expires=180"]


def test_expires_zero_removes_only_the_contact_it_names() -> None:
    registrar = Registrar()
    register(registrar, "<sip:b@one>, <sip:b@two>")

    answer = register(registrar, "<sip:b@one>;expires=0", cseq=2)

    assert users_contacts(registrar) == ["sip:b@two"]
    assert [(str(change.contact), change.expires_s) for change in answer.changes] == [("sip:b@one", 0)]


def test_star_removes_all() -> None:
    registrar = Registrar()
    register(registrar, "<sip:b@one>, <sip:b@two>")

    answer = register(registrar, "*", cseq=2, Expires="0")

    assert (len(registrar), len(answer.changes), contacts(answer)) == (0, 2, [])


@pytest.mark.parametrize(("contact", "expires"), [("*", "60"), ("*", ""), ("*, <sip:b@h>", "0")])
def test_star_with_anything_else_is_400(contact: str, expires: str) -> None:
    with pytest.raises(PeerError) as caught:
        register(Registrar(), contact, Expires=expires)

    assert caught.value.status == 400


def test_without_contact_it_is_a_query() -> None:
    registrar = Registrar()
    register(registrar, "<sip:b@h>;expires=600")

    answer = register(registrar, None, cseq=2, now=100.0)

    assert (contacts(answer), answer.changes) == (["<sip:b@h>;expires=500"], ())


def test_a_late_register_of_the_same_call_is_500() -> None:
    registrar = Registrar()
    register(registrar, "<sip:b@h>", cseq=5)

    with pytest.raises(PeerError) as caught:
        register(registrar, "<sip:b@h>;expires=0", cseq=4)

    assert (caught.value.status, len(registrar)) == (500, 1)


def test_a_phone_that_rebooted_may_start_its_cseq_again_from_a_new_port() -> None:
    """OpenSIPS/opensips#641: it was locked out for an hour."""
    registrar = Registrar()
    register(registrar, "<sip:b@h>", cseq=500)

    register(registrar, "<sip:b@h>", cseq=1, flow=TCP)

    assert [binding.flow for binding in registrar.bindings("bob")] == [TCP]


def test_the_askers_own_contact_stands_first() -> None:
    registrar = Registrar()
    register(registrar, "<sip:b@one>", call_id="a")

    answer = register(registrar, "<sip:b@two>", call_id="b")

    assert contacts(answer)[0].startswith("<sip:b@two>")


def test_the_eleventh_contact_pushes_the_oldest_out() -> None:
    registrar = Registrar()
    for number in range(10):
        register(registrar, f"<sip:b@h{number}>", call_id=f"c{number}")

    answer = register(registrar, "<sip:b@last>", call_id="last")

    assert "sip:b@h0" not in users_contacts(registrar)
    assert (len(registrar), {change.expires_s for change in answer.changes}) == (10, {0, 3600})


def test_an_outbound_phone_replaces_its_own_ghost() -> None:
    """RFC 5626: the binding is the instance's and reg-id's, whatever the Contact says now."""
    registrar = Registrar()
    instance = ';+sip.instance="<urn:uuid:1>";reg-id=1'
    register(registrar, f"<sip:a@old.invalid>{instance}", Supported="path, outbound", flow=TCP)

    answer = register(
        registrar, f"<sip:a@new.invalid>{instance}", call_id="x", Supported="outbound", flow=FLOW
    )

    assert users_contacts(registrar) == ["sip:a@new.invalid"]
    assert ("Require", "outbound") in answer.headers
    assert [(str(change.contact), change.expires_s) for change in answer.changes] == [
        ("sip:a@old.invalid", 0),
        ("sip:a@new.invalid", 3600),
    ]


def test_bindings_expire() -> None:
    registrar = Registrar()
    register(registrar, "<sip:b@h>;expires=60")

    assert registrar.next_deadline() == 60.0
    assert [change.expires_s for change in registrar.deadline_reached(60.0)] == [0]
    assert (len(registrar), registrar.next_deadline()) == (0, None)


def test_bindings_of_a_closed_connection_go_with_it() -> None:
    registrar = Registrar()
    register(registrar, "<sip:b@one>", flow=TCP)
    register(registrar, "<sip:b@two>", call_id="other")

    changes = registrar.flow_closed(TCP)

    assert [change.contact for change in changes] == [parse_uri_untrusted("sip:b@one")]
    assert users_contacts(registrar) == ["sip:b@two"]


def test_a_full_registrar_refuses_new_contacts_but_refreshes_old_ones() -> None:
    registrar = Registrar(RegistrarLimits(bindings=1))
    register(registrar, "<sip:b@one>")

    with pytest.raises(Overload):
        register(registrar, "<sip:b@two>", cseq=2)

    assert contacts(register(registrar, "<sip:b@one>;expires=600", cseq=3)) == ["<sip:b@one>;expires=600"]


PATH = "<sip:p2.example;lr>, <sip:p1.example;lr;ob>"


def test_rfc_3327_a_path_is_kept_and_given_back() -> None:
    registrar = Registrar()
    answer = register(registrar, "<sip:bob@10.0.0.1>", Path=PATH, Supported="path")

    assert registrar.bindings("bob")[0].path == ("<sip:p2.example;lr>", "<sip:p1.example;lr;ob>")
    assert [value for name, value in answer.headers if name == "Path"] == PATH.split(", ")


@pytest.mark.parametrize(
    ("path", "supported", "status"), [(PATH, "outbound", 420), ("<nonsense", "path", 400)]
)
def test_rfc_3327_a_path_that_the_phone_or_we_cannot_use_is_refused(
    path: str, supported: str, status: int
) -> None:
    with pytest.raises(PeerError) as refused:
        register(Registrar(), "<sip:bob@10.0.0.1>", Path=path, Supported=supported)

    assert refused.value.status == status


def test_rfc_3327_a_path_to_a_phone_that_does_not_speak_of_it_is_taken_where_that_is_wanted() -> None:
    registrar = Registrar(RegistrarLimits(path_unasked=True))
    register(registrar, "<sip:bob@10.0.0.1>", Path=PATH, Supported="outbound")

    assert registrar.bindings("bob")[0].path == ("<sip:p2.example;lr>", "<sip:p1.example;lr;ob>")


def test_rfc_5626_the_first_proxy_may_keep_the_flow_for_the_phone() -> None:
    contact = '<sip:bob@10.0.0.1>;+sip.instance="<urn:uuid:1>";reg-id=1'
    registrar = Registrar()
    two_hops = "SIP/2.0/UDP p.example;branch=z9hG4bK-a, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-b"
    answer = register(registrar, contact, Path=PATH, Supported="path, outbound", Via=two_hops)

    assert ("Require", "outbound") in answer.headers
    assert registrar.bindings("bob")[0].instance == ("<urn:uuid:1>", "1")
