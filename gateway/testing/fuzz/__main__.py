"""`python -m gateway.testing.fuzz TARGET`: fuzz one target, or `all` one after the other."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.testing.fuzz.campaign import Outcome, command_of, document, run
from gateway.testing.fuzz.targets import TARGETS

_NAMES = [name for name, target in TARGETS.items() if not target.planted]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.testing.fuzz", description="Fuzz what strangers reach."
    )
    parser.add_argument("target", choices=[*TARGETS, "all"], help="what to fuzz")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each (default 10)")
    parser.add_argument(
        "--inputs", type=int, default=0, help="stop after so many of each job (default: only by time)"
    )
    parser.add_argument("--seed", type=int, default=1, help="same seed, same inputs (default 1)")
    parser.add_argument(
        "--jobs", type=int, default=1, help="processes, each with a seed of its own (default 1)"
    )
    parser.add_argument(
        "--json", type=Path, help="write what was done to this file; with `all` to fuzz-TARGET.json in it"
    )
    parser.add_argument("--input", type=Path, help="run this one input and nothing else")
    return parser.parse_args()


def _fuzz(target: str, chosen: argparse.Namespace, bar: Progress) -> Outcome:
    task = bar.add_task(target, total=chosen.seconds, words="building")

    def show(outcome: Outcome) -> None:
        branches = f", {outcome.branches} branches" if outcome.branches else ""
        messages = f", {outcome.messages:,} messages" if outcome.messages else ""
        words = f"{outcome.inputs:,} inputs{messages}{branches}"
        bar.update(task, completed=min(outcome.seconds, chosen.seconds), words=words)

    outcome = run(
        target,
        seconds=chosen.seconds,
        seed=chosen.seed,
        jobs=chosen.jobs,
        inputs=chosen.inputs,
        progress=show,
    )
    bar.update(task, completed=chosen.seconds)
    return outcome


def _write(outcome: Outcome, chosen: argparse.Namespace) -> None:
    if chosen.json is None:
        return
    path = chosen.json / f"fuzz-{outcome.target}.json" if chosen.target == "all" else chosen.json
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(outcome), indent=1) + "\n")


def _tell(outcome: Outcome, console: Console) -> None:
    """Say what was found, and how it is found again."""
    for crash in outcome.crashes:
        words = f"\n{crash.words}\n{outcome.target} with seed {outcome.seed}: found one.  Again by:"
        again = f"  python -m gateway.testing.fuzz {outcome.target} --input {crash.input}"
        console.print(words, markup=False, highlight=False)
        console.print(again, markup=False, soft_wrap=True)


def _main() -> int:
    chosen = _arguments()
    if chosen.input is not None:
        return subprocess.run([*command_of(chosen.target), "once", str(chosen.input)], check=False).returncode
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=console) as bar:
        outcomes = [
            _fuzz(name, chosen, bar) for name in (_NAMES if chosen.target == "all" else [chosen.target])
        ]
    for outcome in outcomes:
        _write(outcome, chosen)
        _tell(outcome, console)
    return any(outcome.crashes for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(_main())
