"""The Replaces header: which dialog a new call shall take the place of (RFC 3891).

`to-tag` is the tag of whoever reads the header, `from-tag` that of the other end, so the pair names one of
our dialogs as it stands in our own table.  In a REFER the header is part of a URI, with `;` and `=` escaped
(RFC 3261 section 19.1.1), which is how a phone asks for an attended transfer.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.errors import BadMessage
from gateway.sip.dialog import DialogId
from gateway.sip.grammar import LWS, find_parameter, parse_parameters_untrusted
from gateway.sip.uri import Uri, unescape

__all__ = ["Replaces", "embedded_header", "parse_replaces_untrusted"]


class Replaces(NamedTuple):
    """What stands in the header."""

    dialog: DialogId
    early_only: bool
    """Replace it only while it rings."""

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        dialog = self.dialog
        return f"{dialog.call_id};to-tag={dialog.local_tag};from-tag={dialog.remote_tag}{early}"


def parse_replaces_untrusted(text: str) -> Replaces:
    """Read a Replaces value.  Raises `BadMessage` unless it has a Call-ID and both tags."""
    call_id, semicolon, tail = text.partition(";")
    parameters = parse_parameters_untrusted(semicolon + tail)
    to_tag, from_tag = find_parameter(parameters, "to-tag"), find_parameter(parameters, "from-tag")
    call_id = call_id.strip(LWS)
    if not call_id or to_tag is None or from_tag is None:
        raise BadMessage("a Replaces that names no dialog")
    early_only = find_parameter(parameters, "early-only") is not None
    return Replaces(DialogId(call_id, to_tag, from_tag), early_only)


def embedded_header(uri: Uri, name: str) -> str | None:
    """Return the header that a URI asks to be put into the request made from it, unescaped."""
    for part in uri.headers.split("&"):
        key, equals, value = part.partition("=")
        if equals and unescape(key).lower() == name.lower():
            return unescape(value)
    return None
