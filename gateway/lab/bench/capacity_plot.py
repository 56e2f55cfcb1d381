"""The ramps of a capacity bench as a picture: CPU over load, clean steps filled, the others hollow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.errors import LocalError

__all__ = ["write_plot"]


def write_plot(document: dict[str, Any], path: Path) -> None:
    """Draw `CapacityBench.run`'s document.

    Raises:
        LocalError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise LocalError("--plot needs matplotlib: pip install 'tandem-voice[plot]'") from None
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    named: set[str] = set()
    colours = {"tandem": "tab:blue"}
    for ramp in document["ramps"]:
        server = ramp["server"]
        colour = colours.get(server, "tab:orange")
        for step in ramp["steps"]:
            filled = colour if step["clean"] else "none"
            axes.plot(step["n"], step["cpu_percent"], "o", color=colour, markerfacecolor=filled)
        axes.axvline(
            ramp["capacity"],
            color=colour,
            alpha=0.5,
            label=None if server in named else f"{server}: capacity",
        )
        named.add(server)
    axes.set_title(f"{document['work']}: filled = clean")
    axes.set_xlabel(document["unit"])
    axes.set_ylabel("% of a core")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 105)
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise LocalError(f"cannot draw {path}: {error}") from None
