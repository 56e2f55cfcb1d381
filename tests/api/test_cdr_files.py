"""The daily files: when they are written, what is in them, and that they never change."""

import asyncio
import csv
from dataclasses import dataclass

import pytest

from gateway.api.cdr_files import SETTLED_S, CdrFiles
from gateway.errors import Overload
from gateway.switch.records import CallKind, CallRecord, CallResult
from gateway.testing.memory_platform import MemoryStore, QuietLog, SetClock

DAY = 1_794_873_600.0
"""2026-11-17, midnight UTC."""
NAMES = {"app-app", "phone-originated", "phone-terminated", "sip-terminated"}


@dataclass
class Desk:
    """A folder, a store and somebody who writes."""

    files: CdrFiles
    store: MemoryStore
    clock: SetClock
    log: QuietLog
    folder: object

    def written(self):
        return sorted(path.name for path in self.folder.glob("*"))

    def write_settled(self):
        return asyncio.run(self.files.write_settled())


@pytest.fixture
def desk(tmp_path):
    store, clock, log = MemoryStore(), SetClock(DAY + 86_400 + SETTLED_S), QuietLog()
    return Desk(CdrFiles(tmp_path / "cdr", store, clock, log), store, clock, log, tmp_path / "cdr")


def keep(desk, name, **facts):
    """Put a finished call into the store."""
    record = {
        "application": "one",
        "kind": CallKind.APP_APP,
        "started_at": DAY + 60,
        "ended_at": DAY + 90,
        "result": CallResult.ANSWERED,
        **facts,
    }
    desk.store.records[name] = CallRecord(call=name, **record)


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=";"))


def test_a_day_is_four_files(desk):
    written = asyncio.run(desk.files.write_day(DAY))

    assert {path.name for path in written} == {f"{name}-2026-11-17.csv" for name in NAMES}


def test_a_file_holds_the_calls_of_its_day_of_all_applications(desk):
    keep(desk, "a")
    keep(desk, "b", application="two")
    keep(desk, "late", started_at=DAY + 86_400, ended_at=DAY + 86_500)
    keep(desk, "sip", kind=CallKind.SIP_TERMINATED)

    asyncio.run(desk.files.write_day(DAY))

    assert [row[0] for row in rows(desk.folder / "app-app-2026-11-17.csv")] == ["CallId", "a", "b"]
    assert [row[0] for row in rows(desk.folder / "sip-terminated-2026-11-17.csv")] == ["CallId", "sip"]


def test_a_file_that_is_there_is_never_written_again(desk):
    asyncio.run(desk.files.write_day(DAY))
    keep(desk, "a")

    assert asyncio.run(desk.files.write_day(DAY)) == []
    assert len(rows(desk.folder / "app-app-2026-11-17.csv")) == 1


def test_a_file_that_was_begun_when_the_power_went_is_written_anew(desk):
    desk.folder.mkdir()
    (desk.folder / "app-app-2026-11-17.part").write_text("CallId;Us")

    asyncio.run(desk.files.write_day(DAY))

    assert desk.written() == sorted(f"{name}-2026-11-17.csv" for name in NAMES)


def test_a_day_is_written_when_its_last_call_must_be_over(desk):
    desk.write_settled()

    assert "app-app-2026-11-17.csv" in desk.written()
    assert "app-app-2026-11-18.csv" not in desk.written()


def test_it_is_not_written_a_second_earlier(desk):
    desk.clock.wall_s -= 1

    desk.write_settled()

    assert "app-app-2026-11-17.csv" not in desk.written()
    assert "app-app-2026-11-16.csv" in desk.written()


def test_a_week_that_was_missed_is_made_up_for(desk):
    desk.write_settled()

    assert len(desk.written()) == 4 * 7
    assert "app-app-2026-11-11.csv" in desk.written()


def test_a_switch_that_was_just_set_up_has_no_past(desk):
    async def a_moment():
        running = asyncio.create_task(desk.files.run())
        await asyncio.sleep(0)
        running.cancel()

    asyncio.run(a_moment())

    assert desk.folder.exists()
    assert desk.written() == []


def test_a_store_that_does_not_answer_is_asked_again_later(desk, monkeypatch):
    async def finished(*_):
        raise Overload("locked")
        yield

    monkeypatch.setattr(desk.store, "finished", finished)

    assert desk.write_settled() is False
    assert [event for event, _ in desk.log.lines] == ["cdr.not_written"]
    assert desk.written() == []
