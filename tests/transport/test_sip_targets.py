"""RFC 3263 over a name system that lies in a table."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.errors import LocalError
from gateway.sip.uri import parse_uri_untrusted
from gateway.transport.sip_targets import Naptr, Srv, Target, find_targets, in_order


@dataclass
class Zone:
    naptrs: dict = field(default_factory=dict)
    srvs: dict = field(default_factory=dict)
    hosts: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    async def naptr(self, name):
        return self._answer("naptr", self.naptrs, name)

    async def srv(self, name):
        return self._answer("srv", self.srvs, name)

    async def addresses(self, name):
        return self._answer("addresses", self.hosts, name)

    def _answer(self, kind, table, name):
        self.asked.append((kind, name))
        return table.get(name, [])


def targets(uri, zone, pick=lambda below: below - 1):
    return asyncio.run(find_targets(parse_uri_untrusted(uri), zone, pick))


EXAMPLE = Zone(
    naptrs={
        "example.org": [
            Naptr(20, 50, "SIP+D2U", "_sip._udp.example.org"),
            Naptr(10, 50, "SIPS+D2T", "_sips._tcp.secure.example.org"),
        ]
    },
    srvs={
        "_sip._udp.example.org": [Srv(20, 0, 5070, "b.example.org"), Srv(10, 0, 5060, "a.example.org")],
        "_sips._tcp.secure.example.org": [Srv(1, 0, 5071, "s.example.org")],
    },
    hosts={
        "a.example.org": ["192.0.2.1", "2001:db8::1"],
        "b.example.org": ["192.0.2.2"],
        "s.example.org": ["192.0.2.3"],
        "example.org": ["192.0.2.9"],
    },
)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:192.0.2.7", ("udp", "192.0.2.7", 5060)),
        ("sip:[2001:db8::7]:5070;transport=tcp", ("tcp", "2001:db8::7", 5070)),
        ("sips:192.0.2.7", ("tls", "192.0.2.7", 5061)),
        ("sips:192.0.2.7;transport=tcp", ("tls", "192.0.2.7", 5061)),
    ],
)
def test_a_numeric_host_asks_nobody(uri, expected):
    zone = Zone()
    (target,) = targets(uri, zone)
    assert ((target.transport, target.host, target.port), zone.asked) == (expected, [])


def test_a_port_asks_for_addresses_only():
    zone = Zone(hosts={"example.org": ["192.0.2.9"]})
    assert targets("sip:example.org:5080", zone) == [Target("udp", "192.0.2.9", 5080, "example.org")]
    assert zone.asked == [("addresses", "example.org")]


def test_naptr_chooses_the_transport_by_order_and_srv_the_servers_by_priority():
    found = [(each.transport, each.host, each.port) for each in targets("sip:example.org", EXAMPLE)]
    assert found == [
        ("tls", "192.0.2.3", 5071),
        ("udp", "192.0.2.1", 5060),
        ("udp", "2001:db8::1", 5060),
        ("udp", "192.0.2.2", 5070),
    ]


def test_a_certificate_has_to_name_the_domain_and_not_the_server():
    """RFC 5922 section 4: whoever answers the DNS query could name any server."""
    assert {each.name for each in targets("sip:example.org", EXAMPLE)} == {"example.org"}


def test_sips_leads_to_tls_only():
    assert [each.transport for each in targets("sips:example.org", EXAMPLE)] == ["tls"]


def test_without_naptr_the_srv_records_of_each_transport_are_asked():
    zone = Zone(srvs={"_sip._tcp.example.org": [Srv(1, 0, 5060, "a")]}, hosts={"a": ["192.0.2.1"]})
    assert targets("sip:example.org", zone) == [Target("tcp", "192.0.2.1", 5060, "example.org")]


def test_without_any_record_the_host_itself_listens_on_the_default_port():
    zone = Zone(hosts={"example.org": ["192.0.2.9"]})
    assert targets("sip:example.org;transport=tls", zone) == [Target("tls", "192.0.2.9", 5061, "example.org")]


def test_a_name_that_leads_nowhere_is_said():
    with pytest.raises(LocalError, match=r"example\.net has no address"):
        targets("sip:example.net", Zone())


def test_nobody_opens_a_websocket_towards_a_browser():
    with pytest.raises(LocalError, match="by ws is opened by the other side"):
        targets("sip:example.org;transport=ws", EXAMPLE)


def test_weights_are_chances_within_a_priority():
    """RFC 2782: weights 0, 1 and 3 are first 1 in 5, 1 in 5 and 3 in 5 times over all draws."""
    records = [Srv(1, weight, 5060, f"w{weight}") for weight in (3, 0, 1)]
    firsts = [in_order(records, lambda below, draw=draw: min(draw, below - 1))[0].weight for draw in range(5)]
    assert sorted(firsts) == [0, 1, 3, 3, 3]


def test_every_record_is_tried_once_and_priorities_rise():
    records = [
        Srv(priority, weight, 5060, f"{priority}-{weight}") for priority in (2, 1) for weight in (5, 0)
    ]
    ordered = in_order(records, lambda below: 0)
    assert sorted(map(str, ordered)) == sorted(map(str, records))
    assert [record.priority for record in ordered] == [1, 1, 2, 2]


def test_a_target_of_a_dot_is_no_service():
    zone = Zone(srvs={"_sip._udp.example.org": [Srv(0, 0, 0, "")]}, hosts={"example.org": ["192.0.2.9"]})
    assert targets("sip:example.org", zone)[0].port == 5060
