"""The table of events and the source agree."""

import ast
import re
from pathlib import Path

import gateway
from gateway.observe.events import EVENTS, table

SOURCE = Path(gateway.__file__).parent
LOGGING = {"debug", "info", "warning", "error", "exception", "_report"}
NAME = re.compile(r"[a-z_]+\.[a-z_]+")


def logged():
    """Yield (event, method) for every line of the source that logs one."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LOGGING
            ):
                for part in ast.walk(node.args[0]) if node.args else ():
                    if isinstance(part, ast.Constant) and NAME.fullmatch(str(part.value)):
                        yield part.value, node.func.attr


def test_every_event_of_the_source_stands_in_the_table():
    assert sorted({event for event, _ in logged()} - set(EVENTS)) == []


def test_every_event_of_the_table_is_logged_somewhere():
    assert sorted(set(EVENTS) - {event for event, _ in logged()} - {"library.logged"}) == []


def test_the_table_tells_the_level():
    wrong = [
        (event, method)
        for event, method in logged()
        if event in EVENTS
        and method not in ("_report", {"error": "exception"}.get(EVENTS[event].level, EVENTS[event].level))
    ]

    assert wrong == []


def test_the_table_of_events_is_a_table():
    lines = table().splitlines()

    assert len(lines) == len(EVENTS) + 2
    assert {line.count("|") for line in lines} == {5}
