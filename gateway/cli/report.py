"""How a test call is told: a table for people, one JSON document for programs, a live line while it lasts.

With `--json` nothing but the document goes to stdout; what is said on the way goes to stderr.  Exit codes:
0 the call was answered and something was heard, 1 it came to nothing, 2 the command was not understood.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.errors import LocalError
from gateway.lab.phone.advice import advice
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.phone import CallFailed
from gateway.lab.phone.summary import PhoneReport
from gateway.sip.authentication import Credentials

__all__ = ["Progress", "checked_recording", "credentials_of", "explain", "print_json", "print_report"]

_GOOD_MOS: Final = 4.0
_FAIR_MOS: Final = 3.1
_QUIET_DBOV: Final = -60.0
_GOOD_LIKENESS: Final = 0.95


def credentials_of(user: str | None, password: str | None) -> Credentials | None:
    """Return the credentials of `--user` and `--password`; one without the other is a usage error."""
    if (user is None) != (password is None):
        raise typer.BadParameter("--user and --password belong together")
    return Credentials(user, password) if user is not None and password is not None else None


def checked_recording(path: Path | None) -> Path | None:
    """Return where to record; a place that cannot be written is a usage error before the call, not after."""
    if path is not None and not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"--record: {path} cannot be written")
    return path


def print_json(document: object) -> None:
    """Write one JSON document, and nothing else, to stdout."""
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()


def explain(error: CallFailed | LocalError, *, target: str, as_json: bool) -> NoReturn:
    """Say why it came to nothing and what to try, and exit with 1."""
    hint, status = "", None
    if isinstance(error, CallFailed):
        hint, status = advice(error.cause), error.cause.status
    said = f"{status} {error}" if status else str(error)
    if as_json:
        print_json({"target": target, "answered": False, "status": status, "outcome": said, "hint": hint})
    else:
        console = Console(stderr=True, highlight=False)
        console.print(Text.assemble(("failed  ", "bold red"), said))
        if hint:
            console.print(Text(f"        {hint}"))
    raise typer.Exit(1)


def print_report(console: Console, report: PhoneReport, *, recording: str | None = None) -> None:
    """Show the report to a person."""
    table = Table(title=f"Call with {report.call.target}", title_justify="left", show_header=False, box=None)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in _rows(report):
        table.add_row(name, value)
    if recording is not None:
        table.add_row("recorded", recording)
    console.print(table)


class Progress:
    """One live line about the newest call, if stdout is a terminal; otherwise nothing."""

    def __init__(self, console: Console, idle: str = "...") -> None:
        self._call: PhoneCall | None = None
        self._idle = idle
        self._live = Live(get_renderable=self._line, console=console, refresh_per_second=4, transient=True)
        self._shown = console.is_terminal

    def __enter__(self) -> Self:
        if self._shown:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._live.stop()

    def watch(self, call: PhoneCall) -> None:
        """Show this call from now on."""
        self._call = call

    def wait(self, idle: str) -> None:
        """Show what is waited for while there is no call."""
        self._idle = idle

    def _line(self) -> Text:
        call = self._call
        idle = call is None or call.cause is not None
        return Text(self._idle if idle or call is None else _progress(call, time.monotonic()))


def _progress(call: PhoneCall, now: float) -> str:
    """Say in one line how a call goes."""
    if call.answered_s is None:
        doing = "ringing at" if call.ringing_s is not None else "calling"
        return f"{doing} {call.peer}, {now - call.started_s:.0f} s"
    receiver = call.media.listener.receiver
    keys = "".join(key.key for key in call.keys)
    minutes, seconds = divmod(int(now - call.answered_s), 60)
    return (
        f"{minutes:02}:{seconds:02}  {call.peer}  heard {receiver.n_packets} packets, {receiver.n_lost} lost, "
        f"jitter {receiver.jitter_ms:.1f} ms" + (f", keys {keys}" if keys else "")
    )


def _rows(report: PhoneReport) -> list[tuple[str, Text | str]]:
    call = report.call
    rows: list[tuple[str, Text | str]] = [
        ("set-up", _set_up(report)),
        ("lasted", f"{call.duration_s:.1f} s, ended by {_ended_by(report)}"),
        ("codec", f"{call.codec} ({call.codec_reason})" if call.codec else "none was agreed"),
        ("sent", _sent(report)),
        ("heard", _heard(report)),
        ("jitter", f"{call.jitter_ms:.1f} ms"),
    ]
    if report.srtp is not None:
        rows.append(("encrypted", report.srtp))
    if report.round_trip_ms is not None:
        rows.append(("network", f"{report.round_trip_ms:.1f} ms there and back, by RTCP"))
    if report.holes:
        rows.append(("holes", Text(f"{report.holes}, {report.hole_ms:.0f} ms in all", style="yellow")))
    if call.correlation is not None:
        rows.append(("echo", _echo(report, call.correlation)))
    if call.mos is not None:
        rows.append(
            ("quality", Text(f"MOS {call.mos:.2f} of 4.5, by the E-model", style=_mos_style(call.mos)))
        )
    if call.digits_heard:
        rows.append(("keys", call.digits_heard))
    return rows


def _set_up(report: PhoneReport) -> str:
    if report.call.set_up_ms is None:
        return "never answered"
    first = report.first_sound_ms
    sound = (
        "" if first is None else f", first sound {abs(first):.0f} ms {'after' if first >= 0 else 'before'}"
    )
    return f"{report.call.set_up_ms:.0f} ms{sound}"


def _ended_by(report: PhoneReport) -> str:
    by = {"local": "us", "remote": "the other end", "timeout": "a time-out", "transport": "the network"}
    why = f": {report.reason}" if report.reason and report.ended_by != "local" else ""
    return by.get(report.ended_by, report.ended_by) + why


def _sent(report: PhoneReport) -> str:
    lost = "" if report.lost_at_peer is None else f", {report.lost_at_peer} lost by the other end's count"
    return f"{report.call.packets_sent} packets{lost}"


def _heard(report: PhoneReport) -> Text:
    call = report.call
    if not call.packets_received:
        return Text("nothing", style="bold red")
    counts = {
        "late": call.packets_late,
        "duplicate": call.packets_duplicate,
        "out of order": call.packets_out_of_order,
        "unusable": report.packets_unusable,
    }
    parts = [f"{call.packets_received} packets", f"{call.packets_lost} lost ({call.loss_pct:.1f} % missed)"]
    parts += [f"{count} {name}" for name, count in counts.items() if count]
    parts.append("all silence" if report.level_dbov < _QUIET_DBOV else f"{report.level_dbov:.0f} dBov")
    return Text(", ".join(parts), style="yellow" if call.loss_pct else "")


def _echo(report: PhoneReport, likeness: float) -> Text:
    gaps = report.call.gaps
    holes = f"{len(gaps)} gaps, {sum(gap.duration_ms for gap in gaps):.0f} ms in all" if gaps else "no gaps"
    return Text(
        f"correlation {likeness:.3f}, {report.echo_delay_ms or 0.0:.0f} ms later, {holes}",
        style="green" if likeness > _GOOD_LIKENESS and not gaps else "yellow",
    )


def _mos_style(mos: float) -> str:
    return "green" if mos >= _GOOD_MOS else "yellow" if mos >= _FAIR_MOS else "red"
