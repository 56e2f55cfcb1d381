"""iLBC (RFC 3951) in plain integers, bit-exact with the fixed-point codec that the vectors F00-F06 come from.

A frame is 4 or 6 sub-blocks of 40 samples (20 or 30 ms, 38 or 50 bytes).  Linear prediction takes the spectrum
off; of what is left, the 57 or 58 samples with most energy (the start state) are coded sample by sample, and
the others as sums of three vectors from a codebook made of what this very frame has decoded so far: forward in
time to its end, then backward to its start.  So a lost frame costs that frame and no more.

    samples -> high_pass -> lpc -> lsf_quantiser -> lpc_filters -> start_search -> codebook_search -> packing
    samples <- high_pass <- synthesis <- enhancer <- residual (start_state, codebook) <- packing
                                           ^-- concealment, when there is no frame

One module a block, named as the C file of native/ilbc that does the same; begin with `encoder` and `decoder`.
Names end in their Q format: x_q13 is x * 2^13.
"""

from __future__ import annotations

from voicecodecs.reference.ilbc.decoder import IlbcDecoder
from voicecodecs.reference.ilbc.encoder import IlbcEncoder

__all__ = ["IlbcDecoder", "IlbcEncoder"]
