import numpy as np
from numpy.typing import NDArray

def run(
    fds: NDArray[np.int32],
    payload_types: NDArray[np.uint8],
    even_song: bytes,
    even_payload_bytes: int,
    odd_song: bytes,
    odd_payload_bytes: int,
    seconds: float,
    settle_s: float,
    /,
) -> tuple[bytes, bytes, float, float]: ...
