"""`tandem serve`: read the configuration, see that the ports are free, then be the supervisor.

The processes get what the command line said through their environment, as configuration keys, so that a restarted
one is told exactly the same.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog
import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.cli.options import (
    ConfigOption,
    DataOption,
    HttpOption,
    LanOption,
    SipOption,
    TraceOption,
    complain,
    listeners,
    read_config,
)
from gateway.cli.phone_link import said_of_the_web_phone
from gateway.config import SECRETS_FILE, Config, Listen
from gateway.errors import ConfigError, LocalError
from gateway.observe import EVENTS, configure
from gateway.observe.trace.file import CaptureFile, older
from gateway.observe.trace.order import put_in_order
from gateway.supervisor import DataInUse, Plan, locked_data, run

__all__ = ["command_to_copy", "serve"]

USERS_SHOWN = 5
PYTHON = (sys.executable, "-P", "-m")
"""How the processes are run: -P, so that a `gateway` in the directory of whoever types it is not taken for ours."""


def serve(
    config: ConfigOption = None,
    data: DataOption = None,
    lan: LanOption = False,
    sip: SipOption = None,
    http: HttpOption = None,
    trace: TraceOption = None,
) -> None:
    """Start the switch.  Ready when GET /healthz answers 200; SIGTERM drains, a second one ends."""
    try:
        settings = read_config(config, data, lan=lan, sip=sip, http=http, trace=trace)
    except ConfigError as error:
        complain(error)
        raise typer.Exit(2) from None
    _refuse_taken_ports(settings)
    _begin_capture(settings)
    configure(level=settings.log.level, form=settings.log.format)
    plan = Plan(
        media=(*PYTHON, "gateway.transport.media_process"),
        switch=(*PYTHON, "gateway.service"),
        address=settings.media.address,
        pairs=settings.media.ports.pairs,
        config=str(config.absolute()) if config else "",
        data=str(settings.data_dir),
        workers=settings.media.workers,
        helpers=_helpers(settings),
        environment=_environment(settings),
    )
    try:
        with locked_data(settings.data_dir):
            status = run(plan, _reporter(lambda: _welcome(settings, lan=lan)))
            _order_capture(settings)
    except DataInUse as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(str(error), "bold red"))
        status = 1
    raise typer.Exit(status)


def command_to_copy(config: Config) -> str:
    """Return a command that calls the echo from any fresh shell."""
    user = config.users[0]
    listen = _preferred(config)
    program = Path(sysconfig.get_path("scripts")) / "tandem"
    command = [str(program)] if shutil.which(program) else [sys.executable, "-m", "gateway"]
    command += ["call", f"sip:echo@{_reachable(listen)}", "--user", user.name, "--password", user.password]
    if listen.transport != "udp":
        command += ["--transport", listen.transport]
    return shlex.join(command)


def callout_to_copy(config: Config) -> str:
    """Return a command by which an application calls its first user into a conference."""
    application, user = config.applications[0], config.users[0]
    destination = {"type": "username", "endpoint": user.name}
    wish = {"conferenceId": "demo", "destination": destination}
    body = json.dumps({"method": "conferenceCallout", "conferenceCallout": wish})
    credentials = f"{application.key}:{application.secret}"
    url = f"{config.http.url}/calling/v1/callouts"
    return shlex.join(["curl", "-u", credentials, "-H", "Content-Type: application/json", url, "-d", body])


def _refuse_taken_ports(settings: Config) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    taken = [listener for listener in listeners(settings) if listener.problem]
    for listener in taken:
        console.print(
            Text.assemble((f"{listener.written}  ", "bold red"), f"{listener.problem}; {listener.cure}")
        )
    if taken:
        raise typer.Exit(1)


def _helpers(settings: Config) -> Mapping[str, tuple[str, ...]]:
    """Return the programs beside switch and media, by name."""
    speech = {} if settings.speech.engine == "off" else {"speech": (*PYTHON, "gateway.speech_service")}
    recording = {"recording": (*PYTHON, "gateway.recording.process")} if settings.recording.enabled else {}
    return speech | recording


def _environment(settings: Config) -> dict[str, str]:
    """Return what the command line may have changed, as the keys of every child."""
    told = {
        "TANDEM_HTTP__LISTEN": str(settings.http.listen),
        "TANDEM_SIP__LISTEN": ",".join(map(str, settings.sip.listen)),
        "TANDEM_MEDIA__ADDRESS": settings.media.address,
        "TANDEM_MEDIA_ADVERTISED": settings.media.announced,
        "TANDEM_MEDIA_REAL_TIME": str(int(settings.media.real_time)),
        "TANDEM_MEDIA_FLIGHT_MB": str(settings.media.flight_mb),
        "TANDEM_LOG__LEVEL": settings.log.level,
        "TANDEM_LOG__FORMAT": settings.log.format,
    }
    if (pcap := settings.trace.pcap) is not None:
        told["TANDEM_TRACE__PCAP"] = str(pcap.absolute())
        told["TANDEM_MEDIA_CAPTURE"] = str(pcap.absolute()) if settings.trace.media else ""
        told["TANDEM_MEDIA_CAPTURE_MB"] = str(settings.trace.pcap_megabytes)
    if settings.http.phone:
        told["TANDEM_HTTP__PHONE"] = str(settings.http.phone)
    for name in ("certificate", "key"):
        if (path := getattr(settings.sip, name)) is not None:
            told[f"TANDEM_SIP__{name.upper()}"] = str(path.absolute())
    if settings.sip.advertised:
        told["TANDEM_SIP__ADVERTISED"] = settings.sip.advertised
    if settings.media.advertised:
        told["TANDEM_MEDIA__ADVERTISED"] = settings.media.advertised
    return told


def _begin_capture(settings: Config) -> None:
    """See that the capture file can be written, before anybody has to."""
    if settings.trace.pcap is None:
        return
    try:
        CaptureFile(settings.trace.pcap, settings.trace.pcap_megabytes * 1_000_000).prepare()
    except LocalError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"trace  {error}", "bold red"))
        raise typer.Exit(1) from None


def _order_capture(settings: Config) -> None:
    """Put the capture in order of time, now that nobody writes to it."""
    if settings.trace.pcap is None:
        return
    for path in (older(settings.trace.pcap), settings.trace.pcap):
        try:
            put_in_order(path)
        except FileNotFoundError:
            pass  # nothing was full, or nothing was said
        except OSError as error:
            structlog.get_logger().warning("capture.failed", file=str(path), reason=error.strerror)


def _reporter(welcome: Callable[[], None]) -> Callable[[str, Mapping[str, object]], None]:
    """Log what the supervisor reports, at the level of the table; welcome the user when all is ready at first."""
    log = structlog.get_logger()
    welcomed = False

    def report(event: str, facts: Mapping[str, object]) -> None:
        nonlocal welcomed
        if event == "supervisor.ready" and not welcomed:
            welcomed = True
            welcome()
        getattr(log, EVENTS[event].level)(event, **facts)

    return report


def _welcome(settings: Config, *, lan: bool) -> None:
    """Show where everything is; a terminal that has gone away is no reason to stop."""
    try:
        console = Console(highlight=False)
        console.print(
            Panel(_addresses(settings, lan=lan), title="Tandem is ready", title_align="left", expand=False)
        )
        if settings.users:
            print(f"{said_of_the_web_phone(settings)}\n", flush=True)
            print(f"Call the echo from another terminal:\n\n{command_to_copy(settings)}\n", flush=True)
            print(
                f"Let the application call {settings.users[0].name}'s phone:\n\n{callout_to_copy(settings)}\n",
                flush=True,
            )
    except (OSError, ValueError):
        pass


def _addresses(settings: Config, *, lan: bool) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("HTTP", settings.http.url)
    if settings.http.phone:
        grid.add_row("web phone", f"https://{settings.http.phone}/phone")
    grid.add_row("SIP", "  ".join(map(str, settings.sip.listen)))
    grid.add_row("RTP", f"{settings.media.address} ports {settings.media.ports}")
    for application in settings.applications[:USERS_SHOWN]:
        grid.add_row("application", f"key {application.key}  secret {application.secret}")
    for user in settings.users[:USERS_SHOWN]:
        grid.add_row("user", f"{user.name}  password {user.password}")
    if settings.trace.pcap is not None:
        grid.add_row("trace", f"{settings.trace.pcap}  SIP{', RTP, RTCP' if settings.trace.media else ''}")
    if len(settings.users) > USERS_SHOWN:
        grid.add_row("", f"and {len(settings.users) - USERS_SHOWN} more")
    grid.add_row("secrets", str(settings.data_dir / SECRETS_FILE))
    if lan:
        listen = _preferred(settings)
        grid.add_row(
            "softphone", f"domain/registrar {_reachable(listen)}, transport {listen.transport.upper()},"
        )
        grid.add_row("", "user and password as above, codec PCMU or PCMA, no STUN, no proxy, no SRTP")
        if settings.http.phone:
            grid.add_row(
                "browsers", "the certificate of the web phone is our own: they ask before they go on"
            )
    return grid


def _preferred(config: Config) -> Listen:
    """Return the listener that a phone would be told: UDP if there is one."""
    return min(config.sip.listen, key=lambda one: ("udp", "tcp", "tls", "ws", "wss").index(one.transport))


def _reachable(listen: Listen) -> str:
    """Return host and port to call; nobody can call the wildcard address, but it includes loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)
    return str(Listen(listen.transport, host, listen.port).address)
