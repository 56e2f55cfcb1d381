"""A capture file put in order of time.

The switch and the media processes append what they gathered, each for itself, so a file is in order only to a tenth of
a second.  Readers bear that; they like it better in order.  It is done when nobody writes any more.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Final

from gateway.observe.trace.pcap import HEADER, records_of

__all__ = ["MOST_BYTES", "put_in_order"]

_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
MOST_BYTES: Final = 256_000_000
"""A larger file is left as it is: it would take many seconds, and as much memory."""


def put_in_order(path: Path) -> bool:
    """Sort the records of a capture file by time, stably; returns whether it is in order now.

    The file is replaced as a whole: whoever stops this has the old one.  A torn end is dropped.

    Raises:
        OSError: it cannot be read, or there is no room for another.
    """
    if path.stat().st_size > MOST_BYTES:
        return False
    data = path.read_bytes()
    records = list(records_of(data))
    if all(earlier[0] <= later[0] for earlier, later in pairwise(records)):
        return True
    records.sort(key=lambda record: record[0])
    ordered = path.with_name(f".{path.name}.ordered")
    try:
        with open(os.open(ordered, _NEW_FILE, 0o600), "wb") as file:
            file.write(HEADER)
            file.writelines(data[begin:end] for _, begin, end in records)
        ordered.replace(path)
    finally:
        ordered.unlink(missing_ok=True)
    return True
