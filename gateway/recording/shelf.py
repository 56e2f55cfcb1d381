"""The folder where recordings stay: a folder for each application, a file for each recording.

The file system is all the memory that this needs: what is in an application's folder is that application's, the time
of its last change is when it was made, and its name is its key.  A file under way is there as well, as long as it is
by now.  Files that are to go elsewhere wait in `.outgoing` until they have gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from gateway.config import Config
from gateway.recording.naming import FORMATS, folder_name

__all__ = ["MEDIA_TYPES", "Kept", "Shelf"]

OUTGOING: Final = ".outgoing"
MEDIA_TYPES: Final = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One recording that is here."""

    key: str
    """The name of its file."""
    made_at: float
    """Unix seconds."""
    n_bytes: int


class Shelf:
    """All recordings of all applications below one folder; every method may block."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    @classmethod
    def configured(cls, config: Config) -> Self:
        """Return where the configuration has recordings kept."""
        return cls(config.data_dir / (config.recording.directory or "recordings"))

    def place(self, application: str, name: str) -> Path:
        """Return where a new file of that name is to be written, in a folder that is there.

        Raises:
            OSError: there can be no such folder.
        """
        folder = self.folder / folder_name(application)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def way_out(self, recording: str, kind: str) -> Path:
        """Return where a file that goes elsewhere is to be written.

        Raises:
            OSError: there can be no such folder.
        """
        folder = self.folder / OUTGOING
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{recording}.{kind}"

    def listed(self, application: str, *, start: float, stop: float) -> Sequence[Kept]:
        """Return what an application has from `start` up to, not including, `stop`, the newest first."""
        try:
            files = [path for path in (self.folder / folder_name(application)).iterdir() if _is_sound(path)]
            kept = [Kept(path.name, path.stat().st_mtime, path.stat().st_size) for path in files]
        except FileNotFoundError:
            return ()
        within = [each for each in kept if start <= each.made_at < stop]
        return sorted(within, key=lambda each: (-each.made_at, each.key))

    def find(self, application: str, key: str) -> Path | None:
        """Return the file of a recording; None if the application has none of that key."""
        path = self.folder / folder_name(application) / key
        return path if Path(key).name == key and _is_sound(path) and path.is_file() else None

    def remove(self, application: str, key: str) -> bool:
        """Remove a recording; tell whether it was there."""
        path = self.find(application, key)
        if path is not None:
            path.unlink(missing_ok=True)
        return path is not None


def _is_sound(path: Path) -> bool:
    return path.suffix.lower().removeprefix(".") in FORMATS and not path.name.startswith(".")
