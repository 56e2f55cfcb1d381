"""What a recording is called and where it goes (section 9 of the wire format).

    nothing, sdrive://[file]                  stays with us
    s3://bucket[/folder/][file]               credentials AccessKey:SecretKey:Region
    azure://account/container[/folder/][file] credentials: an access key

Without a file's name a call's recording is called `{UTC yyyyMMddHHmmss}_{applicationKey}_{callId}.{format}` and a
conference's `{conferenceId}.{applicationKey}.{UTC yyyyMMddHHmmss}.{format}`.  The extension of a name that was given
decides the format, since players go by it.

Names become parts of paths and URLs: whatever is no letter, digit or one of a few signs becomes a low line, and no name
begins with a dot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from gateway.errors import LocalError

__all__ = ["FORMATS", "Destination", "call_name", "conference_name", "destination_of", "folder_name"]

FORMATS: Final = ("wav", "mp3", "ogg", "opus")
"""`opus` is an Ogg file too."""
_STRANGE: Final = re.compile(r"[^A-Za-z0-9._@=+-]")
_MOST_NAME: Final = 200
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}\Z")
_CONTAINER: Final = re.compile(r"[a-z0-9$](?:[a-z0-9-]{1,61}[a-z0-9])\Z")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a file goes, understood."""

    scheme: str
    """`s3`, `azure`, or "" for here."""
    account: str = ""
    """Of Azure."""
    container: str = ""
    """Or bucket."""
    folder: str = ""
    """With a slash at its end, or ""."""
    name: str = ""
    format: str = "mp3"

    @property
    def key(self) -> str:
        """The file's path in its container."""
        return self.folder + self.name

    @property
    def url(self) -> str:
        """The complete URL; "" for here."""
        if not self.scheme:
            return ""
        places = (self.account, self.container) if self.scheme == "azure" else (self.container,)
        return f"{self.scheme}://{'/'.join(places)}/{self.key}"


def call_name(application: str, call: str, at: float) -> str:
    """Return what the recording of a call is called, without its extension; `at` is Unix seconds."""
    return _plain(f"{_stamp(at)}_{application}_{call}")


def conference_name(application: str, conference: str, at: float) -> str:
    """Return what the recording of a conference is called, without its extension."""
    return _plain(f"{conference}.{application}.{_stamp(at)}")


def folder_name(application: str) -> str:
    """Return the folder of an application's recordings; keys are the same in any case."""
    return _plain(application.lower()) or "_"


def destination_of(url: str, *, format: str, stem: str) -> Destination:  # noqa: A002 - the wire's name
    """Return where a recording goes.

    Args:
        url: what was asked for; "" = here.
        format: what was asked for.
        stem: its name where none was given, without an extension.

    Raises:
        LocalError: there is no such place, or no such format.
    """
    scheme, _, rest = url.strip().partition("://") if url.strip() else ("sdrive", "", "")
    match scheme.lower(), rest.split("/"):
        case "sdrive", [*_, name]:
            return _named(Destination(""), name, format, stem)
        case "s3", [bucket, *path] if _BUCKET.match(bucket):
            return _named(Destination("s3", "", bucket, _folder(path)), _last(path), format, stem)
        case "azure", [account, container, *path] if _ACCOUNT.match(account) and _CONTAINER.match(container):
            place = Destination("azure", account, container, _folder(path))
            return _named(place, _last(path), format, stem)
        case _:
            raise LocalError(
                f"recordings go to s3://bucket or azure://account/container, not to {url[:80]!r}"
            )


def _named(place: Destination, name: str, asked: str, stem: str) -> Destination:
    name = _plain(name)
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    kind = extension if extension in FORMATS else asked.strip().lower().removeprefix(".")
    if kind not in FORMATS:
        raise LocalError(f"recordings are {', '.join(FORMATS)}, not {asked[:20]!r}")
    if not name:
        name = f"{stem}.{kind}"
    elif extension not in FORMATS:
        name = f"{name}.{kind}"
    return replace(place, name=name, format=kind)


def _folder(path: list[str]) -> str:
    return "".join(f"{plain}/" for part in path[:-1] if (plain := _plain(part)))


def _last(path: list[str]) -> str:
    return path[-1] if path else ""


def _plain(text: str) -> str:
    return _STRANGE.sub("_", text).lstrip(".")[:_MOST_NAME]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d%H%M%S")
