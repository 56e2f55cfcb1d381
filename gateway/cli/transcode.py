"""`tandem transcode`: between WAV and raw codec payloads, from file to file.

The name of a file says what is in it (`gateway.lab.payloads` has the table); `--codec` says it where the name
does not, and between two WAV files it is the codec to go through.  Exit codes: 0 done, 1 a file is not what it
should be, 2 the command was not understood.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from gateway.cli.report import print_json
from gateway.errors import LocalError
from gateway.lab.payloads import SUFFIXES
from gateway.lab.transcoding import Coding, Report
from gateway.lab.transcoding import transcode as transcode_files
from voicecodecs import CODECS, CodecError, Implementation

__all__ = ["transcode"]

_LONG_S: Final = 20.0
"""Speech that is worth a progress bar."""
_MODES: Final = (20, 30)


def transcode(
    source: Annotated[Path, typer.Argument(metavar="IN", help=".wav .ulaw .alaw .g729 .bit .lbc")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help=".wav .ulaw .alaw .g729 .bit .lbc")],
    codec: Annotated[
        str | None,
        typer.Option(help="The codec of a file whose name does not tell, or to go through from WAV to WAV."),
    ] = None,
    mode: Annotated[int, typer.Option(help="iLBC: milliseconds a frame, 20 or 30.", metavar="20|30")] = 30,
    annexb: Annotated[bool, typer.Option(help="G.729: leave silence out (into a .bit file).")] = False,
    implementation: Annotated[str, typer.Option(help="native (C) or reference (Python).")] = "native",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Code speech from a WAV file into payloads, or decode payloads into a WAV file, at 8 kHz."""
    from_, to, through = _codings(source, target, codec.lower() if codec else None)
    options = _options(to.codec or through, mode, annexb=annexb)
    chosen = _implementation(implementation)
    try:
        with _bar() as bar:
            task = bar.add_task("", total=None, visible=False)
            report = transcode_files(
                from_,
                to,
                through=through,
                options=options,
                implementation=chosen,
                progress=lambda done_s, all_s: bar.update(
                    task, completed=done_s, total=all_s, visible=all_s >= _LONG_S
                ),
            )
    except LocalError as error:
        _fail(str(error), as_json=as_json)
    except CodecError as error:
        _fail(f"{source}: {error}", as_json=as_json)
    if as_json:
        print_json(asdict(report))
    else:
        _show(report)


def _codings(source: Path, target: Path, codec: str | None) -> tuple[Coding, Coding, str | None]:
    """Return what is in each file, and the codec to go through if both are WAV."""
    known = sorted(CODECS)
    if codec is not None and codec not in CODECS:
        raise typer.BadParameter(f"--codec {codec}: there are {', '.join(known)}")
    if source.absolute() == target.absolute():
        raise typer.BadParameter(f"IN and OUT are the same file: {source}")
    if not target.absolute().parent.is_dir():
        raise typer.BadParameter(f"OUT: there is no folder {target.absolute().parent}")
    names = {path: _told(path) for path in (source, target)}
    untold = [path for path, name in names.items() if name is None]
    if untold and (codec is None or len(untold) > 1):
        raise typer.BadParameter(
            f"{untold[-1]}: its name does not tell what is in it; name it .wav, {', '.join(SUFFIXES)}, or "
            "say the codec of one file with --codec"
        )
    if codec is not None and not untold and codec not in names.values() and set(names.values()) != {"wav"}:
        raise typer.BadParameter(f"--codec {codec}: the names of both files say otherwise")
    from_, to = (Coding(path, None if name == "wav" else name or codec) for path, name in names.items())
    if from_.codec is None and to.codec is None and codec is None:
        raise typer.BadParameter("both are WAV: say with --codec what to go through")
    return from_, to, codec if from_.codec is None and to.codec is None else None


def _told(path: Path) -> str | None:
    suffix = path.suffix.lower()
    return "wav" if suffix == ".wav" else SUFFIXES.get(suffix)


def _options(codec: str | None, mode: int, *, annexb: bool) -> dict[str, bool | int]:
    """Return the options of the codec that is coded with; None = nothing is."""
    if mode not in _MODES:
        raise typer.BadParameter(f"--mode {mode}: iLBC has 20 and 30")
    if annexb and codec != "g729":
        raise typer.BadParameter("--annexb: only G.729 has it, and only when coding")
    if codec == "g729":
        return {"annexb": annexb}
    return {"mode_ms": mode} if codec == "ilbc" else {}


def _implementation(name: str) -> Implementation:
    if name == "native":
        return "native"
    if name == "reference":
        return "reference"
    raise typer.BadParameter(f"--implementation {name}: native or reference")


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _fail(text: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"error": text})
    else:
        Console(stderr=True, highlight=False).print(Text.assemble(("failed  ", "bold red"), text))
    raise typer.Exit(1)


def _show(report: Report) -> None:
    facts = [f"{report.duration_s:.2f} s", f"{report.bytes_written} bytes"]
    counted = {
        "frames read": report.frames_read,
        "frames coded": report.frames_coded,
        "frames were lost": report.frames_lost,
        "frames of silence": report.frames_untransmitted,
        "samples after the last whole frame dropped": report.samples_dropped,
    }
    facts += [f"{n} {what}" for what, n in counted.items() if n]
    way = " to ".join(filter(None, (report.source_codec, report.through, report.target_codec)))
    Console(highlight=False, soft_wrap=True).print(
        f"{report.target}: {way}, {', '.join(facts)}", markup=False
    )
