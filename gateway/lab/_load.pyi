import numpy as np
from numpy.typing import NDArray

def run(
    fds: NDArray[np.int32], payload_types: NDArray[np.uint8], seconds: float, settle_s: float, /
) -> tuple[bytes, bytes, float, float]: ...
