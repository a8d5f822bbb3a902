"""A lock that keeps a second process from writing to the same run.

The operating system holds the lock on an open file and releases it when its owner ends, however it
ends. The content of the file serves messages only.
"""

import datetime
import errno
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muscle_study.protocol.files import read_json

#: Wait for the lock, s: the kernel of a killed stage ends after a second or two.
PATIENCE_SECONDS = 5.0
SECONDS_BETWEEN_ATTEMPTS = 0.1

#: Errors of file systems without locks: Lustre without the option, NFS without its lock daemon.
WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


class RunLockedError(Exception):
    """Another process works on the run, or its file system has no locks."""


@contextmanager
def run_lock(folder: Path, stage: str) -> Iterator[int]:
    """Hold the lock of a run, given by its data folder; yield the lock's file descriptor.

    A process that inherits the descriptor holds the lock too, as long as it lives.

    Raises
    ------
    RunLockedError
        If another process holds the lock, or the file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as file:
        _acquire(file.fileno(), folder)
        file.truncate(0)
        json.dump(
            {
                "stage": stage,
                "process": os.getpid(),
                "host": platform.node(),
                "since": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            },
            file,
        )
        file.flush()
        yield file.fileno()


def is_held(folder: Path) -> bool:
    """Return whether a process holds the lock of the run.

    Raises
    ------
    RunLockedError
        If the file system has no locks.
    """
    path = folder / ".lock"
    if not path.exists():
        return False
    with path.open() as file:
        try:
            _lock(file.fileno(), fcntl.LOCK_SH, folder)
        except BlockingIOError:
            return True
    return False


def last_owner(folder: Path) -> dict:
    """Return the present or last owner: ``stage``, ``process``, ``host``, ``since``."""
    try:
        return read_json(folder / ".lock")
    except (FileNotFoundError, ValueError):  # just taken, not written yet
        return dict.fromkeys(("stage", "process", "host", "since"), "unknown")


def _lock(descriptor: int, kind: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        raise RunLockedError(
            f"the file system of {folder} has no file locks ({error.strerror}), so two processes "
            "could overwrite each other's results: mount it with locks (Lustre: option flock; NFS: "
            "lockd), or move the run to another disk with make OUT=/folder"
        ) from None


def _acquire(descriptor: int, folder: Path) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _lock(descriptor, fcntl.LOCK_EX, folder)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise RunLockedError(_refusal(folder)) from None
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)
        else:
            return


def _refusal(folder: Path) -> str:
    who = last_owner(folder)
    return (
        f"run {folder.name} is being worked on: {who['stage']}, by process {who['process']} on "
        f"{who['host']} since {who['since']}. Wait for it, or stop it; "
        f"make status RUN={folder.name} shows its progress"
    )
