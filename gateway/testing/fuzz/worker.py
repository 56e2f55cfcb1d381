"""The worker of the targets in Python: `tandem_fuzz`'s twin, with the same arguments and the same lines of JSON.

    python -m gateway.testing.fuzz.worker TARGET run SEED SECONDS INPUTS CORPUS CURRENT
    python -m gateway.testing.fuzz.worker TARGET once FILE

It ends with a traceback at the first input that breaks a promise, or when its memory has grown by more than a
target may keep.  `corpus_bytes` writes what CORPUS holds: inputs, each after its length.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import resource
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gateway.testing.fuzz.mutation import Mutator
from gateway.testing.fuzz.targets import TARGETS, Tell

__all__ = ["corpus_bytes", "corpus_of"]

_LENGTH: Final = struct.Struct("<I")
_CURRENT_BYTES: Final = 65_536
_REPORT_S: Final = 0.25
_AT_A_TIME: Final = 16
_WARM: Final = 2_000
"""Inputs after which memory must stay as it is ..."""
_MOST_GROWTH_KB: Final = 100 * 1024
"""... but for this: what the allocator has not given back."""


@dataclass(slots=True)
class _Tally:
    inputs: int = 0
    bytes: int = 0
    messages: int = 0
    peak_rss_mb: int = 0
    input_digest: str = ""
    digest: str = ""


def corpus_bytes(inputs: Iterable[bytes]) -> bytes:
    """Write inputs as workers read them."""
    return b"".join(_LENGTH.pack(len(each)) + each for each in inputs)


def corpus_of(data: bytes) -> Iterator[bytes]:
    """Read what `corpus_bytes` wrote."""
    at = 0
    while at < len(data):
        (n_bytes,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        yield data[at : at + n_bytes]
        at += n_bytes


class _Worker:
    """One run: the tally, and the file in which the input under way lies."""

    def __init__(self, tell: Tell, mutator: Mutator, current: Path) -> None:
        self._tell = tell
        self._mutator = mutator
        self._tally = _Tally()
        self._asked, self._said = hashlib.blake2b(digest_size=8), hashlib.blake2b(digest_size=8)
        self._warm_kb = 0
        with current.open("w+b") as file:
            file.truncate(_LENGTH.size + _CURRENT_BYTES)
            self._current = mmap.mmap(file.fileno(), 0)

    def run(self, seconds: float, inputs: int) -> None:
        """Run until the seconds are over or the inputs (0: any number) are run."""
        now = time.monotonic()
        end, next_report = now + seconds, now
        while now < end and (inputs == 0 or self._tally.inputs < inputs):
            for _ in range(min(_AT_A_TIME, inputs - self._tally.inputs) if inputs else _AT_A_TIME):
                self._one()
            if now >= next_report:
                self._report()
                next_report = now + _REPORT_S
            now = time.monotonic()
        self._report()

    def _one(self) -> None:
        data = self._mutator.next()
        self._current[: _LENGTH.size + len(data)] = _LENGTH.pack(len(data)) + data
        messages, said = self._tell(data)
        self._asked.update(data)
        self._said.update(said)
        self._tally.inputs += 1
        self._tally.bytes += len(data)
        self._tally.messages += messages

    def _report(self) -> None:
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._tally.peak_rss_mb = peak_kb // 1024
        self._tally.input_digest, self._tally.digest = self._asked.hexdigest(), self._said.hexdigest()
        sys.stdout.write(json.dumps(asdict(self._tally)) + "\n")
        sys.stdout.flush()
        if self._tally.inputs >= _WARM:
            self._warm_kb = self._warm_kb or peak_kb
            assert peak_kb - self._warm_kb < _MOST_GROWTH_KB, (
                f"memory grew from {self._warm_kb} to {peak_kb} KB"
            )


def _main(name: str, how: str, *rest: str) -> None:
    tell = TARGETS[name].tell()
    if how == "once":
        tell(Path(rest[0]).read_bytes())
        return
    seed, seconds, inputs, corpus, current = rest
    mutator = Mutator(int(seed), tuple(corpus_of(Path(corpus).read_bytes())))
    _Worker(tell, mutator, Path(current)).run(float(seconds), int(inputs))


if __name__ == "__main__":
    _main(*sys.argv[1:])
