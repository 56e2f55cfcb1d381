"""The switch process: what is built from a configuration, in which order, and how it ends.

`python -m gateway.service` is started by the supervisor (`gateway.supervisor`), which tells it where the media
process listens, which epoch this is, and hands it two descriptors: one to say "ready" on, and one whose end of
file means that the supervisor is gone.

- start: configuration, endpoint, sockets, media client, switch, HTTP; ready when `/healthz` answers 200
- main: serve until told otherwise
- end: SIGTERM refuses new calls and waits up to five minutes for those that are up; a second SIGTERM, SIGINT or
  the supervisor's death hangs up every call, and five seconds later the process is gone
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import structlog

from gateway.api import AppClients, PhoneOnly, create_app, serve_http
from gateway.application import ApplicationLayer, Studio, open_applications
from gateway.callbacks.allowed import is_loopback
from gateway.clock import SystemClock
from gateway.config import Config, inherited
from gateway.endpoint_settings import endpoint_config
from gateway.errors import ConfigError
from gateway.ids import SystemIds
from gateway.media.answering_machine import AnsweringTerms
from gateway.media.crypto import why_not as srtp_why_not
from gateway.observe import Metrics, configure
from gateway.observe.trace import Traced
from gateway.observe.trace.tracer import Tracer, tracer_of
from gateway.sdp.crypto import Srtp
from gateway.sip.admission import Episode
from gateway.sip.endpoint import Endpoint
from gateway.sip.flow import Flow
from gateway.switch.adoption import adopt_sessions, noted
from gateway.switch.browsers import MediaWish
from gateway.switch.doors import Doors
from gateway.switch.encryption import Encryption
from gateway.switch.guests import KnownNames
from gateway.switch.ports import EventLog
from gateway.switch.rings import FreeRings
from gateway.switch.routing import RoutingTable
from gateway.switch.switch import Switch
from gateway.switch.world import Settings, World
from gateway.transport.call_memory import SlotMemory
from gateway.transport.dtls import Certificate
from gateway.transport.loop_watch import LoopWatch, Stall
from gateway.transport.media_client import MediaClient
from gateway.transport.media_metrics import MediaMetrics
from gateway.transport.recording_client import RecordingClient
from gateway.transport.signalling import Signalling
from gateway.transport.sip_rim import Security, SipRim
from gateway.transport.sip_tls import client_context, server_context
from gateway.transport.speech_client import SpeechClient
from gateway.trunk_settings import DoorKeeper, trunk_of

__all__ = ["Surroundings", "main", "serve"]

MAX_CALLS: Final = 2000
DRAIN_S: Final = 300.0
END_S: Final = 5.0
_TRACEBACK_LINES: Final = 20
_GARBAGE: Final = (10_000, 10, 10)
"""After how many new objects the collector looks through those; a call makes hundreds that live for half a minute."""
SPOKEN_RINGS: Final = range(512)
RECORDED_S: Final = 0.9
"""What recordings get to be told of after the last call; END_S and this are less than the supervisor's patience."""
"""Of the shared rings, those that carry what callers hear; the others carry what is recorded."""
HOPELESS_STATUS: Final = os.EX_CONFIG
"""Starting again cannot help: the supervisor does not try."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the supervisor gives this process, besides the configuration."""

    media_sockets: tuple[str, ...]
    """Where each media worker listens."""
    epoch: int = 0
    ready_fd: int | None = None
    lifeline_fd: int | None = None
    calls_fd: int | None = None
    """Memory for notes on calls, which outlives this process; None = there is none."""
    speech_socket: str | None = None
    """Where the process listens that speaks; None = there is none."""
    recording_socket: str | None = None
    """Where the process listens that records; None = there is none."""
    rings_fd: int | None = None
    """Memory by which sound travels between processes; None = there is none."""

    @property
    def memory(self) -> SlotMemory | None:
        """Open the memory for notes on calls."""
        return None if self.calls_fd is None else SlotMemory.inherited(self.calls_fd)

    @classmethod
    def inherited(cls) -> Self:
        """Read them from the environment.

        Raises:
            ConfigError: the process was not started by the supervisor.
        """
        try:
            media_sockets = os.environ["TANDEM_MEDIA_SOCKETS"]
        except KeyError:
            raise ConfigError(
                "TANDEM_MEDIA_SOCKETS", "run `tandem serve`, which starts this process"
            ) from None
        return cls(
            media_sockets=tuple(media_sockets.split(os.pathsep)),
            epoch=int(os.environ.get("TANDEM_EPOCH", "0")),
            ready_fd=_descriptor("TANDEM_READY_FD"),
            lifeline_fd=_descriptor("TANDEM_LIFELINE_FD"),
            calls_fd=_descriptor("TANDEM_CALLS_FD"),
            speech_socket=os.environ.get("TANDEM_SPEECH_SOCKET"),
            recording_socket=os.environ.get("TANDEM_RECORDING_SOCKET"),
            rings_fd=_descriptor("TANDEM_RINGS_FD"),
        )


async def serve(config: Config, surroundings: Surroundings, log: EventLog) -> None:
    """Run the switch from start to end."""
    ids, clock = SystemIds(), SystemClock()
    keeper = DoorKeeper(config, log)
    doors = await keeper.open()
    memory = surroundings.memory
    left = noted(memory)
    spared = {call.id for call in left}
    speech = _speech(surroundings, clock, log)
    recorder = RecordingClient(surroundings.recording_socket) if surroundings.recording_socket else None
    studio = Studio.opened(recorder, surroundings.rings_fd)
    async with open_applications(
        config, log, clock, ids, spared=spared, prompter=speech, studio=studio
    ) as layer:
        passwords = layer.store.directory.passwords
        endpoint = Endpoint(endpoint_config(config, doors, passwords, layer.guests), ids)
        certificate = _certificate(clock)
        media = MediaClient(
            surroundings.media_sockets,
            epoch=surroundings.epoch,
            announced=config.media.announced,
            seats=config.media.room_legs,
            certificate=certificate,
        )
        adopt_sessions(endpoint, left, clock.now())  # before a socket is open: their peers speak at once
        tracer = _tracer(config)
        rim = _sip_rim(config, endpoint, tracer, log)
        async with rim, asyncio.TaskGroup() as tasks:
            signalling = Signalling(rim)
            settings = _settings(config, doors, KnownNames(passwords.keys(), layer.guests), certificate)
            world = World(
                signalling, media, clock, ids, log, settings, applications=layer.applications, memory=memory
            )
            switch = Switch(world)
            if (reason := srtp_why_not()) is not None:
                log.warning("srtp.unavailable", reason=reason)
            app = create_app(
                _Status(switch, media, endpoint),
                registry=_metrics(endpoint, rim, media, world, layer, speech).registry,
                platform=layer.platform(world, switch),
                clients=AppClients(layer.guests, config.sip.realm, config.sip.listen, signalling.bindings),
            )
            listening = asyncio.Event()
            with _Stop().heard(surroundings.lifeline_fd) as stop, LoopWatch(_tells_stalls(rim, log)):
                http = serve_http(
                    app,
                    config.http.listen.host,
                    config.http.listen.port,
                    on_listening=lambda _host, _port: listening.set(),
                )
                ready = _say_ready(media, listening, surroundings.ready_fd, log)
                parts: tuple[_Part | None, ...] = (media, switch, layer, keeper, speech, recorder, tracer)
                running = [part.run() for part in parts if part is not None]
                phone = _serve_phone(PhoneOnly(app), config)
                background = [tasks.create_task(each) for each in (*running, http, phone, ready)]
                await stop.asked.wait()
                await _end_calls(switch, rim, stop, log)
                await layer.settled(RECORDED_S)
            for task in background:
                task.cancel()


async def _serve_phone(app: PhoneOnly, config: Config) -> None:
    """Serve the web phone by HTTPS until cancelled, if somebody wants that."""
    phone, certificate, key = config.http.phone, config.sip.certificate, config.sip.key
    if phone and certificate and key:
        await serve_http(app, phone.host, phone.port, certificate=(certificate, key))


class _Part(Protocol):
    """What runs in the background."""

    def run(self) -> Coroutine[Any, Any, None]:
        """Run until cancelled."""
        ...


class _Stop:
    """The wishes to end: first to drain, then at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        """Somebody wants this process to end."""
        self.at_once = asyncio.Event()
        """And does not want to wait for calls."""

    @contextmanager
    def heard(self, lifeline_fd: int | None) -> Iterator[Self]:
        """Listen for signals and for the supervisor's death while the block runs."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGINT, self._now)
        if lifeline_fd is not None:
            loop.add_reader(lifeline_fd, self._now)
        try:
            yield self
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_signal_handler(signal.SIGINT)
            if lifeline_fd is not None:
                loop.remove_reader(lifeline_fd)

    def _terminate(self) -> None:
        if self.asked.is_set():
            self.at_once.set()
        self.asked.set()

    def _now(self) -> None:
        self.asked.set()
        self.at_once.set()


async def _end_calls(switch: Switch, rim: SipRim, stop: _Stop, log: EventLog) -> None:
    """Take no more calls, wait for those that are up, and at the end hang up what is left."""
    switch.drain()
    log.info("switch.draining", calls=switch.calls)
    at_once = asyncio.ensure_future(stop.at_once.wait())
    quiet = asyncio.ensure_future(switch.quiet())
    await asyncio.wait({at_once, quiet}, timeout=DRAIN_S, return_when=asyncio.FIRST_COMPLETED)
    at_once.cancel()
    quiet.cancel()
    log.info("switch.ending", calls=switch.calls)
    switch.end_all()
    try:
        async with asyncio.timeout(END_S):
            await switch.quiet()
            await rim.settled()
    except TimeoutError:
        log.warning("switch.sessions_left", calls=switch.calls)


class _Status:
    """What the health page tells."""

    def __init__(self, switch: Switch, media: MediaClient, endpoint: Endpoint) -> None:
        self._switch = switch
        self._media = media
        self._endpoint = endpoint

    @property
    def ready(self) -> bool:
        """New calls are taken: there is a media process, and nobody has asked for the end."""
        return self._media.ready and not self._switch.draining

    @property
    def census(self) -> Mapping[str, int]:
        """How many of each thing there are; what calls need is 0 when nobody calls."""
        media = {f"media_{name}": n for name, n in self._media.census().items()}
        return self._switch.census() | media | self._endpoint.census()


def _metrics(
    endpoint: Endpoint,
    rim: SipRim,
    media: MediaClient,
    world: World,
    layer: ApplicationLayer,
    speech: SpeechClient | None,
) -> Metrics:
    metrics = Metrics()
    layer.count(metrics)
    _count_trunks(metrics, world)
    metrics.counts("tandem_sip", "What the SIP engine counted", label="event", read=lambda: endpoint.counters)
    metrics.counts("tandem_rim", "What the SIP sockets counted", label="event", read=lambda: rim.counters)
    metrics.counts(
        "tandem_media_link", "What the links to media counted", label="event", read=lambda: media.counters
    )
    metrics.registry.register(MediaMetrics(lambda: media.figures))
    if speech is not None:
        metrics.counts("tandem_speech", "What became of prompts", label="event", read=lambda: speech.counters)
        metrics.gauges("tandem_speech_now", "Prompts under way", label="kind", read=speech.census)
    return metrics


def _count_trunks(metrics: Metrics, world: World) -> None:
    trunks, names = world.trunks, [trunk.name for trunk in world.settings.table.trunks]
    metrics.gauges(
        "tandem_trunk_health",
        "Its best server: 1 up, 0.5 suspect, 0 down",
        label="trunk",
        read=lambda: trunks.health_gauge(names),
    )
    metrics.gauges("tandem_trunk_calls", "Calls that it carries", label="trunk", read=trunks.calls_gauge)
    metrics.gauges(
        "tandem_trunk_registered", "We are registered there", label="trunk", read=trunks.registered_gauge
    )
    metrics.counts(
        "tandem_trunk_failures", "By trunk: silent, overloaded", label="event", read=lambda: trunks.counters
    )


async def _say_ready(
    media: MediaClient, listening: asyncio.Event, descriptor: int | None, log: EventLog
) -> None:
    """Say it when `/healthz` answers 200."""
    await media.connected()
    await listening.wait()
    _spare_what_lasts()
    log.info("switch.ready")
    if descriptor is not None:
        os.write(descriptor, b"1")
        os.close(descriptor)


def _spare_what_lasts() -> None:
    """Have garbage looked for among what calls make, and nowhere else.

    Going through everything that was imported takes a tenth of a second, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


# From the configuration.


def _sip_rim(config: Config, endpoint: Endpoint, tracer: Tracer | None, log: EventLog) -> SipRim:
    """Return the sockets of SIP, which tell the log what goes wrong on them."""

    def tell_fault(traceback: str) -> None:
        log.warning("sip.fault_stopped", traceback=traceback.splitlines()[-_TRACEBACK_LINES:])

    def tell_connect_failed(flow: Flow, why: str) -> None:
        log.warning("sip.connect_failed", transport=flow.transport, remote=list(flow.remote), reason=why)

    def tell_load(episode: Episode) -> None:
        facts = {"delay_ms": round(1000 * episode.delay_s), "rate_per_s": round(episode.rate_per_s, 1)}
        if episode.over:
            log.info("sip.recovered", refused=episode.refused, lasted_s=round(episode.lasted_s, 1), **facts)
        else:
            log.warning("sip.overloaded", **facts)

    return SipRim(
        endpoint,
        [str(listen) for listen in config.sip.listen],
        security=_security(config),
        on_fault=tell_fault,
        on_connect_failed=tell_connect_failed,
        on_message=_shown_to(tracer) if tracer else None,
        on_load=tell_load,
    )


def _tells_stalls(rim: SipRim, log: EventLog) -> Callable[[Stall], None]:
    def tell(stall: Stall) -> None:
        rim.counters["loop.stalled"] += 1
        stack = stall.stack[-_TRACEBACK_LINES:]
        log.warning("loop.stalled", lasted_ms=round(1000 * stall.lasted_s), stack=stack)

    return tell


def _tracer(config: Config) -> Tracer | None:
    trace = config.trace
    collector = (trace.hep.host, trace.hep.port) if trace.hep else None
    keep_bytes = trace.keep_megabytes * 1_000_000
    return tracer_of(
        config.data_dir,
        keep_bytes=keep_bytes,
        pcap=trace.pcap,
        pcap_bytes=trace.pcap_megabytes * 1_000_000,
        collector=collector,
    )


def _shown_to(tracer: Tracer) -> Callable[[bytes, Flow, bool], None]:
    def show(data: bytes, flow: Flow, sent: bool) -> None:
        ends = (flow.local, flow.remote) if sent else (flow.remote, flow.local)
        tracer.write(Traced(time.time(), *ends, flow.transport, data))

    return show


def _security(config: Config) -> Security:
    sip = config.sip
    return Security(
        server=server_context(sip.certificate, sip.key) if sip.certificate and sip.key else None,
        client=client_context(sip.authorities),
        origins=frozenset((*sip.origins, *_own_origins(config))),
    )


def _own_origins(config: Config) -> Iterator[str]:
    """Yield where pages of ours come from: a browser says it as the person has typed it."""
    yield "{0.scheme}://{0.netloc}".format(urlsplit(config.http.url))
    if is_loopback(config.http.listen.host):
        yield from (f"http://{host}:{config.http.listen.port}" for host in ("localhost", "127.0.0.1"))


def _settings(config: Config, doors: Doors, users: Set[str], certificate: Certificate | None) -> Settings:
    return Settings(
        table=RoutingTable(
            users=users,
            numbers={each.number: each.application for each in config.numbers},
            trunks=tuple(trunk_of(each) for each in config.trunks),
        ),
        doors=doors,
        max_calls=min(MAX_CALLS, len(config.media.ports.pairs) // 2),
        annexb=config.media.annexb,
        encryption=_encryption(config, certificate),
        force_tick=config.media.force_tick,
        answering=AnsweringTerms(**config.answering.model_dump()),
        host=config.sip.advertised or config.sip.listen[0].host,
    )


def _speech(surroundings: Surroundings, clock: SystemClock, log: EventLog) -> SpeechClient | None:
    """Return the way to whoever speaks, if there is anybody."""
    path = surroundings.speech_socket
    return None if path is None else SpeechClient(path, clock.now, log, FreeRings(SPOKEN_RINGS))


def _certificate(clock: SystemClock) -> Certificate | None:
    """Make what browsers are shown; None where nothing can be encrypted."""
    return None if srtp_why_not() is not None else Certificate.made(datetime.fromtimestamp(clock.wall(), UTC))


def _encryption(config: Config, certificate: Certificate | None) -> Encryption:
    """Return who wants SRTP; where there is no libcrypto nobody gets it."""
    if certificate is None:
        return Encryption(default=Srtp.OFF)
    return Encryption(
        fingerprint=certificate.fingerprint,
        users={each.name: Srtp(each.srtp) for each in config.users},
        calls={each.name: MediaWish(each.media) for each in config.users},
        trunks={each.name: Srtp(each.srtp) for each in config.trunks},
    )


def _demand_encryption(config: Config) -> None:
    """See that what is demanded can be had.

    Raises:
        ConfigError: somebody demands SRTP, and there is no libcrypto for it.
    """
    reason = srtp_why_not()
    for kind, section in (("users", config.users), ("trunks", config.trunks)):
        for each in section:
            if reason is not None and each.srtp == "demanded":
                raise ConfigError(f"{kind}[{each.name}].srtp", reason)


def _descriptor(name: str) -> int | None:
    text = os.environ.get(name)
    return int(text) if text else None


def main() -> None:
    """Run the switch that the environment describes."""
    try:
        config, surroundings = inherited(), Surroundings.inherited()
        _demand_encryption(config)
        configure(level=config.log.level, form=config.log.format)
        asyncio.run(serve(config, surroundings, structlog.get_logger()))
    except ConfigError as error:  # a database that cannot be, a key that is gone: trying again cannot help
        sys.stderr.write(f"{error}\n")
        raise SystemExit(HOPELESS_STATUS) from None


if __name__ == "__main__":
    main()
