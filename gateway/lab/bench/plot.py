"""The figures of the codecs as a picture: what 20 ms of one row cost, over the number of rows coded at once.

A colour is a codec, a line's style who codes it.  A peer codes one row at a time, so it is a level line.  The
fourth panel has G.711's kernels in nanoseconds a sample, beside a table loop and a copy of as many bytes.

matplotlib draws it, which only those need who want a picture: `pip install 'tandem-voice[plot]'`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from gateway.errors import LocalError
from gateway.lab.bench.codec_work import BATCHES
from gateway.lab.bench.codecs import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

__all__ = ["check_plot", "draw"]

_SUFFIXES: Final = (".png", ".svg", ".pdf")
_WORKS: Final = ("encode", "decode", "conceal")
_Line: TypeAlias = Literal["-", "--", ":", "-."]
_LINES: Final[Mapping[str, _Line]] = {"native": "-", "reference": "--", "bcg729": ":", "ffmpeg": "-."}
_MARKERS: Final = {"native": "o", "reference": "s"}
_NAMES: Final = {"native": "C", "reference": "Python twin", "bcg729": "bcg729", "ffmpeg": "FFmpeg"}
_KERNELS: Final = ("kernel", "table", "memcpy")
_GREY: Final = "0.3"


def check_plot(path: Path) -> None:
    """Make sure that a picture can be drawn there.  Raises LocalError, which says what is missing."""
    if path.suffix.lower() not in _SUFFIXES:
        raise LocalError(f"cannot draw {path}: the name must end in {', '.join(_SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise LocalError(f"cannot draw {path}: there is no folder {path.absolute().parent}")
    if importlib.util.find_spec("matplotlib") is None:
        raise LocalError("a plot needs matplotlib: pip install 'tandem-voice[plot]'")


def draw(figures: Sequence[Figure], path: Path, *, title: str) -> None:
    """Draw the figures, a panel for each kind of work.  Raises LocalError if the file cannot be written."""
    check_plot(path)
    from matplotlib.figure import Figure as Canvas

    picture = Canvas(figsize=(14, 9), layout="constrained")
    *panels, last = picture.subplots(2, 2).flat
    colours = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(figure.codec for figure in figures))}
    for axes, work in zip(panels, _WORKS, strict=True):
        _panel(axes, work, [figure for figure in figures if figure.work == work], colours)
        axes.sharey(panels[0])
    _bars(last, [figure for figure in figures if figure.implementation in _KERNELS])
    _legend(picture, list(dict.fromkeys(figure.implementation for figure in figures)), colours)
    picture.suptitle(title)
    try:
        picture.savefig(path)
    except OSError as error:
        raise LocalError(f"cannot write {path}: {error.strerror or error}") from error


def _panel(axes: Axes, work: str, figures: Sequence[Figure], colours: dict[str, str]) -> None:
    curves = dict.fromkeys((figure.codec, figure.implementation) for figure in figures)
    for name, by in curves:
        curve = [figure for figure in figures if (figure.codec, figure.implementation) == (name, by)]
        if by in BATCHES:
            rows, costs = [figure.rows for figure in curve], [figure.us_p50 for figure in curve]
            axes.plot(rows, costs, _LINES[by], marker=_MARKERS[by], color=colours[name], markersize=4)
        elif by in _LINES:
            axes.axhline(curve[0].us_p50, linestyle=_LINES[by], color=colours[name])
    axes.set(title=work, xlabel="rows coded at once", ylabel="µs of CPU for 20 ms of one row", yscale="log")
    axes.set_xscale("log", base=2)
    axes.set_xticks(BATCHES["native"], [str(rows) for rows in BATCHES["native"]])
    axes.grid(visible=True, alpha=0.3)


def _bars(axes: Axes, figures: Sequence[Figure]) -> None:
    """Group the bars by law and work."""
    groups = list(dict.fromkeys((figure.codec, figure.work) for figure in figures))
    for i, by in enumerate(_KERNELS):
        bars = {(figure.codec, figure.work): figure for figure in figures if figure.implementation == by}
        heights = [bars[group].ns_per_sample_p50 if group in bars else 0 for group in groups]
        drawn = axes.bar([at + 0.27 * (i - 1) for at in range(len(groups))], heights, 0.25, label=by)
        axes.bar_label(drawn, fmt="%.3f", fontsize="x-small")
    axes.set_xticks(range(len(groups)), [" ".join(group) for group in groups])
    axes.set(title="G.711 kernels, 1024 rows of 20 ms", ylabel="ns of CPU for one sample")
    axes.axhline(0.1, linestyle=":", color=_GREY)
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.margins(y=0.2)  # room for the legend
    if groups:
        axes.legend(fontsize="small", loc="upper center", ncols=len(_KERNELS))


def _legend(picture: Picture, implementations: Sequence[str], colours: dict[str, str]) -> None:
    """Explain colours and styles below the panels."""
    from matplotlib.lines import Line2D

    codecs = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    styles = [
        Line2D([], [], color=_GREY, linestyle=_LINES[by], marker=_MARKERS.get(by, ""), label=_NAMES[by])
        for by in implementations
        if by in _LINES
    ]
    picture.legend(handles=[*codecs, *styles], loc="outside lower center", ncols=5, fontsize="small")
