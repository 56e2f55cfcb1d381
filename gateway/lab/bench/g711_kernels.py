"""G.711 without Python in between: what a sample costs the kernels, a plain table loop, and the memory.

A batch is 1,024 rows of 20 ms, one run of samples.  The table loop is what anybody would write, compiled here
where there is a C compiler: 65,536 codes or 256 samples, looked up one by one.  The memory's part is a copy of as
many bytes as an encoder reads and writes.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from gateway.lab.bench.codec_work import Subject, Work
from gateway.lab.samples import speech
from voicecodecs import codec, decode_frames, encode_frames
from voicecodecs.engines import decoder_engine, encoder_engine

__all__ = ["ROWS", "kernel_subjects"]

ROWS: Final = 1024
"""Rows of 20 ms, 160 samples."""
_ROW_SAMPLES: Final = 160
_LAWS: Final = ("pcmu", "pcma")
_TABLE_LOOPS: Final = """
#include <stddef.h>
void encode(unsigned char *restrict out, const unsigned short *restrict in,
            const unsigned char *restrict table, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = table[in[i]];
}
void decode(short *restrict out, const unsigned char *restrict in, const short *restrict table, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = table[in[i]];
}
"""


def kernel_subjects(law: str) -> Iterator[Subject]:
    """Yield encode and decode of one law, by kernel, table loop and copy; of another codec nothing."""
    if law not in _LAWS:
        return
    batch = _Batch(law)
    for by, works in (
        ("kernel", batch.by_kernel()),
        ("table", batch.by_table()),
        ("memcpy", batch.by_copy()),
    ):
        for work, run in works.items():
            yield Subject(law, work, by, ROWS, batch.pcm.size, batch.facts.rate_hz, run)


class _Batch:
    """The arrays of a batch, and who works on them.  `pcm` and `heard` are in frames of 10 ms, as `payloads`."""

    def __init__(self, law: str) -> None:
        self.facts = codec(law)
        self.pcm = np.resize(
            speech(), (ROWS * _ROW_SAMPLES // self.facts.frame_samples, self.facts.frame_samples)
        )
        self.heard = np.zeros_like(self.pcm)
        self.payloads = np.zeros(self.pcm.shape, np.uint8)
        self.lengths = np.zeros(len(self.pcm), np.int32)
        self.by_kernel()["encode"]()

    def by_kernel(self) -> dict[str, Work]:
        """Call the engines that are behind a bank: they check nothing."""
        encoder = encoder_engine(self.facts, 1, "native", {})
        decoder = decoder_engine(self.facts, 1, "native", {})
        rows = np.zeros(0, np.intp)  # without state there are none
        return {
            "encode": lambda: encoder.encode(rows, self.pcm, self.payloads, self.lengths),
            "decode": lambda: decoder.decode(rows, self.payloads, self.lengths, self.heard),
        }

    def by_table(self) -> dict[str, Work]:
        """Look every sample or code up; nothing where there is no compiler."""
        loops = _table_loops()
        if loops is None:
            return {}
        every_sample = np.arange(65_536, dtype=np.uint16).view(np.int16)
        codes = np.frombuffer(b"".join(encode_frames(every_sample, self.facts.name)), np.uint8)
        every_code = [bytes(range(256))[at : at + 80] for at in range(0, 256, 80)]
        samples = decode_frames(every_code, self.facts.name)
        n = ctypes.c_size_t(self.pcm.size)
        return {
            "encode": partial(loops.encode, _address(self.payloads), _address(self.pcm), _address(codes), n),
            "decode": partial(
                loops.decode, _address(self.heard), _address(self.payloads), _address(samples), n
            ),
        }

    def by_copy(self) -> dict[str, Work]:
        """Copy half as many bytes as are read and written together."""
        copy = partial(
            ctypes.memmove,
            _address(self.heard),
            _address(self.pcm),
            (self.pcm.nbytes + self.payloads.nbytes) // 2,
        )
        return {"encode": copy, "decode": copy}


def _address(array: np.ndarray[Any, Any]) -> ctypes.c_void_p:
    """Return where an array is; the pointer keeps it alive."""
    return array.ctypes.data_as(ctypes.c_void_p)


@cache
def _table_loops() -> ctypes.CDLL | None:
    """Compile the loops.  None = there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "table.so"
        command = [compiler, "-x", "c", "-O2", "-shared", "-fPIC", "-o", str(library), "-"]
        made = subprocess.run(command, input=_TABLE_LOOPS.encode(), capture_output=True, check=False)
        return ctypes.CDLL(str(library)) if made.returncode == 0 else None
