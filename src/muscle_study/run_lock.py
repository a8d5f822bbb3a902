"""One writer a run: two `make all` at once would pull files from under each other.

The lock is the kernel's, on an open file: whatever way its owner ends, it is gone with it, so that
none is ever left behind by a crash. What the file says is for messages alone.
"""

import datetime
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muscle_study.files import read_json

#: The kernel of a stage that was killed is gone after a second or two.
PATIENCE_SECONDS = 5.0
SECONDS_BETWEEN_ATTEMPTS = 0.1


class RunLockedError(Exception):
    """Somebody else works on the run. The message says who."""


@contextmanager
def run_lock(folder: Path, stage: str) -> Iterator[int]:
    """Hold the lock of the run whose data lie in `folder`; yield its file descriptor.

    A process that inherits the descriptor holds the lock too, for as long as it lives.

    Raises
    ------
    RunLockedError
        Where another process holds it.
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
    """Tell whether some process holds the lock of the run."""
    path = folder / ".lock"
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def last_owner(folder: Path) -> dict:
    """Return who held the lock last, or holds it: ``stage``, ``process``, ``host``, ``since``."""
    try:
        return read_json(folder / ".lock")
    except (FileNotFoundError, ValueError):  # it has just been taken and says nothing yet
        return dict.fromkeys(("stage", "process", "host", "since"), "unknown")


def _acquire(descriptor: int, folder: Path) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
