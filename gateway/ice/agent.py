"""The lite side of ICE for one component (RFC 8445 section 2.5): it answers, and lets itself be led.

    a check comes ...                              answer   and then
    ---------------------------------------------  -------  -------------------------------------------------------
    without USERNAME                               400
    for another ufrag, or not under our password   401
    with an attribute that we would have to know   420      its type is named
    from somebody who wants us to lead             487      he leads then (section 7.3.1.1: a lite agent cannot)
    authentic                                      success  the path is alive for 30 s more (RFC 7675)
    ... with USE-CANDIDATE                         success  media goes there: the newest nomination counts

Errors before a peer is known cost it the pleasure of an authentic answer and us no state.  After an ICE restart the
credentials of before are good until the first nomination under the new ones, so that the old path carries on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.errors import BadMessage
from gateway.ice.stun import (
    BINDING,
    Attribute,
    Kind,
    StunMessage,
    encode,
    error_value,
    is_authentic,
    parse_stun_untrusted,
    xor_address,
)

__all__ = ["CONSENT_S", "Address", "Credentials", "IceLite"]

Address: TypeAlias = tuple[str, int]

CONSENT_S: Final = 30.0
"""How long a path lives without an authentic check."""
_PATHS: Final = 16
"""So many addresses are known at once: more than any browser has pairs with one address of ours."""
_KNOWN: Final = frozenset(Attribute)
_OPTIONAL_FROM: Final = 0x8000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What checks to us are made with."""

    ufrag: str
    password: str = field(repr=False)


class IceLite:
    """One component of one stream; `now` is monotonic seconds."""

    def __init__(self, credentials: Credentials, now: float) -> None:
        """The peer has `CONSENT_S` from now on to make itself known."""
        self._credentials = credentials
        self._before: Credentials | None = None
        self._checked: dict[Address, None] = {}
        self._heard_at = now
        self.selected: Address | None = None
        """Where media goes: the newest nomination."""

    def resume(self, selected: Address) -> None:
        """Go on where an agent before this one has sent media: that address has passed its checks."""
        self._checked[selected] = None
        self.selected = selected

    @property
    def heard_at(self) -> float:
        """When the last authentic check came, or we began to wait for one."""
        return self._heard_at

    @property
    def expires_at(self) -> float:
        """When the peer's consent ends unless it is renewed."""
        return self._heard_at + CONSENT_S

    def knows(self, address: Address) -> bool:
        """Tell whether an authentic check came from there: whatever else comes from elsewhere is a stranger's."""
        return address in self._checked

    def restart(self, credentials: Credentials) -> None:
        """Take checks under new credentials; the same ones are no restart (RFC 8445 section 9)."""
        if credentials != self._credentials:
            self._before, self._credentials = self._credentials, credentials

    def receive(self, data: bytes, source: Address, now: float) -> bytes | None:
        """Take a STUN packet and return the answer; None to what asks for none."""
        try:
            message = parse_stun_untrusted(data)
        except BadMessage:
            return None
        if message.kind is not Kind.REQUEST or message.method != BINDING:
            return None
        return self._answer(message, data, source, now)

    def _answer(self, check: StunMessage, data: bytes, source: Address, now: float) -> bytes:
        username = check.get(Attribute.USERNAME)
        if username is None:
            return _error(check, 400, "Bad Request")
        used = self._used(username)
        if used is None or not is_authentic(data, used.password):
            return _error(check, 401, "Unauthenticated")
        if unknown := [kind for kind, _ in check.attributes if kind < _OPTIONAL_FROM and kind not in _KNOWN]:
            named = (Attribute.UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(unknown)}H", *unknown))
            return _error(check, 420, "Unknown Attribute", named, password=used.password)
        if check.get(Attribute.ICE_CONTROLLED) is not None:
            return _error(check, 487, "Role Conflict", password=used.password)
        self._heard(source, now)
        if check.get(Attribute.USE_CANDIDATE) is not None:
            self._nominated(source, used)
        mapped = (Attribute.XOR_MAPPED_ADDRESS, xor_address(*source, check.transaction))
        return encode(StunMessage(Kind.SUCCESS, check.transaction, (mapped,)), used.password)

    def _used(self, username: bytes) -> Credentials | None:
        """Return our half of a check's credentials: USERNAME is `ours:theirs` (RFC 8445 section 7.2.2)."""
        ours, _, _ = username.partition(b":")
        known = (self._credentials, self._before)
        return next((each for each in known if each is not None and each.ufrag.encode() == ours), None)

    def _heard(self, source: Address, now: float) -> None:
        self._heard_at = now
        self._checked.pop(source, None)
        self._checked[source] = None
        if len(self._checked) > _PATHS:
            del self._checked[next(iter(self._checked))]

    def _nominated(self, source: Address, used: Credentials) -> None:
        if used == self._credentials:
            self._before = None
            self.selected = source
        elif self.selected is None:
            self.selected = source


def _error(
    check: StunMessage, code: int, reason: str, *more: tuple[int, bytes], password: str | None = None
) -> bytes:
    attributes = ((Attribute.ERROR_CODE, error_value(code, reason)), *more)
    return encode(StunMessage(Kind.ERROR, check.transaction, attributes), password)
