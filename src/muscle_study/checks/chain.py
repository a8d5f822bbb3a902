"""The chain of a run's manifests, and their files."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.protocol.provenance import (
    SOURCE,
    Hashes,
    differing,
    folder_named,
    manifest_of,
)
from muscle_study.protocol.stages import STAGES


class VerificationError(Exception):
    """A run that cannot be verified or audited. The message names the remedy."""


@dataclass
class Checked:
    """Findings of one check.

    Parameters
    ----------
    files
        Number of files compared.
    problems
        Problems, each with its file.
    notes
        Remarks that are no problem.
    """

    files: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_manifests(paths: RunPaths) -> dict[str, dict]:
    """Return the manifest of each stage of a finished run, in order.

    Raises
    ------
    VerificationError
        If a manifest is missing, or was written by an earlier version.
    """
    manifests = {}
    for stage in STAGES:
        path = manifest_of(stage, paths)
        if path.exists():
            manifests[stage] = read_json(path)
        elif stage != "cohort":  # a run on real data has none
            raise VerificationError(
                f"{path} is missing: the run has not finished. Run make all RUN={paths.run}"
            )
    for stage, manifest in manifests.items():
        if not all(isinstance(files, dict) for files in manifest["outputs"].values()):
            raise VerificationError(
                f"{manifest_of(stage, paths)} is of an earlier version and names no folders. "
                f"Run make all RUN={paths.run}"
            )
    return manifests


def check_chain(paths: RunPaths, manifests: dict[str, dict]) -> Checked:
    """Compare the inputs of each stage with earlier outputs, and files with their hashes.

    Parameters
    ----------
    paths
        The run.
    manifests
        From `read_manifests`.
    """
    checked = Checked()
    written: Hashes = {}
    for stage, manifest in manifests.items():
        outside = {}
        for folder, files in manifest["inputs"].items():
            for name, digest in files.items():
                wrote = written.get(folder, {}).get(name)
                if wrote is None:
                    outside.setdefault(folder, {})[name] = digest
                elif wrote != digest:
                    checked.problems.append(
                        f"{folder}/{name}: {stage} read another content than was written: run "
                        f"{stage} again"
                    )
        _compare_with_disk(stage, outside, paths, manifests, checked, "read")
        for folder, files in outside.items():
            if not folder.endswith("/notebooks"):  # executed copies appear after their manifest
                names = ", ".join(sorted(files))
                checked.notes.append(f"{stage} read from outside the stages: {folder}: {names}")
        for folder, files in manifest["outputs"].items():
            written.setdefault(folder, {}).update(files)
        _compare_with_disk(stage, manifest["outputs"], paths, manifests, checked, "wrote")
    return checked


def _compare_with_disk(
    stage: str,
    hashes: Hashes,
    paths: RunPaths,
    manifests: dict[str, dict],
    checked: Checked,
    did: str,
) -> None:
    for name, files in hashes.items():
        folder = source_folder(manifests) if name == SOURCE else folder_named(name, paths)
        named = {f"{name}/{file}": (folder / file, digest) for file, digest in files.items()}
        checked.files += len(named)
        checked.problems += differing(named, f"is not what {stage} {did}")


def source_folder(manifests: dict[str, dict]) -> Path:
    """Return the folder of external raw data, from the parameters of curation."""
    return ROOT / Path(manifests["curation"]["parameters"]["source"]).expanduser()


def check_volumes(paths: RunPaths, manifests: dict[str, dict]) -> Checked:
    """Compare raw files, curated volumes and label maps with the hashes in the run's tables."""
    checked = Checked()
    curated = read_table(paths.curated / "files.csv")
    _check_listed(paths.curated, curated["file"], curated["sha256"], "curation wrote", checked)
    for folder in (paths.segmentations, paths.compared):
        if folder.is_dir():
            records = read_table(folder / "records.csv")
            files = records["participant_id"] + ".nii.gz"
            _check_listed(folder, files, records["sha256"], "inference wrote", checked)
    _check_raw(paths, manifests, checked)
    return checked


def _check_raw(paths: RunPaths, manifests: dict[str, dict], checked: Checked) -> None:
    curation = manifests["curation"]["parameters"]
    folder = paths.raw if curation["source"] is None else source_folder(manifests)
    inventory = read_table(paths.curated / "inventory.csv")
    single = pd.Series(True, inventory.index)
    if curation["layout"] != "cohort":
        # elsewhere a series may be many files, or be called by a pseudonym, which names none
        single = inventory["file"].map(lambda name: (folder / name).is_file())
    rows = inventory[single]
    _check_listed(folder, rows["file"], rows["sha256"], "curation read", checked)
    if not single.all():
        checked.notes.append(
            f"{(~single).sum()} of {len(single)} raw series are not files that the inventory names "
            f"(moved, of many files, or under a pseudonym) and were not compared"
        )


def _check_listed(
    folder: Path, files: Iterable[str], digests: Iterable[str], who: str, checked: Checked
) -> None:
    named = {
        f"{folder.name}/{file}": (folder / file, digest)
        for file, digest in zip(files, digests, strict=True)
    }
    checked.files += len(named)
    checked.problems += differing(named, f"is not what {who}")
