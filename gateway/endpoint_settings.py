"""From the configuration to what the SIP engine is told once."""

from __future__ import annotations

from gateway.config import Config
from gateway.sip.registrar import RegistrarLimits
from gateway.sip.settings import EndpointConfig, EndpointLimits
from gateway.switch.doors import Doors
from gateway.switch.guests import Guests, Passwords
from gateway.trunk_settings import digest_users

__all__ = ["endpoint_config"]


def endpoint_config(
    config: Config, doors: Doors, passwords: dict[str, str], guests: Guests
) -> EndpointConfig:
    """Return the engine's settings; who comes in by one of the `doors` needs no password.

    passwords: of users, by name; a change there counts at once.
    """
    sip = config.sip
    return EndpointConfig(
        realm=sip.realm,
        users=Passwords(digest_users(config, passwords), guests),
        user_of=guests.enter,
        trusted_sources=doors,
        advertised_host=sip.advertised,
        session_expires_s=sip.session_expires_s,
        min_session_expires_s=sip.min_session_expires_s,
        digest_algorithms=sip.digests,
        bind_nonces=sip.bind_nonces,
        limits=EndpointLimits(
            strangers_per_s=sip.strangers_per_second,
            strangers_burst=sip.strangers_burst,
            registrar=_registrar_limits(config),
        ),
    )


def _registrar_limits(config: Config) -> RegistrarLimits:
    wanted = config.registrar
    return RegistrarLimits(
        min_expires_s=wanted.min_expires_s,
        max_expires_s=wanted.max_expires_s,
        nat_expires_s=wanted.nat_expires_s,
        nat_ping_s=wanted.nat_ping_s,
        contacts_per_user=wanted.contacts_per_user,
        path_unasked=wanted.path == "accepted",
    )
