"""The bench of the codecs: turns, peers, what is asked of the figures, and the README's table of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.lab.bench import codec_work
from gateway.lab.bench.codec_peers import PEERS
from gateway.lab.bench.codec_ratios import ratios
from gateway.lab.bench.codec_table import table, with_table
from gateway.lab.bench.codec_work import Case, spoken
from gateway.lab.bench.codecs import measure

_ROOT = Path(__file__).parents[2]
_COMMITTED = json.loads((_ROOT / "benchmarks" / "results" / "codecs.json").read_text())


def _figure(codec: str, work: str, by: str, rows: int, ns_per_sample: float) -> dict[str, object]:
    return {
        "codec": codec, "work": work, "implementation": by, "rows": rows, "ns_per_sample_p50": ns_per_sample
    }  # fmt: skip


def test_everything_takes_its_turn_in_every_round() -> None:
    seen: list[int] = []

    def progress(turns):
        seen.extend(turns)
        return turns

    figures = measure([Case("pcma", {}, "reference", 1)], 0.001, progress=progress)

    assert len(figures) == 3
    assert seen == [0, 1, 2] * 7


def test_one_row_says_as_much_as_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_work, "FRAMES", {"native": 40})
    one, four = (
        next(iter(codec_work.subjects(Case("ilbc", {"mode_ms": 20}, "native", rows)))) for rows in (1, 4)
    )

    assert one.samples == four.samples == 40 * 160


@pytest.mark.parametrize(
    ("name", "codec"), [("bcg729", "g729"), ("ffmpeg", "g729"), ("ffmpeg", "ilbc"), ("engine", "g729")]
)
def test_a_peer_that_is_installed_codes_what_our_row_says(name: str, codec: str) -> None:
    peer = next(peer for peer in PEERS if peer.name == name)
    works = peer.works(spoken(Case(codec, {}, "native", 1)))
    if not works:
        pytest.skip(f"{name} is not installed")

    for work, run in works.items():
        run()
        assert peer.ns_of_calls(work, 1) > 0


def test_a_peer_has_nothing_to_do_with_g711() -> None:
    said = spoken(Case("pcmu", {}, "native", 1))

    assert not any(peer.works(said) for peer in PEERS)


def test_throughput_is_compared_with_bcg729_by_batch_and_by_row() -> None:
    found = ratios(
        [
            _figure("g729 annexb=False", "encode", "bcg729", 1, 230.0),
            _figure("g729 annexb=False", "encode", "native", 64, 100.0),
            _figure("g729 annexb=False", "encode", "engine", 1, 240.0),
        ]
    )

    assert found["g729a_encode_64_rows_times_bcg729"] == {"value": 2.3, "at_least": 2.0, "met": True}
    assert found["g729a_encode_1_rows_times_bcg729"] == {"value": 0.958, "at_least": 1.0, "met": False}


def test_the_fixed_point_ilbc_is_as_much_slower_here_as_bcg729() -> None:
    """bcg729 took 3.5 us for 80 samples beside it and takes 7 here, so 10.6 us for 160 samples are 21.2."""
    found = ratios(
        [
            _figure("g729 annexb=False", "decode", "bcg729", 1, 87.5),
            _figure("ilbc mode_ms=20", "decode", "native", 64, 66.25),
        ]
    )

    assert found["ilbc20_decode_64_rows_of_fixed_point"] == {"value": 0.5, "below": 0.6, "met": True}


def test_a_sample_of_g711_is_judged_in_nanoseconds_and_beside_a_table() -> None:
    found = ratios(
        [_figure("pcmu", "encode", "kernel", 1024, 0.08), _figure("pcmu", "encode", "table", 1024, 0.24)]
    )

    assert found["pcmu_encode_ns_per_sample"] == {"value": 0.08, "below": 0.1, "met": True}
    assert found["pcmu_encode_times_table_loop"] == {"value": 3.0}


def test_what_lacks_a_figure_is_left_out() -> None:
    assert ratios([_figure("ilbc mode_ms=20", "decode", "native", 64, 30.0)]) == {}


def test_the_readme_has_the_table_of_the_committed_run() -> None:
    readme = (_ROOT / "README.md").read_text()

    assert with_table(readme, _COMMITTED) == readme


def test_every_codec_is_in_the_table_with_its_cost_and_vectors() -> None:
    lines = table(_COMMITTED).splitlines()

    assert [line.split(" | ")[0] for line in lines[2:9]] == [
        "| G.711 u-law", "| G.711 A-law", "| G.711 Appendix I", "| G.729 A", "| G.729 A + B", "| iLBC 20", "| iLBC 30",
    ]  # fmt: skip
    assert all(line.count(" of ") >= 1 for line in lines[2:9])


def test_only_what_is_between_the_marks_is_written() -> None:
    begin, end = (_ROOT / "README.md").read_text().split("<!-- codecs")[1:3]
    marked = f"before\n<!-- codecs{begin[: begin.index('-->')]}-->old<!-- codecs{end[: end.index('-->')]}-->\nafter\n"

    written = with_table(marked, _COMMITTED)

    assert written.startswith("before\n<!--")
    assert written.endswith("-->\nafter\n")
    assert "old" not in written


def test_a_text_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="codecs end --> are needed"):
        with_table("# A README\n", _COMMITTED)
