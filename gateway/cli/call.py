"""`tandem call`: a test phone that calls, says something, listens, and tells how it was."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.cli.report import Progress, checked_recording, credentials_of, explain, print_json, print_report
from gateway.errors import LocalError
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.choices import codec_names, voice
from gateway.lab.phone.handset import Handset
from gateway.lab.phone.keys import check_keys
from gateway.lab.phone.phone import CallFailed
from gateway.lab.phone.reach import destination
from gateway.lab.phone.stopping import stop_on_signals
from gateway.lab.phone.summary import summarise
from gateway.lab.phone.talk import CallPlan, make_call
from gateway.lab.samples import write_wav
from gateway.sdp.crypto import Srtp

__all__ = ["call"]


def call(
    uri: Annotated[str, typer.Argument(help="Whom to call, e.g. sip:echo@127.0.0.1:5060.", metavar="URI")],
    wav: Annotated[
        Path | None, typer.Option(help="Say this WAV file; without it, a sample of speech.")
    ] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Talk yourself, through the sound card.")] = False,
    record: Annotated[Path | None, typer.Option(help="Write what was heard to this WAV file.")] = None,
    dtmf: Annotated[str, typer.Option(help="Press these keys after the answer; a comma waits 0.5 s.")] = "",
    codec: Annotated[str, typer.Option(help="Codecs to offer, the best first.")] = "PCMU,PCMA",
    duration: Annotated[
        float | None,
        typer.Option(min=0.1, help="Hang up after so many seconds; without it, when all is said."),
    ] = None,
    user: Annotated[str | None, typer.Option(help="Who calls; goes with --password.")] = None,
    password: Annotated[str | None, typer.Option(help="The password of --user.")] = None,
    proxy: Annotated[str | None, typer.Option(help="HOST:PORT to send the call to.")] = None,
    transport: Annotated[Literal["udp", "tcp"], typer.Option(help="How SIP travels.")] = "udp",
    srtp: Annotated[bool, typer.Option("--srtp", help="Encrypt the media, or have no call.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Call a SIP address, say something, listen, and tell how it was.

    Exit code 0: answered and something was heard.  1: the call came to nothing.
    """
    with ExitStack() as open_things:
        try:
            check_keys(dtmf)
            checked_recording(record)
            hop = None if proxy is None else destination(proxy, transport=transport)
            handset = open_things.enter_context(Handset()) if mic else None
            plan = CallPlan(
                target=destination(uri, host=proxy or "127.0.0.1", transport=transport),
                voice=voice(wav=wav, handset=handset, repeat=duration is not None),
                keys=dtmf,
                duration_s=duration,
                codecs=codec_names(codec),
                credentials=credentials_of(user, password),
                proxy=hop,
                srtp=Srtp.DEMANDED if srtp else Srtp.ACCEPTED,
            )
        except LocalError as error:
            raise typer.BadParameter(str(error)) from error
        try:
            made = asyncio.run(_make(plan, quiet=as_json))
        except (CallFailed, LocalError) as error:
            explain(error, target=str(plan.target), as_json=as_json)
    _tell(made, record, as_json=as_json)


async def _make(plan: CallPlan, *, quiet: bool) -> PhoneCall:
    with stop_on_signals() as stop, Progress(Console(quiet=quiet)) as progress:
        return await make_call(plan, stop, started=progress.watch)


def _tell(made: PhoneCall, record: Path | None, *, as_json: bool) -> None:
    report = summarise(made)
    if record is not None:
        write_wav(record, made.media.listener.heard.pcm())
    if as_json:
        print_json(report.to_dict())
    else:
        print_report(Console(highlight=False), report, recording=None if record is None else str(record))
    if not report.call.packets_received:
        raise typer.Exit(1)
