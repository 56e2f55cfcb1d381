"""HTTPS of our own making, for the web phone in a local network."""

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest

from gateway.config import load
from gateway.config.lan_certificate import LAN_CERTIFICATE, keep_certificate
from gateway.errors import ConfigError

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def kept(path, address="192.0.2.7", now=NOW):
    keep_certificate(path, address, now=now)
    return path.read_bytes()


def test_it_is_a_certificate_with_its_key(tmp_path):
    keep_certificate(tmp_path / "lan.pem", "192.0.2.7")

    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "lan.pem")


def test_only_its_owner_may_read_it(tmp_path):
    kept(tmp_path / "data/lan.pem")

    assert stat.S_IMODE((tmp_path / "data/lan.pem").stat().st_mode) == 0o600


def test_it_is_kept(tmp_path):
    assert kept(tmp_path / "lan.pem") == kept(tmp_path / "lan.pem")


def test_another_address_has_another(tmp_path):
    assert kept(tmp_path / "lan.pem") != kept(tmp_path / "lan.pem", "2001:db8::7")


@pytest.mark.parametrize(("later", "same"), [(timedelta(days=365), True), (timedelta(days=367), False)])
def test_it_is_made_anew_a_month_before_its_end(tmp_path, later, same):
    assert (kept(tmp_path / "lan.pem") == kept(tmp_path / "lan.pem", now=NOW + later)) is same


def test_what_is_no_certificate_is_replaced(tmp_path):
    (tmp_path / "lan.pem").write_text("nonsense")

    assert kept(tmp_path / "lan.pem").startswith(b"-----BEGIN CERTIFICATE-----")


def test_where_it_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match=r"lan\.pem"):
        keep_certificate(tmp_path / "file/lan.pem", "192.0.2.7")


def test_on_the_lan_the_phone_is_served_by_https(tmp_path):
    config = load(None, tmp_path, lan=True)

    address = config.sip.advertised
    assert str(config.http.phone) == f"{address}:8443"
    assert f"wss:{address}:5067" in map(str, config.sip.listen)
    assert config.sip.certificate == config.sip.key == tmp_path / LAN_CERTIFICATE
    assert config.sip.certificate.exists()


def test_who_only_looks_makes_none(tmp_path):
    load(None, tmp_path, lan=True, make_secrets=False)

    assert not (tmp_path / LAN_CERTIFICATE).exists()


def test_a_certificate_of_ones_own_is_left_alone(tmp_path):
    own = {"certificate": tmp_path / "own.pem", "key": tmp_path / "own.key"}

    config = load(None, tmp_path, lan=True, overrides={"sip": own})

    assert (config.sip.certificate, config.http.phone) == (own["certificate"], None)


def test_https_needs_a_certificate(tmp_path):
    with pytest.raises(ConfigError, match=r"http\.phone: needs sip\.certificate"):
        load(None, tmp_path, overrides={"http": {"phone": "127.0.0.1:8443"}})
