"""Banks: many calls' encoders or decoders of one codec, used a batch at a time.

A bank has a number of rows, one codec state each.  A call names the rows that have a frame due and gives one
frame for each: Python is paid once a batch, not once a frame.  Rows may come in any order; a row that occurs
twice gives two consecutive frames.  With `out` a call writes into arrays of the caller's and makes none.
"""

from __future__ import annotations

import numpy as np

from voicecodecs.arrays import (
    Int16Array,
    Int32Array,
    Rows,
    Uint8Array,
    checked,
    checked_out,
    checked_rows,
)
from voicecodecs.catalogue import Codec, codec
from voicecodecs.engines import Implementation, decoder_engine, encoder_engine
from voicecodecs.errors import CodecError

__all__ = ["Decoder", "Encoder"]


class Encoder:
    """A bank of encoders of one codec.

    Raises:
        CodecError: no such codec, option or implementation, or a number of rows below 1.

    >>> payloads, lengths = Encoder("pcmu", rows=4).encode([3, 0], np.zeros((2, 80), np.int16))
    >>> payloads.shape, lengths.tolist()
    ((2, 80), [80, 80])
    """

    __slots__ = ("_engine", "codec", "rows")

    def __init__(
        self, name: str, rows: int = 1, *, implementation: Implementation = "native", **options: bool | int
    ) -> None:
        self.codec = _known_codec(name, options)
        self.rows = _n_rows(rows)
        self._engine = encoder_engine(self.codec, self.rows, implementation)

    def encode(
        self, rows: Rows, pcm: Int16Array, *, out: tuple[Uint8Array, Int32Array] | None = None
    ) -> tuple[Uint8Array, Int32Array]:
        """Encode one frame for each of `rows`.

        rows: int [n]; pcm: int16 [n, frame_samples].
        Returns payloads uint8 [n, frame_bytes] and lengths int32 [n]: the bytes of each payload that count,
        0 = nothing to transmit.  `out` is two such arrays to write into and return.

        Raises:
            CodecError: an array of another type or shape, or a row that is not in this bank.
        """
        row_array = checked_rows(rows, self.rows)
        n_frames = row_array.size
        pcm = checked(pcm, "pcm", np.int16, (n_frames, self.codec.frame_samples))
        shape = (n_frames, self.codec.frame_bytes)
        if out is None:
            payloads, lengths = np.zeros(shape, np.uint8), np.zeros(n_frames, np.int32)
        else:
            payloads = checked_out(out[0], "out[0]", np.uint8, shape)
            lengths = checked_out(out[1], "out[1]", np.int32, (n_frames,))
        self._engine.encode(row_array, pcm, payloads, lengths)
        return payloads, lengths

    def reset(self, rows: Rows) -> None:
        """Put these rows into the state of a new call."""
        self._engine.reset(checked_rows(rows, self.rows))


class Decoder:
    """A bank of decoders of one codec.

    Raises:
        CodecError: no such codec, option or implementation, or a number of rows below 1.

    >>> payloads = np.full((1, 80), 0xD5, np.uint8)
    >>> Decoder("pcma").decode([0], payloads, np.array([80], np.int32))[0, :4].tolist()
    [8, 8, 8, 8]
    """

    __slots__ = ("_engine", "codec", "rows")

    def __init__(
        self, name: str, rows: int = 1, *, implementation: Implementation = "native", **options: bool | int
    ) -> None:
        self.codec = _known_codec(name, options)
        self.rows = _n_rows(rows)
        self._engine = decoder_engine(self.codec, self.rows, implementation)

    def decode(
        self, rows: Rows, payloads: Uint8Array, lengths: Int32Array, *, out: Int16Array | None = None
    ) -> Int16Array:
        """Decode one frame for each of `rows`.

        rows: int [n]; payloads: uint8 [n, frame_bytes]; lengths: int32 [n], the bytes of each payload that
        count, 0 = nothing was transmitted, -1 = lost.  G.711 gives silence for both.
        Returns pcm int16 [n, frame_samples]; `out` is such an array to write into and return.

        Raises:
            CodecError: an array of another type or shape, a row that is not in this bank, or a frame of a
                length that the codec does not know; nothing has been decoded then.
        """
        row_array = checked_rows(rows, self.rows)
        n_frames = row_array.size
        payloads = checked(payloads, "payloads", np.uint8, (n_frames, self.codec.frame_bytes))
        lengths = checked(lengths, "lengths", np.int32, (n_frames,))
        shape = (n_frames, self.codec.frame_samples)
        pcm = np.zeros(shape, np.int16) if out is None else checked_out(out, "out", np.int16, shape)
        bad = self._engine.decode(row_array, payloads, lengths, pcm)
        if bad >= 0:
            raise CodecError(self.codec.wrong_length(int(lengths[bad])), frame=bad)
        return pcm

    def reset(self, rows: Rows) -> None:
        """Put these rows into the state of a new call."""
        self._engine.reset(checked_rows(rows, self.rows))


def _known_codec(name: str, options: dict[str, bool | int]) -> Codec:
    found = codec(name)
    if options:
        raise CodecError(f"{found.name} takes no options; {', '.join(sorted(options))} was given")
    return found


def _n_rows(rows: int) -> int:
    if rows < 1:
        raise CodecError(f"a bank of {rows} rows: at least 1 is needed")
    return rows
