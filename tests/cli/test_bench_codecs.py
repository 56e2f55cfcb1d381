"""`tandem bench codecs`: every codec has a figure, in words, as JSON and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli.bench import bench
from gateway.lab.bench import codec_work
from voicecodecs import CODECS

_FAST = ["codecs", "--seconds", "0.001", "--implementation", "native"]


@pytest.fixture(autouse=True)
def _few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_work, "BATCHES", {"native": (1, 4), "reference": (1,)})
    monkeypatch.setattr(codec_work, "FRAMES", {"native": 10, "reference": 10})


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(bench, [*_FAST, *arguments])


def test_every_codec_is_measured_in_every_way() -> None:
    figures = json.loads(_run("--json").stdout)["figures"]

    measured = {(figure["codec"].split()[0], figure["work"], figure["rows"]) for figure in figures}
    assert measured >= {
        (name, work, rows) for name in CODECS for work in ("encode", "decode", "conceal") for rows in (1, 4)
    }
    assert all(figure["us_p50"] > 0 and figure["channels_per_core"] > 0 for figure in figures)


def test_g711_has_figures_without_python_in_between() -> None:
    figures = json.loads(_run("--json").stdout)["figures"]

    kernels = {
        (figure["codec"], figure["work"]) for figure in figures if figure["implementation"] == "kernel"
    }
    assert kernels == {(law, work) for law in ("pcmu", "pcma") for work in ("encode", "decode")}


def test_the_tables_name_codecs_channels_and_what_is_asked() -> None:
    text = _run().stdout

    assert "channels" in text
    assert all(name in text for name in CODECS)
    assert "pcmu_encode_ns_per_sample" in text


def test_the_document_is_written_too(tmp_path: Path) -> None:
    _run("--out", str(tmp_path / "codecs.json"))

    assert json.loads((tmp_path / "codecs.json").read_text())["machine"]["cpu"]


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_figures_are_drawn(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / f"codecs{suffix}"

    assert _run("--plot", str(picture)).exit_code == 0

    assert picture.stat().st_size > 10_000


def test_a_picture_of_an_unknown_kind_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    result = _run("--plot", str(tmp_path / "codecs.gif"))

    assert result.exit_code == 1
    assert "must end in .png, .svg, .pdf" in " ".join(result.stderr.split())


def test_an_unknown_implementation_is_a_usage_error() -> None:
    assert CliRunner().invoke(bench, ["codecs", "--implementation", "rust"]).exit_code == 2
