"""Where does this go, and is anybody there?  Asked before a call, so that a wrong port costs no 32 seconds.

SIP over UDP notices silence only when timer B fires (RFC 3261 section 17.1.1.2).  The kernel knows earlier: a
datagram to a closed port comes back as an ICMP error, which a *connected* UDP socket reports.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final

from gateway.errors import BadMessage, LocalError
from gateway.sip.uri import Uri, parse_uri_untrusted
from gateway.transport.sip_udp import source_address

__all__ = ["destination", "free_port", "host_and_port", "own_address", "resolve", "somebody_listens"]

_DEFAULT_PORT: Final = 5060
_KEEPALIVE: Final = b"\r\n\r\n"
_ICMP_S: Final = 0.05
_TRIES: Final = 100


def destination(text: str, *, host: str = "127.0.0.1", transport: str = "udp") -> Uri:
    """Return the SIP URI that a person means by `sip:echo@127.0.0.1:5060`, `echo@192.0.2.1` or `echo`.

    A name alone is at `host`, perhaps `HOST:PORT`.  Raise LocalError if it is no SIP URI.
    """
    whole = text if text.startswith(("sip:", "sips:")) else f"sip:{text}"
    if "@" not in whole and "." not in whole and ":" not in whole[4:]:
        whole = f"{whole}@{host}"
    try:
        uri = parse_uri_untrusted(whole)
    except BadMessage as error:
        raise LocalError(f"{text!r} is no SIP address ({error}); one is sip:echo@127.0.0.1:5060") from error
    if not uri.host or not whole.removeprefix("sip:").partition("@")[0]:
        raise LocalError(f"{text!r} is no SIP address; one is sip:echo@127.0.0.1:5060")
    if uri.scheme != "sip":
        raise LocalError(f"{text!r}: the test phone speaks sip:, without TLS")
    if transport != "udp" and uri.parameter("transport") is None:
        return Uri(uri.scheme, uri.user, uri.host, uri.port, (*uri.parameters, ("transport", transport)))
    return uri


def host_and_port(text: str) -> tuple[str, int]:
    """Read `127.0.0.1:5070` or `[::1]:5070`.  Raise LocalError if it is not an IP address and a port."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError as error:
        raise LocalError(f"{text!r} is not ADDRESS:PORT, as in 127.0.0.1:5070") from error


def free_port(host: str) -> int:
    """Return a port that was free a moment ago for UDP and TCP alike: one Contact shall serve for both.

    Raise LocalError if `host` is no address of ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(_TRIES):
        with (
            socket.socket(family, socket.SOCK_DGRAM) as datagrams,
            socket.socket(family, socket.SOCK_STREAM) as streams,
        ):
            try:
                datagrams.bind((host, 0))
                streams.bind(datagrams.getsockname())
            except OSError as error:
                reason = error.strerror
            else:
                return int(datagrams.getsockname()[1])
    raise LocalError(f"no free port on {host}: {reason}")


async def resolve(uri: Uri) -> tuple[str, int]:
    """Return the address and port behind a URI's host.  Raise LocalError if it has none."""
    host, port = uri.host.removeprefix("[").removesuffix("]"), uri.port or _DEFAULT_PORT
    try:
        return str(ipaddress.ip_address(host)), port
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise LocalError(f"{host} has no address: {error.strerror}") from error
    return str(found[0][4][0]), port


async def own_address(uri: Uri) -> str:
    """Return the address of ours that the host of `uri` sees."""
    return source_address(await resolve(uri))


async def somebody_listens(uri: Uri) -> bool:
    """Say whether the UDP port of `uri` is open as far as one can tell; False only if the host denied it."""
    remote = await resolve(uri)
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(remote)
            probe.send(_KEEPALIVE)  # every SIP server drops it silently (RFC 5626 section 3.5.1)
            async with asyncio.timeout(_ICMP_S):
                await asyncio.get_running_loop().sock_recv(probe, 64)
        except ConnectionRefusedError:
            return False
        except (OSError, TimeoutError):
            return True
    return True
