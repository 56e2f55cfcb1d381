"""Kamailio (Debian's kamailio) as a peer: the proxy that stands in front of many switches and at most carriers.

It is stateful and stays in the path of its calls (Record-Route).  Whatever comes from the switch goes where the
request says, or to one address if there is one; all else goes to the switch.  A REGISTER leaves with a Path, so that
calls to the phone come back through here (RFC 3327); of a phone that does not know Path the proxy says that it does.
"""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gateway.testing.processes import PATIENCE_S, Command, bound_ports

__all__ = ["Kamailio"]

_LOOK_S: Final = 0.05
_CONFIGURATION: Final = """\
debug=2
children=1
auto_aliases=no
enable_tls=no
disable_tcp=yes
listen=udp:{host}:{port}
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "path.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans())) t_relay();
        else if (!is_method("ACK")) sl_send_reply("481", "Call/Transaction Does Not Exist");
        exit;
    }}
    if (is_method("REGISTER")) {{
        add_path();
        if (!($hdr(Supported) =~ "path")) append_hf("Supported: path\r\n");
    }} else record_route();
    loose_route();
    if ($sp != {switch_port}) $du = "sip:{switch_host}:{switch_port}";
    {onward}
    t_relay();
}}
"""


class Kamailio(Command):
    """One Kamailio, ready once the `with` is entered.

    Args:
        directory: an empty directory of its own.
        address: the host and port where it speaks SIP over UDP.
        switch: the host and port of the switch.
        onward: `host:port` where everything from the switch goes; without it, it goes where the request says.
    """

    def __init__(
        self,
        directory: Path,
        *,
        address: tuple[str, int],
        switch: tuple[str, int],
        onward: str | None = None,
    ) -> None:
        program = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
        assert program, "kamailio is not installed (Debian: apt install kamailio)"
        directory.mkdir(parents=True)
        self.host, self.port = address
        configuration = directory / "kamailio.cfg"
        configuration.write_text(
            _CONFIGURATION.format(
                host=self.host,
                port=self.port,
                switch_host=switch[0],
                switch_port=switch[1],
                onward="" if onward is None else f'else $du = "sip:{onward}";',
            )
        )
        files = ("-f", str(configuration), "-P", str(directory / "pid"), "-Y", str(directory))
        super().__init__((program, "-DD", "-E", "-m", "32", "-M", "4", *files), directory=directory)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + PATIENCE_S
        while self.port not in bound_ports():
            if self.process.poll() is not None or time.monotonic() > deadline:
                super().__exit__(None, None, None)
                raise TimeoutError(f"kamailio does not listen:\n{self.complaints()}")
            time.sleep(_LOOK_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.tell(signal.SIGTERM)  # it ends its children
            self.wait()
        finally:
            super().__exit__(kind, error, trace)

    @property
    def address(self) -> str:
        """Where it speaks SIP, `host:port`."""
        return f"{self.host}:{self.port}"
