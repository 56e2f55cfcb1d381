"""espeak-ng in a process of its own: `python -m gateway.speech.espeak_process`.

espeak-ng is GPL-3, and a C library that reads strangers' text.  So nothing of ours loads it but this program, which
shares no memory with the rest and is started again if it dies.  It reads requests from standard input and writes sound
to standard output as it is synthesised, both as msgpack behind a length of four bytes, big-endian:

    -> [number, text, voice, words a minute, pitch 0..100]
    <- [number, "sound", rate in Hz, int16 little-endian]   as often as there is sound
    <- [number, "end"]  or  [number, "failed", reason]

Standard input's end is this program's end.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import msgpack

__all__ = ["MOST_BYTES", "main", "pack", "read"]

MOST_BYTES: Final = 1 << 20
"""Of one message."""

_LENGTH_BYTES: Final = 4
_CHUNK_MS: Final = 240
_LONGEST_S: Final = 240
"""Of one utterance: 600 characters at a third of the usual speed."""
_SYNCHRONOUS: Final = 2
_NO_EXIT: Final = 0x8000
_UTF8: Final = 1
_RATE, _PITCH = 1, 3

_OnSound = Callable[[Any, int, Any], int]


def pack(message: list[Any]) -> bytes:
    """Return a message as it goes through the pipe."""
    body: bytes = msgpack.packb(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def read(stream: BinaryIO) -> list[Any] | None:
    """Return the next message, None at the end of the stream."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    body = stream.read(int.from_bytes(head, "big"))
    message: list[Any] = msgpack.unpackb(body)
    return message


class _Espeak:
    """The library, by ctypes."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library: Final = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(espeakng_loader.get_data_path())
        self.rate_hz: int = self._library.espeak_Initialize(_SYNCHRONOUS, _CHUNK_MS, data, _NO_EXIT)
        if self.rate_hz <= 0:
            raise OSError("espeak-ng does not start")
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p)
        self._callback: Final = kind(self._heard)
        self._library.espeak_SetSynthCallback(self._callback)
        self._send: Callable[[bytes], object] = len
        self._left = 0

    def speak(self, text: str, voice: str, speed: int, pitch: int, send: Callable[[bytes], object]) -> None:
        """Give the sound of `text` to `send`, int16 little-endian, until it ends.  Raises OSError."""
        self._send, self._left = send, _LONGEST_S * self.rate_hz
        self._take_voice(voice)
        self._library.espeak_SetParameter(_RATE, speed, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        data = text.encode() + b"\0"
        size = ctypes.c_size_t(len(data))
        if self._library.espeak_Synth(data, size, 0, 0, 0, _UTF8, None, None):
            raise OSError("espeak-ng does not speak this text")

    def _take_voice(self, voice: str) -> None:
        """Take the voice, else its language without a variant; Debian's espeak-ng may know fewer."""
        for name in (voice, voice.partition("+")[0], voice.partition("-")[0]):
            if not self._library.espeak_SetVoiceByName(name.encode()):
                return
        raise OSError(f"espeak-ng has no voice {voice!r}")

    def _heard(self, samples: Any, count: int, _events: Any) -> int:
        """Take what the library has ready; 1 tells it to stop."""
        if samples and count > 0:
            self._left -= count
            self._send(ctypes.string_at(samples, 2 * count))
        return int(self._left < 0)


def main() -> None:
    """Answer requests until there are no more."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the library prints is no answer
    espeak = _Espeak()

    while request := read(sys.stdin.buffer):
        _answer(espeak, request, lambda message: out.write(pack(message)))


def _answer(espeak: _Espeak, request: list[Any], send: Callable[[list[Any]], object]) -> None:
    number, text, voice, speed, pitch = request
    try:
        espeak.speak(text, voice, speed, pitch, lambda pcm: send([number, "sound", espeak.rate_hz, pcm]))
        send([number, "end"])
    except OSError as error:
        send([number, "failed", str(error)])


if __name__ == "__main__":
    main()
