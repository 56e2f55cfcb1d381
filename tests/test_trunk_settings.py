"""What the switch is told of the trunks in the file."""

import asyncio

import pytest

from gateway.config import load
from gateway.errors import ConfigError
from gateway.sip.authentication import Credentials
from gateway.switch.trunk_identity import Presentation
from gateway.switch.trunk_numbers import NumberFormat
from gateway.testing.switchboard import LogBook
from gateway.trunk_settings import digest_users, doors_of, trunk_of

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
    return asyncio.run(doors_of(config, LogBook()))


def test_a_trunk_without_further_keys_is_a_peer_without_limits(tmp_path):
    trunk = trunk_of(read(tmp_path).trunks[0])

    assert (trunk.max_calls, trunk.calls_per_s, trunk.ping_s, trunk.registers) == (None, None, 0.0, False)
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


def test_a_list_of_sources_stands_instead_of_them(tmp_path):
    found = doors(read(tmp_path, 'sources = ["198.51.100.0/24"]'))

    assert "192.0.2.1" not in found
    assert found.of_address("198.51.100.9") == "carrier"


def test_a_trunk_by_digest_is_trusted_from_no_address(tmp_path):
    config = read(tmp_path, 'application = "app"')

    assert "192.0.2.1" not in doors(config)
    assert digest_users(config) == {"alice": "p", "app": "s"}


def test_an_application_is_no_digest_user_unless_a_trunk_says_so(tmp_path):
    assert digest_users(read(tmp_path)) == {"alice": "p"}


def test_two_trunks_cannot_show_the_same_key(tmp_path):
    twin = 'application = "app"\n[[trunks]]\nname = "twin"\nuri = "sip:h"\napplication = "app"'

    with pytest.raises(ConfigError, match=r"trunks\[1\]\.application: 'app' is already .* trunk 'carrier'"):
        read(tmp_path, twin)
