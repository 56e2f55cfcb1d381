"""Run a target in as many processes as asked, and write down what they did.

A worker that dies has found something: what lay in its file becomes `build/fuzz/crash-TARGET-DIGEST` and what it
said last is kept with it.  One that says nothing for a while hangs, which is as bad.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import queue
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from gateway.lab.bench.machine import machine
from gateway.testing.fuzz.targets import TARGETS
from gateway.testing.fuzz.worker import corpus_bytes

__all__ = ["Crash", "Outcome", "build_native", "command_of", "document", "run"]

_ROOT: Final = Path(__file__).parents[3]
_BUILD: Final = _ROOT / "build" / "fuzz"
_SILENCE_S: Final = 120.0
"""A worker that has not reported for so long hangs, even on a machine that has much else to do."""
_LAST_WORDS: Final = 6_000


@dataclass(frozen=True, slots=True)
class Crash:
    """An input that broke something."""

    input: Path
    words: str
    """What the worker said: a sanitizer's report, a traceback."""


@dataclass(slots=True)
class Outcome:
    """What all workers of a target did together."""

    target: str
    seed: int
    """The first worker's; the others have the next ones."""
    jobs: int
    seconds: float = 0.0
    inputs: int = 0
    bytes: int = 0
    messages: int = 0
    """Where inputs are conversations, what was said in them."""
    branches: int = 0
    """Of the code in C, pairs of places that were reached one after the other; 0 = not counted."""
    peak_rss_mb: int = 0
    input_digests: list[str] = field(default_factory=list)
    """One a worker: the same seed and the same number of inputs give the same."""
    digests: list[str] = field(default_factory=list)
    """Of all that came out; these are the same as long as the code does the same."""
    crashes: list[Crash] = field(default_factory=list)


def document(outcome: Outcome) -> dict[str, Any]:
    """Return what is kept under `benchmarks/results`."""
    facts = asdict(outcome)
    facts["crashes"] = [str(crash.input) for crash in outcome.crashes]
    facts["seconds"] = round(outcome.seconds, 1)
    return {"benchmark": f"fuzz-{outcome.target}", **facts, "machine": machine()}


def command_of(target: str) -> list[str]:
    """Return the command that runs a target's worker, building the one in C if need be."""
    if TARGETS[target].tell_name is None:
        return [str(build_native()), target]
    return [sys.executable, "-m", "gateway.testing.fuzz.worker", target]


def build_native() -> Path:
    """Build `tandem_fuzz` with the sanitizers; return where it is.

    Raises:
        subprocess.CalledProcessError: it does not build; the compiler has said why.
    """
    scripts = Path(sys.executable).parent
    cmake = str(scripts / "cmake") if (scripts / "cmake").exists() else "cmake"
    ninja = (
        ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={scripts / 'ninja'}"] if (scripts / "ninja").exists() else []
    )
    wanted = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DTANDEM_SANITIZE=ON", "-DTANDEM_FUZZ=ON"]
    configure = [cmake, "-S", str(_ROOT / "native"), "-B", str(_BUILD), *ninja, *wanted]
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for step in (configure, [cmake, "--build", str(_BUILD)]):
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.stderr.write(done.stdout + done.stderr)
                done.check_returncode()
    return _BUILD / "tandem_fuzz"


@dataclass(slots=True)
class _Worker:
    """A process, the file with its input, and what it reported last."""

    process: subprocess.Popen[str]
    current: Path
    words: Path
    last: dict[str, Any] = field(default_factory=dict)
    heard_at: float = field(default_factory=time.monotonic)

    def tell(self, reports: queue.SimpleQueue[tuple[_Worker, dict[str, Any] | None]]) -> None:
        """Pass every line on, and None at the end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            reports.put((self, json.loads(line)))
        reports.put((self, None))

    def crash(self, target: str, keep: Path) -> Crash:
        """Keep the input that it died of in a folder.  Raises `RuntimeError` if it died before its first."""
        words = self.words.read_text(errors="replace")[-_LAST_WORDS:]
        if not self.current.exists():
            raise RuntimeError(f"the worker did not start:\n{words}")
        (n_bytes,) = struct.unpack_from("<I", held := self.current.read_bytes())
        data = held[4 : 4 + n_bytes]
        kept = keep / f"crash-{target}-{hashlib.sha256(data).hexdigest()[:12]}"
        keep.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
        return Crash(kept, words)


def run(
    target: str,
    *,
    seconds: float,
    seed: int = 1,
    jobs: int = 1,
    inputs: int = 0,
    keep: Path = _BUILD,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Fuzz a target for `seconds`, or until each of `jobs` workers has run `inputs` inputs.

    Inputs that break something are kept in the folder `keep`; `progress` is told several times a second.
    """
    command, started = command_of(target), time.monotonic()
    outcome = Outcome(target, seed, jobs)
    with TemporaryDirectory() as folder, ExitStack() as until_the_end:
        corpus = Path(folder) / "corpus"
        corpus.write_bytes(corpus_bytes(TARGETS[target].corpus()))
        workers = []
        for worker_seed in range(seed, seed + jobs):
            how = [str(worker_seed), str(seconds), str(inputs), str(corpus)]
            workers.append(_start([*command, "run", *how], Path(folder) / f"{worker_seed}", until_the_end))
        for _ in _reports(workers):
            _add_up(outcome, workers)
            outcome.seconds = time.monotonic() - started
            progress(outcome)
        outcome.crashes = [worker.crash(target, keep) for worker in workers if worker.process.wait() != 0]
    return outcome


def _start(command: Sequence[str], stem: Path, until_the_end: ExitStack) -> _Worker:
    current, words = stem.with_suffix(".input"), stem.with_suffix(".words")
    said = until_the_end.enter_context(words.open("w"))
    process = subprocess.Popen(
        [*command, str(current)], stdout=subprocess.PIPE, stderr=said, text=True, cwd=_ROOT
    )
    until_the_end.callback(_end, process)
    return _Worker(process, current, words)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _reports(workers: Sequence[_Worker]) -> Iterator[None]:
    """Take in what workers report until all have ended; one that is silent for too long is killed."""
    reports: queue.SimpleQueue[tuple[_Worker, dict[str, Any] | None]] = queue.SimpleQueue()
    for worker in workers:
        threading.Thread(target=worker.tell, args=(reports,), daemon=True).start()
    left = len(workers)
    while left:
        try:
            worker, report = reports.get(timeout=1.0)
        except queue.Empty:
            _kill_silent(workers)
            continue
        worker.heard_at = time.monotonic()
        left -= report is None
        worker.last = report or worker.last
        yield


def _kill_silent(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        if worker.process.poll() is None and time.monotonic() - worker.heard_at > _SILENCE_S:
            with worker.words.open("a") as words:
                words.write(f"it was killed: one input took more than {_SILENCE_S:.0f} s\n")
            worker.process.kill()


def _add_up(outcome: Outcome, workers: Sequence[_Worker]) -> None:
    def values(name: str) -> list[Any]:
        return [worker.last.get(name, 0) for worker in workers]

    outcome.inputs, outcome.bytes, outcome.messages = (
        sum(values("inputs")),
        sum(values("bytes")),
        sum(values("messages")),
    )
    outcome.branches, outcome.peak_rss_mb = max(values("branches")), max(values("peak_rss_mb"))
    outcome.input_digests, outcome.digests = values("input_digest"), values("digest")
