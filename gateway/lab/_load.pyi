from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

def run(
    fds: NDArray[np.int32],
    payload_types: NDArray[np.uint8],
    song_of: NDArray[np.uint8],
    first_song: bytes,
    first_payload_bytes: int,
    second_song: bytes,
    second_payload_bytes: int,
    seconds: float,
    settle_s: float,
    /,
) -> tuple[bytes, bytes, float, float]: ...
def bare_relay(fds: NDArray[np.int32], /) -> NoReturn: ...
