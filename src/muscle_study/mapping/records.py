"""Records of finished participants, which a map skips.

A record holds a participant's result and a key: a hash of the code, the settings and the content of
the input files that the result depends on. It is written after the participant's output files, so
that its presence shows that they are complete.

Reading all input files of a cohort takes hours. A record therefore also holds a hash of their
names, sizes, times and inodes; where these are unchanged, so is the content.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muscle_study.mapping.code_version import Code
from muscle_study.protocol.exclusions import MAY_PASS, Excluded, Reason
from muscle_study.protocol.files import read_json, sha256, write_json


def nothing(*_arguments: Any) -> tuple:
    """Return no files and no values."""
    return ()


def as_stored(record: dict) -> dict:
    """Return a record unchanged."""
    return record


@dataclass(frozen=True)
class Records:
    """Files and settings of a map's records.

    Parameters
    ----------
    folder
        Folder of the records, one JSON file per participant.
    settings
        Values that all results depend on; JSON-able.
    inputs
        Returns a task's input files.
    values
        Returns further values of a task that its result depends on; JSON-able.
    outputs
        Returns the files that belong to a task and its record. Where one is missing, the work is
        done again.
    fingerprint
        Returns a hash of an input file's content.
    decode
        Converts a stored record into the one that the map returns.
    """

    folder: Path
    settings: Any = ()
    inputs: Callable[[Any], Iterable[Path]] = nothing
    values: Callable[[Any], Any] = nothing
    outputs: Callable[[Any, dict], Iterable[Path]] = nothing
    fingerprint: Callable[[Path], str] = sha256
    decode: Callable[[dict], dict] = as_stored

    def file(self, participant_id: str) -> Path:
        """Return the file of a participant's record."""
        return self.folder / f"{participant_id}.json"

    def keep_only(self, participant_ids: Collection[str]) -> None:
        """Remove the records of all other participants."""
        for record in self.folder.glob("*.json"):
            if record.stem not in participant_ids:
                record.unlink()


class Recorded:
    """A function of a task with its records; called with a participant's identifier and task.

    Parameters
    ----------
    function
        Takes a task, returns its result as a dictionary or raises `Excluded`.
    records
        Records of the results.
    """

    def __init__(self, function: Callable[[Any], dict], records: Records):
        self.function, self.records = function, records
        self.code = Code.behind(function)

    def recall(self, named_task: tuple[str, Any]) -> dict | None:
        """Return the record of finished work without reading its input files, if there is one.

        Raises
        ------
        Excluded
            If the work ended with this exclusion.
        """
        participant_id, task = named_task
        stored = _read(self.records.file(participant_id))
        if stored.get("seen") != self._seen(task):
            return None
        if "excluded" in stored:
            excluded = stored["excluded"]
            raise Excluded(Reason(excluded["reason"]), excluded["detail"])
        return self.records.decode(stored["record"]) if self._is_whole(task, stored) else None

    def __call__(self, named_task: tuple[str, Any]) -> dict:
        """Return the record of a task, working on it only if its inputs, settings or code differ.

        Returns
        -------
        dict
            ``seconds`` that the work took, and the function's result.

        Raises
        ------
        Excluded
            As the function does.
        """
        participant_id, task = named_task
        file = self.records.file(participant_id)
        # file states first: a file that changes from now on is read again
        seen = self._seen(task)
        key = self._key(task, contents(self.records.inputs(task), self.records.fingerprint))
        stored = _read(file)
        if stored.get("key") == key and self._is_whole(task, stored):
            record = stored["record"]
        else:
            file.unlink(missing_ok=True)  # the output files that it vouches for are replaced
            record = self._work(task, file, seen)
        if stored.get("seen") != seen or not file.exists():
            write_json({"key": key, "seen": seen, "record": record}, file)
        return self.records.decode(record)

    def _work(self, task: Any, file: Path, seen: str) -> dict:
        started = time.monotonic()
        try:
            result = self.function(task)
        except Excluded as excluded:
            if excluded.reason not in MAY_PASS:
                why = {"reason": excluded.reason, "detail": excluded.detail}
                write_json({"seen": seen, "excluded": why}, file)
            raise
        timed = {"seconds": round(time.monotonic() - started, 3), **result}
        return json.loads(json.dumps(_plain(timed)))  # new or recalled, a record is the same

    def _seen(self, task: Any) -> str:
        return self._key(task, _stamps(self.records.inputs(task)))

    def _key(self, task: Any, files: list[tuple]) -> str:
        return record_key(self.code.digest, self.records.settings, self.records.values(task), files)

    def _is_whole(self, task: Any, stored: dict) -> bool:
        return all(path.exists() for path in self.records.outputs(task, stored["record"]))


def record_key(*parts: Any) -> str:
    """Return a hash of JSON-able values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _stamps(files: Iterable[Path]) -> list[tuple]:
    """Return name, size, time and inode of files; only the name of a missing one."""
    seen = []
    for file in files:
        try:
            state = file.stat()
        except FileNotFoundError:
            seen.append((file.name,))
        else:
            seen.append((file.name, state.st_size, state.st_mtime_ns, state.st_ino))
    return seen


def contents(files: Iterable[Path], fingerprint: Callable[[Path], str] = sha256) -> list[tuple]:
    """Return name and hash of files; only the name of a missing one."""
    return [(file.name, fingerprint(file)) if file.exists() else (file.name,) for file in files]


def _plain(value: Any) -> Any:
    """Return a value in JSON's types; NaN becomes ``None``."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _read(path: Path) -> dict:
    """Return a stored record; nothing where there is none or the file is damaged."""
    try:
        return read_json(path)
    except (FileNotFoundError, ValueError):
        return {}
