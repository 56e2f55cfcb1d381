"""Voice codecs, bit-exact with their standards: a signal, a frame or many calls' frames at a time.

Now: G.711 u-law (`pcmu`) and A-law (`pcma`), with the concealment of Appendix I; G.729 with Annexes A and B
(`g729`); iLBC of 20 and 30 ms (`ilbc`).  Every codec exists twice, as a C kernel (`implementation="native"`)
and as a readable twin in plain Python (`implementation="reference"`); both give the same bits.

>>> import numpy as np, voicecodecs
>>> frames = voicecodecs.encode_frames(np.arange(160, dtype=np.int16), "pcma")
>>> voicecodecs.decode_frames([frames[0], None], "pcma").shape
(160,)
"""

from __future__ import annotations

from voicecodecs.banks import Concealer, Decoder, Encoder
from voicecodecs.catalogue import CODECS, Codec, codec, modes
from voicecodecs.engines import Implementation
from voicecodecs.errors import CodecError
from voicecodecs.frames import decode_frames, encode_frames
from voicecodecs.g711 import transcode_table

__all__ = [
    "CODECS",
    "Codec",
    "CodecError",
    "Concealer",
    "Decoder",
    "Encoder",
    "Implementation",
    "codec",
    "decode_frames",
    "encode_frames",
    "modes",
    "transcode_table",
]
