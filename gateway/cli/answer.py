"""`tandem answer`: a test phone that takes calls, says something or echoes, and tells how each one was."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gateway.cli.report import Progress, checked_recording, credentials_of, explain, print_json, print_report
from gateway.errors import LocalError
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.choices import codec_names, voice
from gateway.lab.phone.handset import Handset
from gateway.lab.phone.phone import CallFailed
from gateway.lab.phone.reach import destination, host_and_port
from gateway.lab.phone.stopping import stop_on_signals
from gateway.lab.phone.summary import PhoneReport, summarise
from gateway.lab.phone.talk import AnswerPlan, take_calls
from gateway.lab.samples import write_wav

__all__ = ["answer"]


def answer(
    registrar: Annotated[
        str, typer.Option(help="Where --user registers.", metavar="URI")
    ] = "sip:127.0.0.1:5060",
    user: Annotated[str | None, typer.Option(help="Register as this user; goes with --password.")] = None,
    password: Annotated[str | None, typer.Option(help="The password of --user.")] = None,
    listen: Annotated[
        str, typer.Option(help="HOST:PORT to be called at when there is no --user.")
    ] = "127.0.0.1:5070",
    wav: Annotated[
        Path | None, typer.Option(help="Say this WAV file over and over; without it, a sample of speech.")
    ] = None,
    echo: Annotated[bool, typer.Option("--echo", help="Say what is heard.")] = False,
    mic: Annotated[bool, typer.Option("--mic", help="Talk yourself, through the sound card.")] = False,
    tone: Annotated[float | None, typer.Option(help="Say a tone of so many Hz.", metavar="HZ")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Write what was heard to this WAV file; call n > 1 to NAME-n.wav.")
    ] = None,
    calls: Annotated[int | None, typer.Option(min=1, help="Stop after so many calls.")] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.1, help="Hang up each call after so many seconds.")
    ] = None,
    codec: Annotated[str, typer.Option(help="Codecs to accept, the best first.")] = "PCMU,PCMA",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document at the end.")] = False,
) -> None:
    """Take calls, say something or echo, and tell how each call was.

    Exit code 0: something was heard in every call.  1: not so, or the registrar refused.
    """
    with ExitStack() as open_things:
        try:
            checked_recording(record)
            handset = open_things.enter_context(Handset()) if mic else None
            credentials = credentials_of(user, password)
            host, port = host_and_port(listen)
            plan = AnswerPlan(
                voice=voice(wav=wav, echo=echo, tone_hz=tone, handset=handset, repeat=True),
                registrar=destination(registrar) if credentials else None,
                credentials=credentials,
                host=host,
                port=port,
                n_calls=calls,
                duration_s=duration,
                codecs=codec_names(codec),
            )
        except LocalError as error:
            raise typer.BadParameter(str(error)) from error
        try:
            reports = asyncio.run(_Answering(record, quiet=as_json).run(plan))
        except (CallFailed, LocalError) as error:
            explain(error, target=registrar if credentials else listen, as_json=as_json)
    if as_json:
        print_json({"calls": [report.to_dict() for report in reports]})
    if not all(report.call.packets_received for report in reports):
        raise typer.Exit(1)


class _Answering:
    """Shows and records the calls as they come and go."""

    def __init__(self, record: Path | None, *, quiet: bool) -> None:
        self._record = record
        self._out = Console(quiet=quiet, highlight=False)
        self._err = Console(stderr=True, highlight=False)
        self._progress = Progress(self._out)
        self._reports: list[PhoneReport] = []

    async def run(self, plan: AnswerPlan) -> list[PhoneReport]:
        """Take the calls; return their reports."""
        with stop_on_signals() as stop, self._progress:
            await take_calls(plan, stop, ready=self._ready, started=self._started, ended=self._tell)
        return self._reports

    def _ready(self, where: str) -> None:
        self._say(f"ready for calls at {where}")
        self._progress.wait("waiting for a call; Ctrl-C ends")

    def _started(self, call: PhoneCall) -> None:
        self._say(f"call from {call.peer}")
        self._progress.watch(call)

    def _say(self, text: str) -> None:
        """Tell what happens: above the live line if there is one, else on stderr, where a script can wait for it."""
        watched = self._out.is_terminal and not self._out.quiet
        (self._out if watched else self._err).print(Text(text))

    def _tell(self, call: PhoneCall) -> None:
        report = summarise(call)
        self._reports.append(report)
        recording = self._write(call)
        print_report(self._out, report, recording=None if recording is None else str(recording))

    def _write(self, call: PhoneCall) -> Path | None:
        if self._record is None:
            return None
        number = len(self._reports)
        path = self._record if number == 1 else self._record.with_stem(f"{self._record.stem}-{number}")
        write_wav(path, call.media.listener.heard.pcm())
        return path
