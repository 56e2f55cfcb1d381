"""The header names of SIP: which are known, which are lists, which have a compact form.

Known names are written in the RFC's spelling whatever a peer sent.  From the IANA register "Session
Initiation Protocol (SIP) Parameters, Header Fields".
"""

from __future__ import annotations

from typing import Final

__all__ = ["LISTS", "NAMES", "canonical_name"]

_COMPACT: Final = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""The IANA register of compact forms; read, never written."""

LISTS: Final = frozenset(
    {
        "Accept",
        "Accept-Contact",
        "Accept-Encoding",
        "Accept-Language",
        "Alert-Info",
        "Allow",
        "Allow-Events",
        "Call-Info",
        "Contact",
        "Content-Encoding",
        "Content-Language",
        "Diversion",
        "Error-Info",
        "Geolocation",
        "History-Info",
        "In-Reply-To",
        "P-Asserted-Identity",
        "P-Associated-URI",
        "P-Early-Media",
        "P-Preferred-Identity",
        "Path",
        "Permission-Missing",
        "Proxy-Require",
        "Reason",
        "Record-Route",
        "Recv-Info",
        "Reject-Contact",
        "Require",
        "Route",
        "Security-Client",
        "Security-Server",
        "Security-Verify",
        "Service-Route",
        "Supported",
        "Unsupported",
        "Via",
        "Warning",
    }
)
"""Headers whose comma separates elements (RFC 3261 section 7.3.1); challenges, credentials and dates are
not here."""

_SINGLE: Final = (
    "Accept-Resource-Priority",
    "Authentication-Info",
    "Authorization",
    "Call-ID",
    "Content-Disposition",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Event",
    "Expires",
    "From",
    "Identity",
    "Identity-Info",
    "Info-Package",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Access-Network-Info",
    "P-Charging-Vector",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "RAck",
    "Refer-Sub",
    "Refer-To",
    "Referred-By",
    "Remote-Party-ID",
    "Replaces",
    "Reply-To",
    "Request-Disposition",
    "Retry-After",
    "RSeq",
    "Server",
    "Session-Expires",
    "Session-ID",
    "SIP-ETag",
    "SIP-If-Match",
    "Subject",
    "Subscription-State",
    "Target-Dialog",
    "Timestamp",
    "To",
    "User-Agent",
    "User-To-User",
    "WWW-Authenticate",
)

NAMES: Final[dict[str, str]] = (
    {name.lower(): name for name in (*LISTS, *_SINGLE)}
    | {name: name for name in (*LISTS, *_SINGLE)}
    | _COMPACT
)


def canonical_name(name: str) -> str:
    """Return the RFC's spelling of a header name, or `name` itself where it is unknown."""
    return NAMES.get(name) or NAMES.get(name.lower()) or name
