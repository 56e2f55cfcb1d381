"""What a development callback server answers: SVAML out of files, or what would have happened without it.

    answers = Answers.from_options(["answers.json"])         a file with the keys `ice`, `ace`, `pie`, `dice`
    answers = Answers.from_options(["ice=a.json", "pie=b"])  one document a file
    answers = Answers.from_options(["a.json"])               a document: the answer to an ICE

Files are read at each event, so that an editor's "save" is enough to try something else.  What is written there is sent
as it is, right or wrong: that it is wrong is said beside it, and it is the switch that shall show what comes of that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import LocalError
from gateway.svaml.errors import SvamlError
from gateway.svaml.model import Moment
from gateway.svaml.parse import parse

__all__ = ["LOBBY", "MOMENTS", "Answer", "Answers", "usual_answer"]

MOMENTS: Final[Mapping[str, Moment]] = {
    "ice": Moment.ICE,
    "ace": Moment.ACE,
    "pie": Moment.PIE,
    "dice": Moment.DICE,
}
"""Events that can be answered."""
LOBBY: Final = "lobby"
"""The room where calls to an owned number meet, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    document: object
    """What is sent as JSON; None = an empty answer."""
    source: str
    """Where it comes from, for people."""
    remarks: tuple[str, ...] = ()
    """What a switch will make of it that its author may not expect."""


class Answers:
    """One file for each event that has one."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)

    @classmethod
    def from_options(cls, options: Sequence[str]) -> Answers:
        """Read what `--svaml` was given.  Raises LocalError if a file cannot be used."""
        files: dict[str, Path] = {}
        for option in options:
            event, separator, name = option.partition("=")
            if separator and event.lower() in MOMENTS:
                files[event.lower()] = Path(name)
            else:
                files.update(dict.fromkeys(_events_of(Path(option)), Path(option)))
        for event, path in files.items():
            _document(path, event)
        return cls(files)

    def answer(self, event: Mapping[str, object]) -> Answer:
        """Return the answer to an event.  Raises LocalError if its file has become unusable."""
        name = str(event.get("event", "")).lower()
        path = self._files.get(name)
        if path is None:
            return Answer(usual_answer(event), "the usual answer")
        document = _document(path, name)
        return Answer(document, str(path), _remarks(document, MOMENTS[name]))


def usual_answer(event: Mapping[str, object]) -> object:
    """Return what lets a call go where it would have gone; calls to owned numbers meet in one room."""
    match str(event.get("event", "")).lower():
        case "ice":
            return {"action": _usual_connection(event.get("to"))}
        case "ace":
            return {"action": {"name": "continue"}}
        case "pie":
            return {"action": {"name": "hangup"}}
        case _:
            return None


_CONNECTIONS: Final[Mapping[str, Callable[[str], dict[str, object]]]] = {
    "number": lambda to: {"name": "connectPstn", "number": to},
    "username": lambda to: {"name": "connectMxp", "destination": {"type": "username", "endpoint": to}},
    "sip": lambda to: {"name": "connectSip", "destination": {"type": "sip", "endpoint": to}},
    "conference": lambda to: {"name": "connectConf", "conferenceId": to},
}
"""By the type of what was dialled."""


def _usual_connection(to: object) -> dict[str, object]:
    dialled = to if isinstance(to, Mapping) else {}
    connect = _CONNECTIONS.get(str(dialled.get("type", "")).lower())
    if connect is None:
        return {"name": "connectConf", "conferenceId": LOBBY, "moh": "music1"}
    return connect(str(dialled.get("endpoint", "")))


def _load(path: Path) -> Mapping[str, object]:
    try:
        loaded = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise LocalError(f"{path} cannot be used: {error}") from error
    if not isinstance(loaded, dict):
        raise LocalError(f"{path} holds no JSON object")
    return loaded


def _events_of(path: Path) -> list[str]:
    """Return the events that a file answers; a plain document answers an ICE."""
    found = [key.lower() for key in _load(path) if key.lower() in MOMENTS]
    return found or ["ice"]


def _document(path: Path, event: str) -> object:
    """Return the document of an event: the whole file, or what stands under the event's name."""
    loaded = {key.lower(): value for key, value in _load(path).items()}
    return loaded.get(event) if loaded.keys() & MOMENTS.keys() else _load(path)


def _remarks(document: object, moment: Moment) -> tuple[str, ...]:
    try:
        return tuple(map(str, parse(json.dumps(document), moment=moment).ignored))
    except SvamlError as error:
        return (f"not valid: {error}",)
