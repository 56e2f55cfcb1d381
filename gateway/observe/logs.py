"""Structured logs: one event is one line, written to stderr, as JSON or for a person at a terminal.

    configure(level="info", form="auto")
    log = structlog.get_logger()
    log.info("leg.ended", cause="bye", duration_s=12.5)

An event's name is `noun.verb_past` and stands in `gateway.observe.events`.  Context such as `call_id` and `leg_id` is
bound once with `structlog.contextvars`.  Every line passes the same way: rate limit, plain values, redaction, time,
rendering.  Nothing on that way can raise, and neither can the writing: a full disk costs lines, never calls.

Libraries that use `logging` (uvicorn, asyncio) come the same way as `library.logged`.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog

from gateway.observe.events import EVENTS
from gateway.observe.plain import plain
from gateway.observe.ratelimit import RateLimit
from gateway.observe.redaction import redacted

__all__ = ["LineWriter", "configure"]

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_LIBRARY_LEVELS = {"debug": logging.INFO, "error": logging.ERROR}
"""What libraries say at INFO ("Started server process") is of interest to who debugs."""
TRACEBACK_LINES = 40
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode

EventDict = MutableMapping[str, Any]


class LineWriter:
    """Where lines go.  A stream that fails loses lines, which are counted, and takes nothing else with it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lines_lost = 0

    def msg(self, line: str) -> None:
        """Write one line at once, so that lines of several processes do not mix."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # a full disk, a closed pipe, a closed stream
            self.lines_lost += 1

    debug = info = warning = error = critical = msg


def configure(
    *,
    level: Literal["debug", "info", "warning", "error"] = "info",
    form: Literal["auto", "console", "json"] = "auto",
    stream: TextIO | None = None,
    now: Callable[[], float] = time.monotonic,
) -> LineWriter:
    """Set up logging for this process and return its writer.

    form: auto = console if the stream is a terminal, else JSON.
    """
    target = sys.stderr if stream is None else stream
    writer = LineWriter(target)
    console = form == "console" or (form == "auto" and target.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _limited(RateLimit(now)),
            _with_traceback,
            _safe,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            *(_console(target) if console else [_json]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        handlers=[_FromLibraries()], level=_LIBRARY_LEVELS.get(level, logging.WARNING), force=True
    )
    logging.captureWarnings(capture=True)
    return writer


def _limited(limit: RateLimit) -> Callable[[object, str, EventDict], EventDict]:
    def hold_back_floods(_logger: object, _method: str, event: EventDict) -> EventDict:
        name = str(event.get("event"))
        if name in EVENTS and EVENTS[name].every:
            return event
        held_back = limit.admit(name)
        if held_back is None:
            raise structlog.DropEvent
        if held_back:
            event["held_back"] = held_back
        return event

    return hold_back_floods


def _with_traceback(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Turn `exc_info` into the last lines of its traceback."""
    told = event.pop("exc_info", None)
    error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        lines = "".join(traceback.format_exception(error)).splitlines()
        event["exception"] = lines[-TRACEBACK_LINES:]
    return event


def _safe(_logger: object, _method: str, event: EventDict) -> EventDict:
    safe = redacted(plain(event))
    assert isinstance(safe, dict)  # a mapping stays one
    return safe


def _json(_logger: object, _method: str, event: EventDict) -> str:
    first = {
        "time": event.pop("time", None),
        "level": event.pop("level", None),
        "event": event.pop("event", None),
    }
    return _AS_JSON({**first, **event})


def _console(stream: TextIO) -> list[Callable[[Any, str, EventDict], Any]]:
    def with_lines_joined(_logger: object, _method: str, event: EventDict) -> Mapping[str, Any]:
        if isinstance(event.get("exception"), list):
            event["exception"] = "\n".join(event["exception"])
        event["timestamp"] = event.pop("time", "")
        return event

    return [with_lines_joined, structlog.dev.ConsoleRenderer(colors=stream.isatty())]


class _FromLibraries(logging.Handler):
    """Hands records of `logging` to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # a library's format string and arguments do not fit
            message = str(record.msg)
        log = structlog.get_logger()
        level = record.levelname.lower() if record.levelname.lower() in LEVELS else "error"
        getattr(log, level)("library.logged", library=record.name, message=message, exc_info=record.exc_info)
