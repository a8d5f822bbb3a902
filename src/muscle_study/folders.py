"""Folders that long work needs, watched while it goes on."""

import errno
from collections.abc import Sequence
from pathlib import Path

from muscle_study.outcomes import MapStoppedError


class Folders:
    """Folders that the work needs, known by what they are and not by name alone.

    A network file system that goes away leaves an empty folder of the same name, in which work
    would go on unnoticed.

    Parameters
    ----------
    folders
        Each is made if it is not there.
    """

    def __init__(self, folders: Sequence[Path]):
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        self.identities = {folder: self._identity(folder) for folder in folders}

    def check(self) -> None:
        """Stop the map where a folder is gone or another one.

        Raises
        ------
        MapStoppedError
            Naming it.
        """
        for folder, identity in self.identities.items():
            if self._identity(folder) != identity:
                raise MapStoppedError(
                    f"{folder} vanished during the work: is its file system mounted? Then run again"
                )

    @staticmethod
    def _identity(folder: Path) -> tuple[int, int] | None:
        try:
            state = folder.stat()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EIO):
                return None
            raise
        return state.st_dev, state.st_ino
