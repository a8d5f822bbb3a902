"""Folders that long work needs, watched while it goes on."""

import platform
from collections.abc import Iterable
from pathlib import Path

from muscle_study.mapping.task_result import TO_GO_ON, MapStoppedError


class Folders:
    """Folders that the work needs, known by what they are and not by name alone.

    A network file system that goes away leaves an empty folder of the same name, in which work
    would go on unnoticed; one that is written anew by whoever writes a file there is no better.
    Each machine looks for itself, for the same folder may be known otherwise there.
    """

    def __init__(self, folders: Iterable[Path]):
        self.identities = {folder: self._identity(folder) for folder in folders}

    def vanished(self) -> str:
        """Return which folder is gone or another one, and where; empty if none is."""
        for folder, identity in self.identities.items():
            if identity is None or self._identity(folder) != identity:
                return f"{folder} vanished on {platform.node()} (is its file system mounted?)"
        return ""

    def check(self) -> None:
        """Stop the map where a folder has vanished.

        Raises
        ------
        MapStoppedError
            Naming it.
        """
        if gone := self.vanished():
            raise MapStoppedError(f"{gone}: {TO_GO_ON}")

    @staticmethod
    def _identity(folder: Path) -> tuple[int, int] | None:
        try:
            state = folder.stat()
        except OSError:  # of its many ways to be gone
            return None
        return state.st_dev, state.st_ino
