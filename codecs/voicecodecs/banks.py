"""Banks: many calls' encoders or decoders of one codec, used a batch at a time.

A bank has a number of rows, one codec state each.  A call names the rows that have a frame due and gives one
frame for each: Python is paid once a batch, not once a frame.  Rows may come in any order; a row that occurs
twice gives two consecutive frames.  With `out` a call writes into arrays of the caller's and makes none.

A row can be taken out of one bank (`snapshot`) and put into another (`restore`), in another process too: so a
call moves and goes on as if nothing had happened.
"""

from __future__ import annotations

from typing import ClassVar, Final, Generic, TypeVar

import numpy as np

from voicecodecs.arrays import (
    BoolArray,
    Int16Array,
    Int32Array,
    Rows,
    Uint8Array,
    checked,
    checked_out,
    checked_rows,
)
from voicecodecs.catalogue import codec
from voicecodecs.engines import (
    Implementation,
    Options,
    concealer_engine,
    decoder_engine,
    encoder_engine,
)
from voicecodecs.errors import CodecError
from voicecodecs.ports import ConcealerEngine, DecoderEngine, EncoderEngine, Engine, Movable

__all__ = ["Concealer", "Decoder", "Encoder"]

_CONCEALER_RATE_HZ: Final = 8000
_EngineType = TypeVar("_EngineType", bound=Engine)


class _Bank(Generic[_EngineType]):
    """What can be done with the states of any bank."""

    __slots__ = ("_engine", "rows")

    def __init__(self, rows: int, engine: _EngineType) -> None:
        self.rows = rows
        self._engine = engine

    def reset(self, rows: Rows) -> None:
        """Put these rows into the state of a new call."""
        self._engine.reset(checked_rows(rows, self.rows))

    def snapshot(self, rows: Rows) -> Uint8Array:
        """Return copies of these rows' states, uint8 [n, bytes of a state]; without state these are 0 bytes.

        Raises:
            CodecError: a row that is not in this bank, or an implementation that keeps its states to itself.
        """
        return self._movable().snapshot(checked_rows(rows, self.rows))

    def restore(self, rows: Rows, states: Uint8Array) -> None:
        """Put `states`, a snapshot of as many rows of a bank like this one, into these rows.

        Raises:
            CodecError: states of another type or shape, or one that no call can have; then no row has changed.
        """
        row_array, engine = checked_rows(rows, self.rows), self._movable()
        states = checked(states, "states", np.uint8, (row_array.size, engine.state_bytes))
        bad = engine.restore(row_array, states)
        if bad >= 0:
            raise CodecError("this is not a state that a call can have", frame=bad)

    def _movable(self) -> Movable:
        engine: Engine = self._engine
        if not isinstance(engine, Movable):
            raise CodecError("the states of this bank cannot be taken out or put in")
        return engine


class Encoder(_Bank[EncoderEngine]):
    """A bank of encoders of one codec.

    Raises:
        CodecError: no such codec, option or implementation, or a number of rows below 1.

    >>> payloads, lengths = Encoder("pcmu", rows=4).encode([3, 0], np.zeros((2, 80), np.int16))
    >>> payloads.shape, lengths.tolist()
    ((2, 80), [80, 80])
    """

    __slots__ = ("codec",)

    def __init__(
        self, name: str, rows: int = 1, *, implementation: Implementation = "native", **options: bool | int
    ) -> None:
        found = codec(name)
        _check_options(f"{found.name} encoder", options, found.encoder_options)
        self.codec = codec(name, mode_ms=options.get("mode_ms"))
        super().__init__(rows, encoder_engine(self.codec, _n_rows(rows), implementation, options))

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


class Decoder(_Bank[DecoderEngine]):
    """A bank of decoders of one codec.

    With `conceal=True` a G.711 decoder conceals lost frames by Appendix I.  Everything, lost or not, then comes
    out 30 samples (3.75 ms) late; `Concealer.DELAY_SAMPLES` is that number.

    Raises:
        CodecError: no such codec, option or implementation, or a number of rows below 1.

    >>> payloads = np.full((1, 80), 0xD5, np.uint8)
    >>> Decoder("pcma").decode([0], payloads, np.array([80], np.int32))[0, :4].tolist()
    [8, 8, 8, 8]
    """

    __slots__ = ("codec",)

    def __init__(
        self, name: str, rows: int = 1, *, implementation: Implementation = "native", **options: bool | int
    ) -> None:
        found = codec(name)
        _check_options(f"{found.name} decoder", options, found.decoder_options)
        self.codec = codec(name, mode_ms=options.get("mode_ms"))
        super().__init__(rows, decoder_engine(self.codec, _n_rows(rows), implementation, options))

    def decode(
        self, rows: Rows, payloads: Uint8Array, lengths: Int32Array, *, out: Int16Array | None = None
    ) -> Int16Array:
        """Decode one frame for each of `rows`.

        rows: int [n]; payloads: uint8 [n, frame_bytes]; lengths: int32 [n], the bytes of each payload that
        count, 0 = nothing was transmitted, -1 = lost.  G.711 gives silence for both, without `conceal`.
        With iLBC a length of 38 or 50 says a frame's mode: in a bank of 30 ms (the default) the first 160
        samples of a row are a frame of 20 ms, the others zero.
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


class Concealer(_Bank[ConcealerEngine]):
    """A bank of concealments by G.711 Appendix I, for samples that come from anywhere.

    It stands behind the decoders of codecs that have no concealment of their own.  A row may be fed by one
    codec now and by another next: what was lost is filled from what was heard.  Everything comes out
    `DELAY_SAMPLES` late, lost or not.

    Raises:
        CodecError: a rate other than 8000, no such implementation, or a number of rows below 1.

    >>> pcm = np.ones((2, 80), np.int16)
    >>> Concealer(rows=4).process([3, 0], pcm, np.array([False, True]))
    >>> pcm.sum(axis=1).tolist()
    [50, 0]
    """

    __slots__ = ()

    FRAME_SAMPLES: ClassVar[int] = 80
    """10 ms."""
    DELAY_SAMPLES: ClassVar[int] = 30
    """3.75 ms."""

    def __init__(
        self, rows: int = 1, *, rate_hz: int = 8000, implementation: Implementation = "native"
    ) -> None:
        if rate_hz != _CONCEALER_RATE_HZ:
            raise CodecError(f"concealment at {rate_hz} Hz: G.711 Appendix I is for {_CONCEALER_RATE_HZ} Hz")
        super().__init__(rows, concealer_engine(_n_rows(rows), implementation))

    def process(self, rows: Rows, pcm: Int16Array, lost: BoolArray) -> None:
        """Replace one frame of each of `rows` by the one to play now.

        rows: int [n]; pcm: int16 [n, 80], changed in place; lost: bool [n], whether that frame is missing:
        its samples are not looked at then.

        Raises:
            CodecError: an array of another type or shape, pcm that cannot be written in place, or a row that
                is not in this bank.
        """
        row_array = checked_rows(rows, self.rows)
        pcm = checked_out(pcm, "pcm", np.int16, (row_array.size, self.FRAME_SAMPLES))
        self._engine.process(row_array, pcm, checked(lost, "lost", np.bool_, (row_array.size,)))


def _check_options(what: str, options: Options, known: frozenset[str]) -> None:
    unknown = sorted(options.keys() - known)
    if unknown:
        taken = f"no options but {', '.join(sorted(known))}" if known else "no options"
        raise CodecError(f"a {what} takes {taken}; {', '.join(unknown)} was given")


def _n_rows(rows: int) -> int:
    if rows < 1:
        raise CodecError(f"a bank of {rows} rows: at least 1 is needed")
    return rows
