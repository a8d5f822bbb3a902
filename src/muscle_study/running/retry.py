"""Re-run a stage for participants with transient failures.

A mark tells Make to run the stage although its inputs are not newer. If the attempt changes
nothing, the executed copy is restored with its former time, and Make leaves later stages alone.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from muscle_study.protocol.exclusions import MAY_PASS
from muscle_study.protocol.files import read_json, read_table, whole_file
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.provenance import manifest_of


def to_try_again(stage: str, paths: RunPaths) -> dict[str, int]:
    """Return the number of participants with transient failures in a stage, by reason."""
    for folder in paths.folders_of(stage)[:1]:
        if (exclusions := folder / "exclusions.csv").exists():
            reasons = read_table(exclusions)["reason"]
            return reasons[reasons.isin(MAY_PASS)].value_counts().sort_index().to_dict()
    return {}


def mark(stage: str, paths: RunPaths) -> None:
    """Set the mark by which Make runs a stage again, or remove it."""
    if to_try_again(stage, paths):
        paths.again(stage).touch()
    else:
        paths.again(stage).unlink(missing_ok=True)


@dataclass(frozen=True)
class Finished:
    """A finished stage before another attempt.

    Parameters
    ----------
    copy, manifest
        Contents of the executed copy and the manifest.
    modified_ns
        Modification time of the copy, ns.
    """

    copy: bytes
    manifest: bytes
    modified_ns: int

    @classmethod
    def read(cls, stage: str, paths: RunPaths) -> Self | None:
        """Return a finished stage; ``None`` if an earlier attempt was killed at its start."""
        copy, manifest = _files(stage, paths)
        if not manifest.exists():
            return None
        return cls(copy.read_bytes(), manifest.read_bytes(), copy.stat().st_mtime_ns)

    def restore_if_same(self, stage: str, paths: RunPaths) -> None:
        """Restore copy and manifest if the attempt has read and written the same files."""
        copy, manifest = _files(stage, paths)
        before, now = json.loads(self.manifest), read_json(manifest)
        if any(before[hashes] != now[hashes] for hashes in ("inputs", "outputs")):
            return
        with whole_file(manifest) as beside:
            beside.write_bytes(self.manifest)
        with whole_file(copy) as beside:
            beside.write_bytes(self.copy)
            os.utime(beside, ns=(self.modified_ns, self.modified_ns))


def _files(stage: str, paths: RunPaths) -> tuple[Path, Path]:
    return paths.target(stage), manifest_of(stage, paths)
