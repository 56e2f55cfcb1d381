"""`tandem svaml check FILE`: can this document be obeyed, when, and if not, what is wrong where?

Exit codes: 0 it can (there may be warnings), 1 it cannot, 2 there is nothing to read.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gateway.cli.report import print_json
from gateway.svaml.check import JUDGED, Finding, Judgement, Severity, check
from gateway.svaml.model import Moment

__all__ = ["svaml"]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}

svaml = typer.Typer(help="Documents by which applications steer calls.", no_args_is_help=True)


@svaml.callback()
def _svaml() -> None:
    """Documents by which applications steer calls."""


@svaml.command("check")
def _check(
    file: Annotated[Path, typer.Argument(help="A file with SVAML; - is standard input.")],
    event: Annotated[
        Moment | None,
        typer.Option(case_sensitive=False, help="What the document answers; none = whatever it can."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say whether a document can be obeyed, and if not, what is wrong and where."""
    judgement = check(_read(file), JUDGED if event is None else (event,))
    if as_json:
        print_json(_document(judgement))
    else:
        _show(Console(highlight=False), str(file), judgement)
    raise typer.Exit(0 if judgement.good else 1)


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None


def _document(judgement: Judgement) -> dict[str, object]:
    return {
        "ok": judgement.good,
        "events": [moment.value for moment in judgement.moments],
        "findings": [asdict(finding) for finding in judgement.findings],
    }


def _show(console: Console, file: str, judgement: Judgement) -> None:
    for finding in judgement.findings:
        console.print(_line(file, finding), soft_wrap=True)
    if judgement.good:
        possible = ", ".join(moment.value for moment in judgement.moments)
        console.print(
            Text.assemble(("good  ", "green"), f"{file} can be used for {possible}"), soft_wrap=True
        )


def _line(file: str, finding: Finding) -> Text:
    """Return `FILE:LINE:COLUMN: error: PATH REASON; CURE`, a form that editors understand."""
    cure = f"; {finding.cure}" if finding.cure else ""
    return Text.assemble(
        f"{file}:{finding.line}:{finding.column}: ",
        (finding.severity.value, _STYLES[finding.severity]),
        f": {finding.path} {finding.reason}{cure}",
    )
