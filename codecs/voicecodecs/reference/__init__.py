"""The readable twins: every codec once more in plain Python, beside the standard, with the same bits.

They are what the C kernels are tested against and where a reader should begin.  They use plain integers (no
numpy arithmetic, whose int16 wraps silently), look nothing up that can be computed, and are slow.
"""
