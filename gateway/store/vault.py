"""What keeps secrets secret in the database: AES-256-GCM, with keys that are in a file of their own.

A copy of the database (a backup, a replica, a disk that was sold) tells nobody an application's secret or a phone's
password.  Whoever can read the key file beside it has both, so the file may lie elsewhere (`[store] key_file`): a
secret of the container, a disk in memory.  It is made at the first start, mode 0600, one key a line: the first one
seals, all of them open.  So a key is changed by a new first line (`tandem rekey`), and backups stay readable for as
long as the old line is kept.

What is sealed is bound to its place (GCM's associated data): a password that is copied to another row opens nowhere.
Digest needs no more than H(user:realm:password), but that is one value for each realm and algorithm, and whoever has
it can register as well as with the password: it would be sealed all the same.
"""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import ConfigError

__all__ = ["KEY_FILE", "Vault"]

KEY_FILE: Final = "store.key"
"""In the data directory, unless the configuration names another."""
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_KEPT: Final = 2
"""Keys that `renew` leaves: the new one, and the one before for whoever is sealing in this moment."""
_HEAD: Final = "# Opens the secrets in Tandem's store: keep it apart from backups of the database.\n"


class Vault:
    """Seals and opens text with the keys of one file, which is read when it is first needed and when it has changed.

    Every method that needs a key raises ConfigError if the file cannot be read or has not the right one.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._keys: tuple[AESGCM, ...] = ()
        self._read: os.stat_result | None = None
        """The file as it was when it was read."""

    def make(self) -> None:
        """Make a file with one key, unless there is a file: of two who start together both have the first one's."""
        if not self.path.exists():
            self._write([_drawn()], over=False)

    def renew(self) -> None:
        """Put a new key before the others, of which only the first is kept."""
        self._write([_drawn(), *self._lines()][:_KEPT], over=True)

    def seal(self, text: str, place: str) -> str:
        """Return what may be written to the database at `place` (any name of it that stays)."""
        self._refresh()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[0].encrypt(nonce, text.encode("utf-8", "surrogatepass"), place.encode())
        return base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, place: str) -> str:
        """Return the text that was sealed for `place`."""
        if (text := self._opened(sealed, place)) is None:
            self._refresh()
            text = self._opened(sealed, place)
        if text is None:
            raise self._refusal("has not the key with which the secrets in the store were sealed")
        return text

    def is_newest(self, sealed: str, place: str) -> bool:
        """Tell whether it was sealed with the first key."""
        self._refresh()
        return _decrypted(self._keys[0], sealed, place) is not None

    def _opened(self, sealed: str, place: str) -> str | None:
        found = (_decrypted(key, sealed, place) for key in self._keys)
        return next((text for text in found if text is not None), None)

    def _refresh(self) -> None:
        """Read the keys again if the file has changed; one that is gone leaves those that are known."""
        try:
            now = self.path.stat()
        except OSError as error:
            if self._keys:
                return
            raise self._refusal(error.strerror or str(error)) from None
        if self._read is None or (now.st_mtime_ns, now.st_ino) != (self._read.st_mtime_ns, self._read.st_ino):
            self._keys = tuple(self._key(line) for line in self._lines())
            self._read = now

    def _lines(self) -> list[str]:
        try:
            written = self.path.read_text(encoding="ascii").splitlines()
        except (OSError, ValueError) as error:
            raise self._refusal(getattr(error, "strerror", None) or "is no text") from None
        lines = [line.strip() for line in written if line.strip() and not line.startswith("#")]
        if not lines:
            raise self._refusal("holds no key")
        return lines

    def _key(self, line: str) -> AESGCM:
        try:
            key = base64.b64decode(line, validate=True)
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            raise self._refusal(f"a line of it is no key, {_KEY_BYTES} bytes in base64")
        return AESGCM(key)

    def _write(self, lines: Iterable[str], *, over: bool) -> None:
        """Put the whole file in place at once; with `over`, in that of the one before."""
        try:
            handle, draft = tempfile.mkstemp(dir=self.path.parent, prefix=".key-")  # mode 0600
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(_HEAD + "".join(f"{line}\n" for line in lines))
                    file.flush()
                    os.fsync(file.fileno())
                _put(draft, self.path, over=over)
            finally:
                Path(draft).unlink(missing_ok=True)
        except OSError as error:
            raise self._refusal(error.strerror or str(error)) from None

    def _refusal(self, what: str) -> ConfigError:
        return ConfigError("store.key_file", f"{self.path}, which opens the secrets in the store: {what}")


def _drawn() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def _decrypted(key: AESGCM, sealed: str, place: str) -> str | None:
    try:
        data = base64.b64decode(sealed, validate=True)
        opened = key.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        return None
    return opened.decode("utf-8", "surrogatepass")


def _put(draft: str, path: Path, *, over: bool) -> None:
    if over:
        os.replace(draft, path)
        return
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # somebody was faster, and his key is as good
