"""Simulated work on a participant, with failures of a long run.

Apart from the tests, since workers import it and should not wait for what only tests need.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from muscle_study.mapping.records import Records
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import sha256, write_text

#: Written of each participant: enough that a cohort fills a small disk.
RESULT_BYTES = 20_000


#: Who broke this process, as an illegal access breaks a GPU's for all who come after.
_broken: list[str] = []


@dataclass(frozen=True)
class Work:
    """As a stage does it: an input each, a result each, a record each.

    Parameters
    ----------
    folder
        With ``inputs``, one file a participant, and ``troubles``, named by participant; the rest
        is written.
    """

    folder: Path

    @property
    def records(self) -> Records:
        """Records of finished participants."""
        return Records(
            self.folder / "records",
            inputs=lambda name: [self.input_of(name)],
            outputs=lambda name, record: [self.result_of(name)],
        )

    def do(self, name: str) -> dict:
        """Write a participant's result."""
        self.note(name)
        self.meet_trouble(name)
        text = self.input_of(name).read_text()
        if "bad" in text:
            raise Excluded(Reason.UNREADABLE_IMAGE, f"{name} is bad")
        write_text(text * (RESULT_BYTES // len(text)), self.result_of(name))
        return {"sha256": sha256(self.result_of(name)), "length": len(text)}

    def input_of(self, name: str) -> Path:
        """Return the file that the participant comes with."""
        return self.folder / "inputs" / name

    def result_of(self, name: str) -> Path:
        """Return the file that is written of the participant."""
        return self.folder / "results" / name

    def note(self, name: str) -> None:
        """Leave who works here, for tests that kill: the process, and the worker that has it."""
        started = self.folder / "started" / name
        started.parent.mkdir(exist_ok=True)
        started.write_text(f"{os.getpid()} {os.getppid()}")

    def meet_trouble(self, name: str) -> None:
        """Do what the participant's trouble says; ``once`` alone is over after the first time."""
        if _broken:
            raise RuntimeError(f"illegal memory access, as of {_broken}")
        trouble = self.folder / "troubles" / name
        if not trouble.exists():
            return
        kind, *once = trouble.read_text().split()
        if once:
            trouble.unlink()
        if kind == "hang":
            time.sleep(3600)
        elif kind == "slow":
            time.sleep(0.3)
        elif kind == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "crash_worker":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(3600)  # until the process ends with its worker
        elif kind == "fill":
            held = []
            while len(held) < 64:  # 3.2 GB at most
                held.append(bytes(range(256)) * 200_000)
                time.sleep(0.02)
        elif kind == "break":
            _broken.append(name)
            raise RuntimeError("illegal memory access")
        elif kind == "unreadable":
            raise OSError(5, "Input/output error")
        elif kind in ("inputs", "results"):  # the folder's file system goes away
            (self.folder / kind).rename(self.folder / "unmounted")
            (self.folder / kind).mkdir()


def environment(names: list[str]) -> dict:
    """Return the values of environment variables, and which process it is that has them."""
    return {"process": os.getpid(), "values": [os.environ.get(name) for name in names]}
