"""The face of `tandem call` and `tandem answer`: what they refuse, what they print."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from gateway.cli.answer import answer
from gateway.cli.call import call
from gateway.cli.report import print_report
from gateway.lab.measures import Gap
from gateway.lab.phone.summary import PhoneReport
from gateway.lab.quality import CallReport

app = typer.Typer()
app.command()(call)
app.command()(answer)

GOOD = PhoneReport(
    call=CallReport(
        target="sip:echo@127.0.0.1",
        outcome="answered",
        codec="pcmu",
        codec_reason="the first that both have",
        set_up_ms=12.4,
        duration_s=5.0,
        packets_sent=250,
        packets_received=250,
        jitter_ms=0.31,
        delay_ms=50.0,
        correlation=0.999,
        digits_heard="12#",
    ),
    answered=True,
    ringing_ms=10.0,
    first_sound_ms=20.0,
    ended_by="local",
    reason="",
    codecs_heard={"pcmu": 250},
    packets_unusable=0,
    holes=0,
    hole_ms=0.0,
    level_dbov=-26.0,
    echo_delay_ms=100.0,
    round_trip_ms=0.2,
    lost_at_peer=0,
)


def shown(report: PhoneReport) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    print_report(console, report)
    return console.export_text()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["call"], "URI"),
        (["call", "sips:a@b.example"], "TLS"),
        (["call", "echo", "--codec", "MP3"], "--codec"),
        (["call", "echo", "--dtmf", "1x"], "key"),
        (["call", "echo", "--wav", "/nowhere/a.wav"], "nowhere"),
        (["call", "echo", "--record", "/nowhere/a.wav"], "written"),
        (["call", "echo", "--user", "alice"], "--password"),
        (["answer", "--echo", "--tone", "440"], "only one"),
        (["answer", "--listen", "5070"], "ADDRESS:PORT"),
        (["answer", "--calls", "0"], "calls"),
    ],
)
def test_a_command_that_is_not_understood_exits_with_2_and_says_why(arguments: list[str], word: str) -> None:
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert word in " ".join(result.output.replace("│", " ").split())


def test_a_call_to_a_closed_port_exits_with_1_and_asks_for_the_server() -> None:
    result = CliRunner().invoke(app, ["call", "sip:echo@127.0.0.1:9"])

    assert result.exit_code == 1
    assert "tandem serve" in result.output


def test_a_failed_call_is_a_json_document_too() -> None:
    result = CliRunner().invoke(app, ["call", "sip:echo@127.0.0.1:9", "--json"])

    assert json.loads(result.stdout)["answered"] is False


def test_a_good_call_is_told_without_words_of_trouble() -> None:
    text = shown(GOOD)

    for fact in ("12 ms", "5.0 s", "250 packets", "correlation 0.999, 100 ms later, no gaps", "MOS 4", "12#"):
        assert fact in text
    assert "duplicate" not in text
    assert "holes" not in text


def test_trouble_is_named() -> None:
    gaps = (Gap(100.0, 40.0), Gap(500.0, 20.0))
    bad = replace(
        GOOD,
        call=replace(GOOD.call, packets_lost=10, packets_duplicate=2, gaps=gaps),
        holes=3,
        hole_ms=60.0,
        ended_by="remote",
        reason="Temporarily Unavailable",
        level_dbov=-90.0,
    )

    text = shown(bad)

    for fact in (
        "10 lost",
        "2 duplicate",
        "3, 60 ms in all",
        "2 gaps, 60 ms in all",
        "the other end: Temporarily",
        "all silence",
    ):
        assert fact in text


def test_a_call_in_which_nothing_was_heard_says_so() -> None:
    deaf = replace(GOOD, call=replace(GOOD.call, packets_received=0, correlation=None), first_sound_ms=None)

    assert "nothing" in shown(deaf)


def test_the_json_report_is_flat_and_has_every_fact() -> None:
    document = json.loads(json.dumps(GOOD.to_dict()))

    assert document["mos"] == GOOD.call.mos
    assert {
        "target",
        "packets_lost",
        "correlation",
        "gaps",
        "digits_heard",
        "ended_by",
        "answered",
    } <= document.keys()
