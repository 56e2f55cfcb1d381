"""Is a port free, and if not, who has it?  Asked before anything is started, so that the answer is one sentence.

The holder is found as `ss -p` does it: /proc/net says which socket is bound there, /proc/PID/fd whose it is.  That
works on Linux and for processes that we may look at; elsewhere the port is just taken.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

__all__ = ["holder", "why_not_free"]

TCP_LISTENS = "0A"
"""State of a listening socket in /proc/net/tcp (include/net/tcp_states.h)."""
LOCAL_ADDRESS, STATE, INODE = 1, 3, 9
"""Columns of /proc/net/{udp,tcp}."""


def why_not_free(protocol: str, host: str, port: int) -> str | None:
    """Return None if `protocol` (udp or tcp) could listen there now, else why not, in words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:  # as a server does it: connections that linger are no hindrance
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            if kind == socket.SOCK_STREAM:
                probe.listen(1)
        except OSError as error:
            return _in_words(error, protocol, host, port)
    return None


def holder(protocol: str, port: int) -> str | None:
    """Return `name (pid 123)` of the process that has the port, if it can be found."""
    links = {f"socket:[{inode}]" for inode in _inodes(protocol, port)}
    if not links:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if links.intersection(_links(process / "fd")):
            return f"{_name(process)} (pid {process.name})"
    return None


def _in_words(error: OSError, protocol: str, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"taken by {holder(protocol, port) or 'another program'}"
        case errno.EADDRNOTAVAIL:
            return f"this machine has no address {host}"
        case errno.EACCES:
            return "ports below 1024 are for privileged users"
        case _:
            return error.strerror or str(error)


def _inodes(protocol: str, port: int) -> Iterator[str]:
    """Yield the inodes of the sockets that are bound to the port (TCP: that listen on it)."""
    for table in (Path(f"/proc/net/{protocol}"), Path(f"/proc/net/{protocol}6")):
        try:
            rows = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            bound = int(columns[LOCAL_ADDRESS].rpartition(":")[2], 16)
            if bound == port and (protocol == "udp" or columns[STATE] == TCP_LISTENS):
                yield columns[INODE]


def _links(directory: Path) -> Iterator[str]:
    try:
        names = os.listdir(directory)
    except OSError:  # the process has ended, or is not ours to look at
        return
    for name in names:
        try:
            yield os.readlink(directory / name)
        except OSError:  # closed meanwhile
            continue


def _name(process: Path) -> str:
    """Return the process's short name; its command line could hold a password."""
    try:
        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "a process"
    return re.sub(r"[^\x20-\x7e]", "?", name)
