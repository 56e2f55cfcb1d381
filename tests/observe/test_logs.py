"""An event goes in, one line comes out; nothing on the way raises."""

import io
import json
import logging

import pytest
import structlog

from gateway.observe import configure
from gateway.observe.ratelimit import LINES_A_SECOND, RateLimit


class Time:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def stream(time):
    stream = io.StringIO()
    configure(form="json", stream=stream, now=time)
    yield stream
    structlog.reset_defaults()
    logging.basicConfig(handlers=[], force=True)
    logging.captureWarnings(capture=False)


def records(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_time_and_level(stream):
    structlog.get_logger().info("leg.ended", cause="bye", duration_s=12.5)

    (record,) = records(stream)
    assert record["time"].endswith("Z")
    del record["time"]
    assert record == {"level": "info", "event": "leg.ended", "cause": "bye", "duration_s": 12.5}


def test_a_strangers_line_ends_do_not_end_the_line(stream):
    structlog.get_logger().info("call.offered", caller='x\r\n{"level": "error", "event": "forged"}')

    assert [record["event"] for record in records(stream)] == ["call.offered"]


def test_secrets_do_not_reach_the_stream(stream):
    structlog.get_logger().info("call.offered", password="hunter2", header="Authorization: Digest hunter2")

    assert "hunter2" not in stream.getvalue()


def test_context_is_on_every_line(stream):
    with structlog.contextvars.bound_contextvars(call_id="c1"):
        structlog.get_logger().info("leg.ended")

    assert records(stream)[0]["call_id"] == "c1"


def test_lines_below_the_level_are_not_written(stream):
    structlog.get_logger().debug("leg.ended")

    assert stream.getvalue() == ""


def test_a_flood_of_one_event_is_held_back_and_counted(stream, time):
    log = structlog.get_logger()
    for _ in range(1000):
        log.warning("packet.strange")
    log.info("leg.ended")
    time.now = 1.0
    log.warning("packet.strange")

    events = [record["event"] for record in records(stream)]
    assert events.count("packet.strange") == LINES_A_SECOND + 1
    assert "leg.ended" in events
    assert records(stream)[-1]["held_back"] == 1000 - LINES_A_SECOND


def test_the_record_of_a_call_is_never_held_back(stream):
    for _ in range(100):
        structlog.get_logger().info("call.ended")

    assert len(records(stream)) == 100


def test_a_crash_is_told_as_an_error(stream):
    try:
        raise RuntimeError
    except RuntimeError:
        structlog.get_logger().exception("call.crashed", call="c1")

    assert records(stream)[0]["level"] == "error"
    assert records(stream)[0]["exception"][-1] == "RuntimeError"


def test_an_exception_is_told_with_its_traceback_on_one_line(stream):
    try:
        raise ValueError("no\nwonder")
    except ValueError:
        structlog.get_logger().error("call.failed", exc_info=True)

    (record,) = records(stream)
    assert record["exception"][0].startswith("Traceback")
    assert "ValueError: no" in record["exception"]


def test_a_library_that_uses_logging_comes_the_same_way(stream):
    logging.getLogger("uvicorn.error").warning("cannot %s", "bind")

    (record,) = records(stream)
    assert (record["event"], record["library"], record["message"]) == (
        "library.logged",
        "uvicorn.error",
        "cannot bind",
    )


def test_a_library_whose_arguments_do_not_fit_costs_nobody_anything(stream):
    ours = next(one for one in logging.getLogger().handlers if type(one).__module__ == "gateway.observe.logs")

    ours.handle(
        logging.makeLogRecord({"name": "x", "levelname": "WARNING", "msg": "%d", "args": ("no number",)})
    )

    assert records(stream)[0]["message"] == "%d"


@pytest.mark.parametrize("form", ["json", "console"])
def test_surrogates_and_odd_objects_are_written(form):
    stream = io.StringIO()
    configure(form=form, stream=stream)

    structlog.get_logger().info("leg.ended", text="\ud800\x1b", thing=object(), key={1: b"\xff"})
    structlog.reset_defaults()

    assert "leg.ended" in stream.getvalue()
    assert "\x1b[" not in stream.getvalue()
    stream.getvalue().encode()


def test_a_full_disk_costs_lines_and_nothing_else():
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    writer = configure(form="json", stream=Full())
    structlog.get_logger().info("leg.ended")
    structlog.reset_defaults()

    assert writer.lines_lost == 1


def test_a_person_gets_the_console_form():
    stream = io.StringIO()
    configure(form="console", stream=stream)

    structlog.get_logger().info("leg.ended", cause="bye")
    structlog.reset_defaults()

    assert "leg.ended" in stream.getvalue()
    assert "cause=bye" in stream.getvalue()


def test_the_events_that_have_names_of_their_own_are_limited_each_by_itself(time):
    limit = RateLimit(time, lines_a_second=1)

    assert [limit.admit(name) for name in ("a", "b", "a")] == [0, 0, None]
