"""A network of SIP endpoints in virtual time: no sockets, chosen delays, chosen losses.

Every endpoint is attached at an address and driven by the adapter that drives real sockets
(`gateway.transport.sip_driver`); only the way of a datagram is simulated.  What passed is kept in order, as
the messages themselves, so that a test can read the conversation, and a failing one can print it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, TypeVar

from gateway.errors import LocalError
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import Event
from gateway.sip.flow import Datagram, Flow
from gateway.sip.message import Request, Response, parse_message_untrusted
from gateway.sip.uri import Uri
from gateway.transport.sip_driver import EndpointDriver

__all__ = ["Impairment", "Passed", "SimulatedRim", "SipNetwork"]

_Result = TypeVar("_Result")
_LATENCY_S: Final = 0.005
_TICK_S: Final = 1e-9
"""What leaves at one instant arrives in order: the loop's own order of equal times is none."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One message on its way."""

    at: float
    source: tuple[str, int]
    destination: tuple[str, int]
    message: Request | Response
    lost: bool

    def __str__(self) -> str:
        said = self.message
        line = f"{said.method} {said.uri}" if isinstance(said, Request) else f"{said.status} {said.reason}"
        arrow = "--x" if self.lost else "-->"
        return f"{self.at:9.3f}  {self.source[0]:>12} {arrow} {self.destination[0]:<12}  {line}"


@dataclass(frozen=True, slots=True)
class Impairment:
    """What a network does to messages by chance."""

    random: Random = field(default_factory=lambda: Random(0))
    loss: float = 0.0
    duplicate: float = 0.0
    delay_s: float = 0.0
    """The most; with different delays messages overtake each other."""

    def delays(self) -> list[float]:
        """Return the delay of each copy of a message that arrives."""
        if self.random.random() < self.loss:
            return []
        copies = 2 if self.random.random() < self.duplicate else 1
        return [self.random.random() * self.delay_s for _ in range(copies)]


class SipNetwork:
    """Carries messages between attached endpoints, as datagrams of UDP or messages of a WebSocket."""

    def __init__(self, *, latency_s: float = _LATENCY_S) -> None:
        self.passed: Final[list[Passed]] = []
        self.lose: Callable[[Passed], bool] = lambda passed: False
        """Says of each message whether it is lost."""
        self._latency_s = latency_s
        self._impairment = Impairment()
        self._rims: dict[tuple[str, int], SimulatedRim] = {}
        self._transports: dict[str, str] = {}
        self.names: Final[dict[str, list[str]]] = {}
        """Host names and their addresses, in the order in which to try them."""
        self._loop = asyncio.get_running_loop()

    def attach(
        self, endpoint: Endpoint, host: str, port: int = 5060, *, transport: str = "udp"
    ) -> SimulatedRim:
        """Put an endpoint on the network; `ws`: all that it says and hears goes over a WebSocket."""
        rim = SimulatedRim(self, endpoint, (host, port))
        self._rims[host, port] = rim
        if transport != "udp":
            self._transports[host] = transport
        return rim

    def flow(self, local: tuple[str, int], remote: tuple[str, int]) -> Flow:
        """Return the way from one address to another."""
        transports = (self._transports.get(host) for host, _ in (local, remote))
        return Flow(next(filter(None, transports), "udp"), local, remote)

    def impair(self, random: Random, *, loss: float, duplicate: float, delay_s: float) -> None:
        """From now on lose and double messages with these probabilities, and delay each by up to `delay_s`."""
        self._impairment = Impairment(random, loss, duplicate, delay_s)

    def unplug(self, rim: SimulatedRim) -> None:
        """Take an endpoint off the network without a word: what is sent to it is lost."""
        del self._rims[rim.address]

    def said_by(self, host: str) -> list[str]:
        """Return what left a host, in order: methods of requests and statuses of responses."""
        return [
            said.method if isinstance(said, Request) else str(said.status)
            for said in (passed.message for passed in self.passed if passed.source[0] == host)
        ]

    def ladder(self) -> str:
        """Return the conversation as text, one message a line."""
        return "\n".join(str(passed) for passed in self.passed)

    def carry(self, datagram: Datagram, source: tuple[str, int]) -> None:
        """Take a datagram from an endpoint."""
        destination = datagram.flow.remote
        message = parse_message_untrusted(datagram.data)
        passed = Passed(self._loop.time(), source, destination, message, lost=False)
        lost = self.lose(passed) or destination not in self._rims
        self.passed.append(Passed(passed.at, source, destination, message, lost))
        in_order_s = len(self.passed) * _TICK_S
        for delay_s in () if lost else self._impairment.delays():
            self._loop.call_later(
                self._latency_s + delay_s + in_order_s, self._deliver, datagram.data, source, destination
            )

    def _deliver(self, data: bytes, source: tuple[str, int], destination: tuple[str, int]) -> None:
        rim = self._rims.get(destination)
        if rim is not None:
            rim.deliver(data, source)


class SimulatedRim:
    """One endpoint's place on the network; the same face as `gateway.transport.sip_rim.SipRim`."""

    def __init__(self, network: SipNetwork, endpoint: Endpoint, address: tuple[str, int]) -> None:
        self.endpoint: Final = endpoint
        self.address: Final = address
        self._network: Final = network
        self._driver = EndpointDriver(endpoint, lambda datagram: network.carry(datagram, address))

    def do(self, operation: Callable[[float], _Result]) -> _Result:
        """Call the endpoint and do what follows."""
        return self._driver.do(operation)

    def local_flow(self, transport: str, remote: tuple[str, int]) -> Flow:
        """Return the flow to a remote address."""
        flow = self._network.flow(self.address, remote)
        if transport not in {"udp", flow.transport}:
            raise LocalError(f"no {transport} here")
        return flow

    async def flow_to(self, uri: Uri) -> Flow:
        """Return the flow to the first server of a URI."""
        return (await self.flows_to(uri))[0]

    async def flows_to(self, uri: Uri) -> Sequence[Flow]:
        """Return the flows to the servers of a URI, whose host is an address or one of the network's names."""
        transport, port = uri.parameter("transport") or "udp", uri.port or 5060
        return [
            self.local_flow(transport, (host, port)) for host in self._network.names.get(uri.host, [uri.host])
        ]

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens."""
        return self._driver.events()

    def close(self) -> None:
        """Say and hear nothing more."""
        self._driver.close()

    def deliver(self, data: bytes, source: tuple[str, int]) -> None:
        """Hand a datagram to the endpoint."""
        self._driver.receive(data, self.local_flow("udp", source))
        self._driver.work()
        assert not self._driver.falls, f"the engine fell over: {dict(self._driver.falls)}"
