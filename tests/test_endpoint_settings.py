"""What of the configuration reaches the SIP engine."""

from gateway.clock import SystemClock
from gateway.config import load
from gateway.endpoint_settings import endpoint_config
from gateway.sip.registrar import RegistrarLimits
from gateway.sip.settings import EndpointConfig, EndpointLimits
from gateway.store.directory import MemoryDirectory
from gateway.switch.doors import Doors
from gateway.switch.guests import Guests


def told(tmp_path, text=""):
    path = tmp_path / "tandem.toml"
    path.write_text('[[users]]\nname = "alice"\npassword = "p"\n' + text, encoding="utf-8")
    guests = Guests(MemoryDirectory(), SystemClock())
    return endpoint_config(load(path, tmp_path), Doors(), {}, guests)


def test_what_nobody_configures_is_as_the_engine_has_it(tmp_path):
    config, usual = told(tmp_path), EndpointConfig()

    assert config.limits == usual.limits
    assert (config.realm, config.digest_algorithms, config.bind_nonces) == (
        usual.realm,
        usual.digest_algorithms,
        usual.bind_nonces,
    )
    assert (config.session_expires_s, config.min_session_expires_s) == (
        usual.session_expires_s,
        usual.min_session_expires_s,
    )


def test_every_key_reaches_the_engine(tmp_path):
    config = told(
        tmp_path,
        """
        [sip]
        realm = "house"
        digests = ["SHA-256", "MD5"]
        bind_nonces = true
        session_expires_s = 600
        min_session_expires_s = 120
        strangers_per_second = 5
        strangers_burst = 7
        [registrar]
        min_expires_s = 30
        nat_expires_s = 90
        nat_ping_s = 20
        max_expires_s = 600
        contacts_per_user = 3
        path = "accepted"
        """,
    )

    assert (config.realm, config.digest_algorithms, config.bind_nonces) == ("house", ("SHA-256", "MD5"), True)
    assert (config.session_expires_s, config.min_session_expires_s) == (600, 120)
    assert config.limits == EndpointLimits(
        strangers_per_s=5.0,
        strangers_burst=7,
        registrar=RegistrarLimits(
            min_expires_s=30,
            nat_expires_s=90,
            nat_ping_s=20.0,
            max_expires_s=600,
            contacts_per_user=3,
            path_unasked=True,
        ),
    )
