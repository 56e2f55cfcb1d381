"""How a callback is shown: to a person at a terminal, to a program as one line of JSON, and as files to keep."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.json import JSON
from rich.padding import Padding
from rich.text import Text

from gateway.lab.listening.server import Heard
from gateway.observe.plain import escaped
from gateway.signing import Accepted

__all__ = ["as_json", "keep", "show"]

_STYLES: Final = {"ice": "cyan", "ace": "green", "pie": "magenta", "dice": "yellow", "notify": "blue"}
_INDENT: Final = 10
_NOT_FOR_FILE_NAMES: Final = re.compile(r"[^A-Za-z0-9.@_-]")


def show(console: Console, heard: Heard) -> None:
    """Print a callback for a person: what came, whether it was signed, what was answered."""
    lines: list[RenderableType] = [_headline(heard)]
    came = (
        _json(heard.event) if heard.event is not None else Text(escaped(heard.body.decode(errors="replace")))
    )
    lines.append(Padding(came, (0, 0, 0, _INDENT)))
    lines.append(Padding(_answered(heard), (0, 0, 0, _INDENT)))
    console.print(Group(*lines), Text())


def as_json(heard: Heard) -> str:
    """Return one line that tells a program all of it."""
    verdict = heard.verdict
    return json.dumps(
        {
            "number": heard.number,
            "at": heard.at,
            "event": heard.name,
            "call": heard.call,
            "path": heard.path,
            "headers": {name.lower(): value for name, value in heard.headers},
            "signed": None if verdict is None else isinstance(verdict, Accepted),
            "again": heard.again,
            "body": heard.event if heard.event is not None else heard.body.decode(errors="replace"),
            "answer": None if heard.answer is None else heard.answer.document,
            "remarks": [] if heard.answer is None else list(heard.answer.remarks),
            "problem": heard.problem,
        }
    )


def keep(directory: Path, heard: Heard) -> Path:
    """Write a callback's body, byte for byte, and its answer beside it; return where.  Raises OSError."""
    taken = sum(1 for _ in directory.glob("[0-9]*-*.json"))
    parts = (f"{taken + 1:04}", heard.name or "unknown", heard.call)
    name = "-".join(_NOT_FOR_FILE_NAMES.sub("_", part)[:100] for part in parts if part)
    path = directory / f"{name}.json"
    path.write_bytes(heard.body)
    if heard.answer is not None and heard.answer.document is not None:
        path.with_suffix(".answer").write_text(json.dumps(heard.answer.document, indent=2) + "\n")
    return path


def _headline(heard: Heard) -> Text:
    style = _STYLES.get(heard.name, "red")
    clock = datetime.fromtimestamp(heard.at).astimezone().strftime("%H:%M:%S")
    line = Text.assemble((clock, "dim"), "  ", (escaped(heard.name.upper() or "?"), f"bold {style}"), "  ")
    line.append(escaped(heard.call))
    line.append("  ")
    line.append_text(_signature(heard))
    if heard.again:
        line.append("  again: this ce-id was here before", style="yellow")
    return line


def _signature(heard: Heard) -> Text:
    match heard.verdict:
        case None:
            return Text("signature not checked", style="dim")
        case Accepted():
            return Text("signature right", style="green")
        case refusal:
            return Text(f"signature WRONG: {refusal.message}", style="bold red")


def _answered(heard: Heard) -> RenderableType:
    if heard.answer is None:
        return Text(f"not answered: {escaped(heard.problem)}", style="bold red")
    if heard.answer.document is None:
        return Text("answered with nothing", style="dim")
    lines: list[RenderableType] = [Text(f"answered ({heard.answer.source})", style="dim")]
    lines.append(_json(heard.answer.document))
    lines += [Text(escaped(remark), style="yellow") for remark in heard.answer.remarks]
    return Group(*lines)


def _json(document: object) -> JSON:
    """Render JSON; its own escapes keep control characters out of the terminal."""
    return JSON(json.dumps(document), indent=2, ensure_ascii=True)
