"""SIP on real sockets: UDP and TCP, IPv4 and IPv6, for one endpoint.

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
import itertools
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Final, Self, TypeVar

from gateway.errors import ConfigError, LocalError
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import BindingChanged, Event, SessionOffered
from gateway.sip.flow import Datagram, Flow
from gateway.sip.uri import Uri
from gateway.transport.sip_driver import EndpointDriver
from gateway.transport.sip_tcp import Connection, StreamLimits, prepare_tcp
from gateway.transport.sip_udp import UdpSocket, bind_udp, source_address

__all__ = ["SipRim", "StreamLimits", "parse_listen"]

_Result = TypeVar("_Result")
_CONNECT_S: Final = 10.0
_LOOKUP_S: Final = 3.0
_DEFAULT_PORT: Final = 5060


def parse_listen(text: str) -> tuple[str, str, int]:
    """Return transport, host and port of `udp:127.0.0.1:5060` or `tcp:[::1]:5060`.

    Raises:
        ConfigError: it is not written so, or the transport is not one of udp and tcp.
    """
    transport, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        raise ConfigError("sip.listen", f"{text!r} is not transport:address:port") from None
    if transport not in {"udp", "tcp"}:
        raise ConfigError("sip.listen", f"{text!r}: only udp and tcp are spoken here")
    return transport, host, number


class SipRim:
    """The sockets of one endpoint; an async context manager that owns every one of them."""

    def __init__(
        self,
        endpoint: Endpoint,
        listen: Iterable[str] = ("udp:127.0.0.1:0",),
        *,
        limits: StreamLimits | None = None,
        on_fault: Callable[[str], None] | None = None,
    ) -> None:
        """`on_fault` is told the traceback of each fault of ours that an exception wall stopped."""
        self.endpoint: Final = endpoint
        self.limits: Final = limits or StreamLimits()
        self.counters: Final[Counter[str]] = Counter()
        self._listen = [parse_listen(text) for text in listen]
        self._udp: list[UdpSocket] = []
        self._tcp: list[asyncio.Server] = []
        self._connections: dict[int, Connection] = {}
        self._unproved: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        self._on_fault = on_fault
        self._tasks = asyncio.TaskGroup()
        self._connecting: set[asyncio.Task[None]] = set()
        self._driver: EndpointDriver | None = None

    async def __aenter__(self) -> Self:
        """Open every socket; an address in use leaves none open."""
        self._driver = EndpointDriver(self.endpoint, self._send, on_fault=self._on_fault)
        await self._tasks.__aenter__()
        try:
            for transport, host, port in self._listen:
                if transport == "udp":
                    self._open_udp(host, port)
                else:
                    await self._open_tcp(host, port)
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
        for server in self._tcp:
            server.close()
        for task in self._connecting:
            task.cancel()
        for connection in tuple(self._connections.values()):
            connection.abort()
        await self._tasks.__aexit__(None, None, None)
        del kind, error, trace

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Return where this rim listens, as flows without a remote end, in the order of `listen`."""
        unspecified = ("0.0.0.0", 0)
        streams = [Flow("tcp", _pair(s.sockets[0].getsockname()), unspecified) for s in self._tcp]
        return (*(Flow("udp", udp.local, unspecified) for udp in self._udp), *streams)

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
                    self._prove(flow)
                case _:
                    pass
            yield event

    def local_flow(self, transport: str, remote: tuple[str, int]) -> Flow:
        """Return the flow on which a request to `remote` leaves; a TCP connection is reused or made.

        Raises:
            LocalError: this rim has no socket for that transport and address family.
        """
        match transport:
            case "udp":
                return self._udp_for(remote).flow_to(remote)
            case "tcp":
                return self._outgoing(remote).flow
            case _:
                raise LocalError(f"no {transport} here")

    async def flow_to(self, uri: Uri) -> Flow:
        """Return the flow to the host of a SIP URI (RFC 3263 section 4, address records only).

        Raises:
            LocalError: the name has no address, or the transport is not spoken here.
        """
        transport = uri.parameter("transport") or "udp"
        port = uri.port or _DEFAULT_PORT
        host = uri.host.removeprefix("[").removesuffix("]")
        try:
            ipaddress.ip_address(host)
        except ValueError:
            host = await self._look_up(host, port)
        return self.local_flow(transport.lower(), (host, port))

    # What connections tell (sip_tcp.ConnectionOwner).

    def opened(self, connection: Connection) -> bool:
        """Take in an incoming connection unless its address or the whole has too many."""
        address = connection.flow.remote[0]
        if len(self._connections) >= self.limits.total or self._unproved[address] >= self.limits.per_address:
            self.counters["tcp.too_many"] += 1
            return False
        self._unproved[address] += 1
        self._connections[connection.number] = connection
        return True

    def received(self, messages: list[bytes], flow: Flow) -> None:
        """Pass complete messages to the endpoint."""
        for message in messages:
            self._running.receive(message, flow)
        self._running.drain()

    def closed(self, connection: Connection) -> None:
        """Forget a connection and tell the endpoint that its flow is gone."""
        if self._connections.pop(connection.number, None) is None:
            return
        if not connection.proved:
            self._count_down(connection.flow.remote[0])
        self._running.flow_closed(connection.flow)

    # Inside.

    @property
    def _running(self) -> EndpointDriver:
        assert self._driver is not None, "use `async with SipRim(...)`"
        return self._driver

    def _open_udp(self, host: str, port: int) -> None:
        driver = self._running
        self._udp.append(UdpSocket(bind_udp(host, port), driver.receive, driver.drain, self.counters))

    async def _open_tcp(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(self, next(self._numbers)), host, port, backlog=512
        )
        self._tcp.append(server)

    def _send(self, datagram: Datagram) -> None:
        flow = datagram.flow
        if flow.transport == "udp":
            socket_of_flow = self._udp_of(flow)
            if socket_of_flow is not None:
                socket_of_flow.send(datagram.data, flow.remote)
            return
        connection = self._connections.get(flow.connection or 0)
        if connection is None:
            self.counters["tcp.no_connection"] += 1
            asyncio.get_running_loop().call_soon(self._running.flow_closed, flow)
            return
        connection.send(datagram.data)

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

    def _outgoing(self, remote: tuple[str, int]) -> Connection:
        for connection in self._connections.values():
            if connection.outgoing and connection.flow.remote == remote:
                return connection
        try:
            prepared = prepare_tcp(self._local_host(remote), remote)
        except OSError as error:
            raise LocalError(f"no tcp socket that reaches {remote[0]}: {error.strerror}") from error
        number = next(self._numbers)
        flow = Flow("tcp", self._reachable_as(prepared, remote), remote, number)
        connection = Connection(self, number, flow=flow)
        self._connections[number] = connection
        task = self._tasks.create_task(self._connect(connection, prepared))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return connection

    def _local_host(self, remote: tuple[str, int]) -> str:
        family = [_pair(s.sockets[0].getsockname()) for s in self._tcp]
        hosts = [host for host, _ in family if (":" in host) == (":" in remote[0])]
        return hosts[0] if hosts else "::" if ":" in remote[0] else "0.0.0.0"

    def _reachable_as(self, prepared: socket.socket, remote: tuple[str, int]) -> tuple[str, int]:
        """Name the listening port where there is one: Contact has to outlive this connection."""
        host, port = _pair(prepared.getsockname())
        if host in {"0.0.0.0", "::"}:
            host = source_address(remote)
        for server in self._tcp:
            listening = _pair(server.sockets[0].getsockname())
            if (":" in listening[0]) == (":" in remote[0]):
                return host, listening[1]
        return host, port

    async def _connect(self, connection: Connection, prepared: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await loop.sock_connect(prepared, connection.flow.remote)
                await loop.create_connection(lambda: connection, sock=prepared)
        except (OSError, TimeoutError):
            self.counters["tcp.connect_failed"] += 1
            connection.fail()
        finally:
            if not connection.connected:
                prepared.close()

    async def _look_up(self, host: str, port: int) -> str:
        """Ask the resolver in a thread: a slow name server must not hold up the loop."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOKUP_S):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, TimeoutError) as error:
            raise LocalError(f"{host} has no address") from error
        return str(found[0][4][0])

    def _prove(self, flow: Flow) -> None:
        connection = self._connections.get(flow.connection or 0)
        if connection is not None and not connection.proved:
            connection.proved = True
            self._count_down(flow.remote[0])

    def _count_down(self, address: str) -> None:
        self._unproved[address] -= 1
        if self._unproved[address] <= 0:
            del self._unproved[address]


def _pair(address: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    return address[0], address[1]
