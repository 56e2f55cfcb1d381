"""G.729 with Annexes A and B in plain integers, block by block beside the standard.

Every file here has a namesake in native/g729 that does the same in C; read them side by side, beginning with
`encoder` and `decoder`.  Here every sum saturates step by step as the standard writes it (`fixed`); there,
where a bound proves that nothing can saturate, it does not.  Numbers are plain ints, their Q formats are in
their names: `x_q15` is x * 2^15.
"""

from __future__ import annotations

from voicecodecs.reference.g729.decoder import G729Decoder
from voicecodecs.reference.g729.encoder import G729Encoder

__all__ = ["G729Decoder", "G729Encoder"]
