"""The connections of one endpoint: listened for, opened, reused, counted and forgotten.

Incoming ones are limited an address and in all, until they show who they are.  Outgoing ones are reused for the
same peer under the same name (RFC 5923); their local port is bound before they are connected, so that Via and
Contact can be written at once.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.errors import LocalError
from gateway.sip.flow import Flow
from gateway.transport.sip_connection import Connection, StreamLimits, prepare_tcp
from gateway.transport.sip_udp import source_address
from gateway.transport.sip_wires import StreamWire, WebSocketWire, Wire

__all__ = ["Connections", "Security"]

_CONNECT_S: Final = 10.0
_BACKLOG: Final = 512
_ACCEPTED_AT_ONCE: Final = 4
"""In one turn of the loop, before they can be refused; each has a descriptor meanwhile."""
_SECURE: Final = frozenset({"tls", "wss"})
_WEB: Final = frozenset({"ws", "wss"})


@dataclass(frozen=True, slots=True)
class Security:
    """What connections need to know about certificates and pages."""

    server: ssl.SSLContext | None = None
    """Our certificate, for tls: and wss:."""
    client: ssl.SSLContext | None = None
    """Whom we trust when we connect by TLS; None = the authorities of this machine."""
    origins: frozenset[str] = frozenset()
    """Pages of other hosts that may connect by WebSocket."""


class Connections:
    """A table of connections; `ConnectionOwner` of each.

    `received` gets whole messages, `ended` the flow of a connection that is over, `failed` the words why one
    could not be opened.
    """

    def __init__(
        self,
        *,
        received: Callable[[list[bytes], Flow], None],
        ended: Callable[[Flow], None],
        failed: Callable[[Flow, str], None],
        limits: StreamLimits,
        security: Security,
        counters: Counter[str],
    ) -> None:
        self.limits: Final = limits
        self.counters: Final = counters
        self._most: Final = min(limits.total, _descriptors() // 2)
        """The other half is for whoever else needs one: to accept and refuse takes one, too."""
        self._security = security
        self._received = received
        self._ended = ended
        self._failed = failed
        self._servers: list[tuple[str, asyncio.Server]] = []
        self._table: dict[int, Connection] = {}
        self._names: dict[int, str | None] = {}
        """Under which name a TLS peer of ours proved itself."""
        self._unproved: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        self._connecting: set[asyncio.Task[None]] = set()

    @property
    def listening(self) -> tuple[tuple[str, tuple[str, int]], ...]:
        """Return transport and address of each listening socket."""
        return tuple((name, _address(server)) for name, server in self._servers)

    async def listen(self, transport: str, host: str, port: int) -> None:
        """Accept connections at an address."""
        loop = asyncio.get_running_loop()
        secure = self._security.server if transport in _SECURE else None
        if transport in _SECURE and secure is None:
            raise LocalError(
                f"{transport}:{host}:{port} needs a certificate: set sip.certificate and sip.key"
            )
        listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=_BACKLOG
        )
        server = await loop.create_server(
            lambda: Connection(self, next(self._numbers), self._wire(transport), transport),
            sock=listener,
            backlog=_ACCEPTED_AT_ONCE,
            ssl=secure,
        )
        listener.listen(_BACKLOG)  # to asyncio one number is both
        self._servers.append((transport, server))

    def send(self, message: bytes, flow: Flow) -> bool:
        """Send on a flow's connection; False = there is none any more."""
        connection = self._table.get(flow.connection or 0)
        if connection is None:
            self.counters[f"{flow.transport}.no_connection"] += 1
            return False
        connection.send(message)
        return True

    def to(self, transport: str, remote: tuple[str, int], name: str | None = None) -> Flow:
        """Return the flow to a peer: a connection that is there, or one that is being opened now.

        `name` is what the certificate of a TLS peer has to say; None = its address.

        Raises:
            LocalError: no socket reaches it, or nobody can be connected to that way.
        """
        if transport in _WEB:
            raise LocalError("a WebSocket is opened by the client, never towards it (RFC 7118 section 5)")
        for number, connection in self._table.items():
            same = connection.flow.transport == transport and connection.flow.remote == remote
            if connection.outgoing and same and self._names.get(number) == name:
                return connection.flow
        return self._open(transport, remote, name)

    def prove(self, flow: Flow) -> None:
        """The peer of this flow has shown who it is: its connection is not counted any more."""
        connection = self._table.get(flow.connection or 0)
        if connection is not None and not connection.proved:
            connection.prove()
            self._count_down(flow.remote[0])

    async def close(self) -> None:
        """End everything; what was still to be sent is lost."""
        for _, server in self._servers:
            server.close()
        opening = tuple(self._connecting)
        for task in opening:
            task.cancel()
        for connection in tuple(self._table.values()):
            connection.abort()
        await asyncio.gather(*opening, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted closes its socket in the loop's next round

    # What connections tell (sip_connection.ConnectionOwner).

    def opened(self, connection: Connection) -> bool:
        """Take in an incoming connection unless its address or the whole has too many."""
        address = connection.flow.remote[0]
        if len(self._table) >= self._most or self._unproved[address] >= self.limits.per_address:
            self.counters[f"{connection.flow.transport}.too_many"] += 1
            return False
        self._unproved[address] += 1
        self._table[connection.number] = connection
        return True

    def received(self, messages: list[bytes], flow: Flow) -> None:
        """Pass whole messages on."""
        self._received(messages, flow)

    def closed(self, connection: Connection) -> None:
        """Forget a connection and say that its flow is gone."""
        if self._table.pop(connection.number, None) is None:
            return
        self._names.pop(connection.number, None)
        if not connection.proved:
            self._count_down(connection.flow.remote[0])
        self._ended(connection.flow)

    # Inside.

    def _wire(self, transport: str) -> Wire:
        return WebSocketWire(self._security.origins) if transport in _WEB else StreamWire()

    def _open(self, transport: str, remote: tuple[str, int], name: str | None) -> Flow:
        try:
            prepared = prepare_tcp(self._local_host(remote), remote)
        except OSError as error:
            raise LocalError(f"no {transport} socket that reaches {remote[0]}: {error.strerror}") from error
        number = next(self._numbers)
        flow = Flow(transport, self._reachable_as(transport, prepared, remote), remote, number)
        connection = Connection(self, number, StreamWire(), transport, flow=flow)
        self._table[number] = connection
        self._names[number] = name
        task = asyncio.get_running_loop().create_task(self._connect(connection, prepared, name))
        self._connecting.add(task)
        task.add_done_callback(lambda task: self._settled(task, connection, prepared))
        return flow

    def _local_host(self, remote: tuple[str, int]) -> str:
        hosts = [host for _, (host, _) in self.listening if (":" in host) == (":" in remote[0])]
        return hosts[0] if hosts else "::" if ":" in remote[0] else "0.0.0.0"

    def _reachable_as(
        self, transport: str, prepared: socket.socket, remote: tuple[str, int]
    ) -> tuple[str, int]:
        """Name the listening port where there is one: Contact has to outlive this connection."""
        host, port = prepared.getsockname()[:2]
        if host in {"0.0.0.0", "::"}:
            host = source_address(remote)
        for name, (listening_host, listening_port) in self.listening:
            if name == transport and (":" in listening_host) == (":" in remote[0]):
                return host, listening_port
        return host, port

    async def _connect(self, connection: Connection, prepared: socket.socket, name: str | None) -> None:
        loop = asyncio.get_running_loop()
        flow = connection.flow
        secure = (self._security.client or ssl.create_default_context()) if flow.transport == "tls" else None
        try:
            async with asyncio.timeout(_CONNECT_S):
                await loop.sock_connect(prepared, flow.remote)
                await loop.create_connection(
                    lambda: connection,
                    sock=prepared,
                    ssl=secure,
                    server_hostname=(name or flow.remote[0]) if secure else None,
                )
        except (OSError, TimeoutError) as error:
            self.counters[f"{flow.transport}.connect_failed"] += 1
            self._failed(flow, str(error) or f"no connection within {_CONNECT_S:.0f} s")
            connection.fail()

    def _settled(self, task: asyncio.Task[None], connection: Connection, prepared: socket.socket) -> None:
        """A task that was cancelled before it began has closed nothing."""
        self._connecting.discard(task)
        if not connection.connected:
            prepared.close()

    def _count_down(self, address: str) -> None:
        self._unproved[address] -= 1
        if self._unproved[address] <= 0:
            del self._unproved[address]


def _address(server: asyncio.Server) -> tuple[str, int]:
    host, port = server.sockets[0].getsockname()[:2]
    return host, port


def _descriptors() -> int:
    """Return how many descriptors this process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
