"""SIP on real sockets for one endpoint: UDP, TCP, TLS, WS and WSS, IPv4 and IPv6.

    async with SipRim(endpoint, listen=["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]) as rim:
        flow = await rim.flow_to(parse_uri_untrusted("sip:bob@127.0.0.1:5070"))
        session = rim.do(lambda now: endpoint.invite(target=..., flow=flow, now=now, ...))
        async for event in rim.events():
            ...

The rim knows sockets and flows, the endpoint knows SIP; neither knows the other's half.  A *flow* names the
path that messages take: the answers go back on it, requests to a registered phone reuse it, and where there
is none yet (a trunk over TCP), the connection is opened when the first message wants to leave.

Every exception wall of the signalling path is here or in `sip_driver`: one bad message costs that message.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

from gateway.errors import ConfigError, LocalError
from gateway.sip.admission import Episode
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import BindingChanged, Event, SessionOffered
from gateway.sip.flow import Datagram, Flow
from gateway.sip.uri import Uri
from gateway.transport.sip_connection import StreamLimits
from gateway.transport.sip_connections import Connections, Security
from gateway.transport.sip_driver import EndpointDriver
from gateway.transport.sip_names import RememberedNames
from gateway.transport.sip_targets import DnsNames, Names, Target, find_targets
from gateway.transport.sip_udp import UdpSocket, bind_udp

__all__ = ["TRANSPORTS", "Security", "SipRim", "StreamLimits", "parse_listen"]

_Result = TypeVar("_Result")
TRANSPORTS: Final = frozenset({"udp", "tcp", "tls", "ws", "wss"})
_UNSPECIFIED: Final = ("0.0.0.0", 0)


def parse_listen(text: str) -> tuple[str, str, int]:
    """Return transport, host and port of `udp:127.0.0.1:5060` or `wss:[::1]:5063`.

    Raises:
        ConfigError: it is not written so, or the transport is none of ours.
    """
    transport, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        raise ConfigError("sip.listen", f"{text!r} is not transport:address:port") from None
    if transport not in TRANSPORTS:
        raise ConfigError("sip.listen", f"{text!r}: {', '.join(sorted(TRANSPORTS))} are spoken here")
    return transport, host, number


class SipRim:
    """The sockets of one endpoint; an async context manager that owns every one of them."""

    def __init__(
        self,
        endpoint: Endpoint,
        listen: Iterable[str] = ("udp:127.0.0.1:0",),
        *,
        limits: StreamLimits | None = None,
        security: Security | None = None,
        names: Names | None = None,
        on_fault: Callable[[str], None] | None = None,
        on_connect_failed: Callable[[Flow, str], None] | None = None,
        on_message: Callable[[bytes, Flow, bool], None] | None = None,
        on_load: Callable[[Episode], None] | None = None,
    ) -> None:
        """`on_fault` is told the traceback of each fault of ours that an exception wall stopped.

        `on_connect_failed` is told which connection of ours was not made, and why; `on_message` is shown each
        message, its flow and whether it leaves; `on_load` is told when an overload begins and when it is over.
        """
        self.endpoint: Final = endpoint
        self.counters: Final[Counter[str]] = Counter()
        self._listen = [parse_listen(text) for text in listen]
        self._udp: list[UdpSocket] = []
        self._connections: Final = Connections(
            received=self._received,
            ended=self._ended,
            failed=on_connect_failed or (lambda _flow, _why: None),
            limits=limits or StreamLimits(),
            security=security or Security(),
            counters=self.counters,
        )
        self._names: Final = names or RememberedNames(DnsNames())
        self._on_fault = on_fault
        self._on_message = on_message
        self._on_load = on_load
        self._driver: EndpointDriver | None = None

    async def __aenter__(self) -> Self:
        """Open every socket; an address in use leaves none open."""
        self._driver = EndpointDriver(
            self.endpoint,
            self._send,
            on_fault=self._on_fault,
            on_message=self._on_message,
            on_load=self._on_load,
        )
        try:
            for transport, host, port in self._listen:
                if transport == "udp":
                    driver = self._driver
                    udp = UdpSocket(bind_udp(host, port), driver.receive, driver.work, self.counters)
                    self._udp.append(udp)
                else:
                    await self._connections.listen(transport, host, port)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every socket; what the endpoint still wanted to say is lost."""
        self._running.close()
        for udp in self._udp:
            udp.close()
        await self._connections.close()
        del kind, error, trace

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Return where this rim listens, as flows without a remote end: UDP first, each in order of `listen`."""
        streams = [Flow(name, local, _UNSPECIFIED) for name, local in self._connections.listening]
        return (*(Flow("udp", udp.local, _UNSPECIFIED) for udp in self._udp), *streams)

    def do(self, operation: Callable[[float], _Result]) -> _Result:
        """Call the endpoint and do what follows: `rim.do(lambda now: endpoint.answer(..., now=now))`."""
        return self._running.do(operation)

    async def settled(self) -> None:
        """Return when nothing that we asked is unanswered: every BYE and CANCEL was heard, or given up."""
        await self._running.settled()

    async def events(self) -> AsyncIterator[Event]:
        """Yield the endpoint's events to one reader until the rim closes."""
        async for event in self._running.events():
            match event:
                case BindingChanged(flow=flow) | SessionOffered(flow=flow):
                    self._connections.prove(flow)
                case _:
                    pass
            yield event

    async def targets(self, uri: Uri) -> Sequence[Target]:
        """Return the servers of a SIP URI, first choice first (RFC 3263).

        Raises:
            LocalError: the name leads nowhere, or nobody can be connected to that way.
        """
        return await find_targets(uri, self._names, secrets.randbelow)

    def flow_for(self, target: Target) -> Flow:
        """Return the flow to one server; a connection is reused, or opened when the first message leaves.

        Raises:
            LocalError: this rim has no socket for that transport and address family.
        """
        remote = (target.host, target.port)
        if target.transport == "udp":
            return self._udp_for(remote).flow_to(remote)
        return self._connections.to(target.transport, remote, target.name)

    async def flow_to(self, uri: Uri) -> Flow:
        """Return the flow to the first server of a SIP URI that a socket of ours can reach.

        Raises:
            LocalError: there is none.
        """
        return (await self.flows_to(uri))[0]

    async def flows_to(self, uri: Uri) -> Sequence[Flow]:
        """Return the flows to all servers of a SIP URI that sockets of ours can reach, first choice first.

        Raises:
            LocalError: there is none.
        """
        flows: list[Flow] = []
        reason = LocalError(f"nothing here reaches {uri.host}")
        for target in await self.targets(uri):
            try:
                flows.append(self.flow_for(target))
            except LocalError as error:
                reason = error
        if not flows:
            raise reason
        return flows

    # Inside.

    @property
    def _running(self) -> EndpointDriver:
        assert self._driver is not None, "use `async with SipRim(...)`"
        return self._driver

    def _received(self, messages: list[bytes], flow: Flow) -> None:
        for message in messages:
            self._running.receive(message, flow)
        self._running.work()

    def _ended(self, flow: Flow) -> None:
        self._running.flow_closed(flow)

    def _send(self, datagram: Datagram) -> None:
        flow = datagram.flow
        if flow.transport != "udp":
            if not self._connections.send(datagram.data, flow):
                asyncio.get_running_loop().call_soon(self._running.flow_closed, flow)
            return
        udp = self._udp_of(flow)
        if udp is not None:
            udp.send(datagram.data, flow.remote)

    def _udp_of(self, flow: Flow) -> UdpSocket | None:
        same_port = [udp for udp in self._udp if udp.local[1] == flow.local[1]]
        exact = [udp for udp in same_port if udp.local[0] == flow.local[0]]
        family = [udp for udp in same_port if (":" in udp.local[0]) == (":" in flow.remote[0])]
        return next(iter(exact or family), None)

    def _udp_for(self, remote: tuple[str, int]) -> UdpSocket:
        family = [udp for udp in self._udp if (":" in udp.local[0]) == (":" in remote[0])]
        if not family:
            raise LocalError(f"no udp socket that reaches {remote[0]}")
        return family[0]
