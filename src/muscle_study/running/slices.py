"""Slices of a run's parameters, one per section, whose times Make compares."""

import hashlib
import json
import os
import shutil
from pathlib import Path

from muscle_study.protocol.files import sha256, write_text
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.running.documents import ParameterError
from muscle_study.running.parameters import StudyParameters

#: Folder of the slices with which stages ended last.
USED = "used"

#: Keys of external folders that a stage reads.
FOLDERS = (
    "curation.source",
    "training.start_from",
    "training.pretrained",
    "inference.masks.folder",
)

#: Keys of files that a stage reads, too.
FILES = ("curation.withdrawn", "curation.verdicts", "curation.pseudonym_key")

#: Stages that a change of the declared covariates makes stale.
READ_COVARIATES = ("cohort", "curation", "measurement", "statistics")


def write_slices(run: str, parameters: StudyParameters) -> None:
    """Write each section to its own file if its content has changed.

    Make compares their times, so that a stage is redone for its own parameters and for no others.
    `cluster` is left out: where a stage runs does not change what it computes. So is
    `learning_curve`, which is no stage.

    Raises
    ------
    ParameterError
        If a folder of `FOLDERS` or a file of `FILES` is missing.
    """
    folder = RunPaths(run).parameters
    sections = parameters.model_dump(mode="json", exclude={"cluster", "learning_curve"})
    covariates = sections.pop("covariates")
    for stage in READ_COVARIATES:
        if sections[stage] is not None:
            sections[stage]["covariates"] = covariates
    for key, named, _ in parameters.rows():
        section, name, *_ = [*key.split("."), ""]
        if named is not None and key in FOLDERS:
            sections[section][f"{name}_listing"] = _listing(key, named)
        elif named is not None and key in FILES:
            place = Path(named).expanduser()
            if not place.is_file():
                raise ParameterError(f"{key}: there is no file {named}: name one, or null")
            if key != "curation.pseudonym_key":  # a secret
                sections[section][f"{name}_sha256"] = sha256(place)
    for stage, section in sections.items():
        if section is None:
            continue
        text = json.dumps(section, indent=2, ensure_ascii=False) + "\n"
        path, used = folder / f"{stage}.json", folder / USED / f"{stage}.json"
        if _holds(path, text):
            continue
        write_text(text, path)
        if _holds(used, text):
            # since the stage ended, other values were only inspected (make -n, make status)
            shutil.copystat(used, path)


def keep_used(run: str, stage: str) -> None:
    """Record the slice of a stage that has just succeeded."""
    folder = RunPaths(run).parameters
    (folder / USED).mkdir(exist_ok=True)
    shutil.copy2(folder / f"{stage}.json", folder / USED / f"{stage}.json")


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _listing(key: str, named: str) -> str:
    """Return a digest of names, sizes and times in a folder, to detect changes."""
    folder = ROOT / Path(named).expanduser()
    if not folder.is_dir():
        raise ParameterError(
            f"{key}: there is no folder {named}. Name one that there is, absolute or relative to "
            "the repository"
        )
    digest = hashlib.sha256()
    start = len(str(folder)) + 1
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            # text, since every make looks at all: for a hundred thousand files, Path takes longer
            # than the disk
            path = f"{parent}/{name}"
            state = os.stat(path)  # noqa: PTH116
            entry = [path[start:], state.st_size, state.st_mtime_ns]
            digest.update(json.dumps(entry).encode())
    return digest.hexdigest()
