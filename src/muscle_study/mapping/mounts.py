"""Detect unmounted folders by device and inode."""

import platform
from collections.abc import Iterable
from pathlib import Path

from muscle_study.mapping.task_result import REMEDY, MapStoppedError


class WatchedFolders:
    """Folders that a map needs, identified by device and inode.

    A network file system that is unmounted leaves an empty folder of the same name, in which work
    would go on unnoticed. Each machine looks for itself, since the numbers differ between machines.
    """

    def __init__(self, folders: Iterable[Path]):
        self.identities = {folder: self._identity(folder) for folder in folders}

    def vanished(self) -> str:
        """Return which folder is missing or replaced, and on which machine; empty if none is."""
        for folder, identity in self.identities.items():
            if identity is None or self._identity(folder) != identity:
                return f"{folder} vanished on {platform.node()} (is its file system mounted?)"
        return ""

    def check(self) -> None:
        """Raise `MapStoppedError` if a folder has vanished."""
        if gone := self.vanished():
            raise MapStoppedError(f"{gone}: {REMEDY}")

    @staticmethod
    def _identity(folder: Path) -> tuple[int, int] | None:
        try:
            state = folder.stat()
        except OSError:  # a broken mount raises various errors
            return None
        return state.st_dev, state.st_ino
