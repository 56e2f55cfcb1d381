"""What the switch is told of the trunks in the file."""

import asyncio

import pytest

from gateway.config import load
from gateway.errors import ConfigError
from gateway.sip.authentication import Credentials
from gateway.switch.trunk_identity import Presentation
from gateway.switch.trunk_numbers import NumberFormat
from gateway.testing.switchboard import LogBook
from gateway.trunk_settings import LOOK_UP_S, REMEMBERED_S, DoorKeeper, digest_users, trunk_of

FILE = """
applications = [{ key = "app", secret = "s" }]
users = [{ name = "alice", password = "p" }]
[[trunks]]
name = "carrier"
uri = "sip:192.0.2.1"
"""


def read(tmp_path, keys=""):
    path = tmp_path / "tandem.toml"
    path.write_text(FILE + keys, encoding="utf-8")
    return load(path, tmp_path)


def doors(config):
    return asyncio.run(DoorKeeper(config, LogBook()).open())


class Names:
    """A name system with one name."""

    def __init__(self, *addresses):
        self.now = list(addresses)

    async def naptr(self, name):
        return []

    async def srv(self, name):
        return []

    async def addresses(self, name):
        return self.now


class Time:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_trunk_without_further_keys_is_a_peer_without_limits(tmp_path):
    trunk = trunk_of(read(tmp_path).trunks[0])

    assert (trunk.max_calls, trunk.calls_per_s, trunk.ping_s, trunk.registers) == (None, None, 60.0, False)
    assert (trunk.numbers, trunk.presentation, trunk.credentials) == (NumberFormat(), Presentation(), None)


def test_every_key_reaches_the_switch(tmp_path):
    keys = """
        priority = 2
        weight = 3
        register = true
        username = "u"
        password = "p"
        realm = "r"
        numbers = "national"
        country = "46"
        dial_prefix = "9"
        asserted_identity = false
        caller_id = "+46700000001"
        from_user = "f"
        from_host = "h.example"
        max_calls = 4
        calls_per_second = 5
        ping_s = 30
        patience_s = 2
    """
    trunk = trunk_of(read(tmp_path, keys).trunks[0])

    assert (trunk.priority, trunk.weight, trunk.registers) == (2, 3, True)
    assert trunk.credentials == Credentials("u", "p", "r")
    assert trunk.numbers == NumberFormat("national", "46", "0", "00", "9")
    assert trunk.presentation == Presentation(False, "+46700000001", "f", "h.example")
    assert (trunk.max_calls, trunk.calls_per_s, trunk.ping_s, trunk.patience_s) == (4, 5.0, 30.0, 2.0)


def test_a_trunk_calls_from_the_addresses_of_its_uri(tmp_path):
    assert doors(read(tmp_path)).of_address("192.0.2.1") == "carrier"


def named(tmp_path, names, now):
    """Return a keeper of a trunk that has a name, its doors, and its log."""
    config = read(tmp_path)
    config = config.model_copy(
        update={"trunks": (config.trunks[0].model_copy(update={"uri": "sip:carrier.example"}),)}
    )
    log = LogBook()
    keeper = DoorKeeper(config, log, names=names, now=now)
    return keeper, asyncio.run(keeper.open()), log


def test_a_trunk_that_moves_is_let_in_from_where_it_is_now(tmp_path):
    names, now = Names("192.0.2.1"), Time()
    keeper, doors, log = named(tmp_path, names, now)
    assert doors.of_address("192.0.2.2") is None

    names.now = ["192.0.2.2"]
    now.now += LOOK_UP_S
    asyncio.run(keeper.refresh())

    assert doors.of_address("192.0.2.2") == doors.of_address("192.0.2.1") == "carrier"
    assert log.all("trunk.moved") == [{"trunk": "carrier", "addresses": ["192.0.2.1/32", "192.0.2.2/32"]}]


def test_an_address_that_its_name_has_no_more_counts_for_a_while(tmp_path):
    names, now = Names("192.0.2.1", "192.0.2.2"), Time()
    keeper, doors, _ = named(tmp_path, names, now)

    names.now = ["192.0.2.2"]
    now.now += REMEMBERED_S + 1
    asyncio.run(keeper.refresh())

    assert ("192.0.2.1" in doors, "192.0.2.2" in doors) == (False, True)


def test_a_name_that_leads_nowhere_for_a_while_changes_nothing(tmp_path):
    names, now = Names("192.0.2.1"), Time()
    keeper, doors, log = named(tmp_path, names, now)

    names.now = []
    now.now += 10 * REMEMBERED_S
    asyncio.run(keeper.refresh())

    assert doors.of_address("192.0.2.1") == "carrier"
    assert (len(log.all("trunk.not_found")), log.all("trunk.moved")) == (1, [])


def test_a_name_that_led_nowhere_at_the_start_is_found_later(tmp_path):
    names = Names()
    keeper, doors, _ = named(tmp_path, names, Time())
    assert "192.0.2.1" not in doors

    names.now = ["192.0.2.1"]
    asyncio.run(keeper.refresh())

    assert doors.of_address("192.0.2.1") == "carrier"


def test_a_list_of_sources_stands_instead_of_them(tmp_path):
    found = doors(read(tmp_path, 'sources = ["198.51.100.0/24"]'))

    assert "192.0.2.1" not in found
    assert found.of_address("198.51.100.9") == "carrier"


def test_a_trunk_by_digest_is_trusted_from_no_address(tmp_path):
    config = read(tmp_path, 'application = "app"')

    assert "192.0.2.1" not in doors(config)
    assert digest_users(config, {"alice": "p"}) == {"alice": "p", "app": "s"}


def test_an_application_is_no_digest_user_unless_a_trunk_says_so(tmp_path):
    assert digest_users(read(tmp_path), {"alice": "p"}) == {"alice": "p"}


def test_two_trunks_cannot_show_the_same_key(tmp_path):
    twin = 'application = "app"\n[[trunks]]\nname = "twin"\nuri = "sip:h"\napplication = "app"'

    with pytest.raises(ConfigError, match=r"trunks\[1\]\.application: 'app' is already .* trunk 'carrier'"):
        read(tmp_path, twin)
