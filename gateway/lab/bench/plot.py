"""The figures of the codecs as a picture: what 20 ms of one row cost, over the number of rows coded at once.

matplotlib draws it, which only those need who want a picture: `pip install 'tandem-voice[plot]'`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.errors import LocalError
from gateway.lab.bench.codecs import BATCHES, Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["check_plot", "draw"]

_SUFFIXES: Final = (".png", ".svg", ".pdf")
_WORKS: Final = ("encode", "decode", "conceal")
_MARKS: Final = {"native": "o-", "reference": "s--"}


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
    from matplotlib.figure import Figure as Picture

    picture = Picture(figsize=(15, 5), layout="constrained")
    for axes, work in zip(picture.subplots(1, len(_WORKS), sharey=True), _WORKS, strict=True):
        _panel(axes, work, [figure for figure in figures if figure.work == work])
    picture.axes[0].set_ylabel("µs of CPU for 20 ms of one row")
    picture.axes[-1].legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    picture.suptitle(title)
    try:
        picture.savefig(path)
    except OSError as error:
        raise LocalError(f"cannot write {path}: {error.strerror or error}") from error


def _panel(axes: Axes, work: str, figures: Sequence[Figure]) -> None:
    for name, implementation, curve in _curves(figures):
        axes.plot(
            [figure.rows for figure in curve],
            [figure.us_p50 for figure in curve],
            _MARKS.get(implementation, "*"),
            label=f"{name} ({implementation})",
        )
    axes.set(title=work, xlabel="rows coded at once", yscale="log")
    axes.set_xscale("log", base=2)
    axes.set_xticks(BATCHES["native"], [str(rows) for rows in BATCHES["native"]])
    axes.grid(visible=True, alpha=0.3)


def _curves(figures: Sequence[Figure]) -> Iterator[tuple[str, str, list[Figure]]]:
    """Yield codec, implementation, and the figures of both by number of rows."""
    ordered = sorted(figures, key=lambda figure: (figure.codec, figure.implementation, figure.rows))
    for (name, implementation), curve in groupby(
        ordered, lambda figure: (figure.codec, figure.implementation)
    ):
        yield name, implementation, list(curve)
