"""One writer a run: two `make all` at once would pull files from under each other.

The lock is the kernel's, on an open file: whatever way its owner ends, it is gone with it, so that
none is ever left behind by a crash. What the file says is for messages alone.
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

#: The kernel of a stage that was killed is gone after a second or two.
PATIENCE_SECONDS = 5.0
SECONDS_BETWEEN_ATTEMPTS = 0.1


#: Of file systems that lock no files: Lustre without the option, NFS without its lock daemon.
WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


class RunLockedError(Exception):
    """The run cannot be had: somebody else works on it, or its disk has no locks."""


@contextmanager
def run_lock(folder: Path, stage: str) -> Iterator[int]:
    """Hold the lock of the run whose data lie in `folder`; yield its file descriptor.

    A process that inherits the descriptor holds the lock too, for as long as it lives.

    Raises
    ------
    RunLockedError
        Where another process holds it, or nobody can.
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
    """Tell whether some process holds the lock of the run.

    Raises
    ------
    RunLockedError
        Where nobody can.
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
    """Return who held the lock last, or holds it: ``stage``, ``process``, ``host``, ``since``."""
    try:
        return read_json(folder / ".lock")
    except (FileNotFoundError, ValueError):  # it has just been taken and says nothing yet
        return dict.fromkeys(("stage", "process", "host", "since"), "unknown")


def _lock(descriptor: int, kind: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        raise RunLockedError(
            f"the file system of {folder} locks no files ({error.strerror}), so that two runs at "
            "once could spoil each other: have it mounted with locks (Lustre: option flock; NFS: "
            "lockd), or put the run on another disk with make OUT=/folder"
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
        f"make status RUN={folder.name} says how far it is"
    )
