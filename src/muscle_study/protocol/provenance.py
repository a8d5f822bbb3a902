"""Manifests: provenance and cost of each stage's results.

Manifests form a chain from the manuscript back to the raw data: each holds the hashes of what its
stage read and wrote.
"""

import platform
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from muscle_study.protocol.files import read_json, sha256, write_json
from muscle_study.protocol.paths import PUBLISHED, ROOT, RunPaths
from muscle_study.protocol.stages import STAGES

#: Packages that can change a result by their version.
PACKAGES = (
    "dask",
    "lightning",
    "matplotlib",
    "monai",
    "nibabel",
    "numpy",
    "pandas",
    "papermill",
    "pingouin",
    "scipy",
    "statsmodels",
    "torch",
    "torchio",
)

#: Endings of volumes, too many to list. Tables hold their hashes: ``inventory.csv`` of raw data,
#: ``files.csv`` of curated volumes, ``records.csv`` of label maps.
VOLUMES = (".nii", ".nii.gz")

#: Endings of files that are hashed in a folder of external raw data.
SOURCE_TABLES = (".csv", ".tsv", ".json")

#: Name of the folder of external raw data in manifests.
SOURCE = "<source>"

MANIFEST = "manifest.json"

#: Folder to file to SHA-256.
Hashes = dict[str, dict[str, str]]


def commit() -> str:
    """Return the commit of the checkout, with ``+changes`` if files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    head = git("rev-parse", "HEAD")
    if not head:
        return "not a git checkout"
    return head + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def hashes(folder: Path, endings: tuple[str, ...] = ("",)) -> dict[str, str]:
    """Return the SHA-256 by name of the files in `folder` with these endings.

    Volumes, manifests and unfinished files are left out.
    """
    files = sorted(path for path in folder.glob("*") if path.is_file() and _is_result(path.name))
    return {path.name: sha256(path) for path in files if path.name.endswith(endings)}


def _is_result(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(VOLUMES) and name != MANIFEST


def folder_hashes(folders: list[Path], paths: RunPaths) -> Hashes:
    """Return the hashes of existing folders, by their path in the run's output."""
    return {_name(folder, paths): hashes(folder) for folder in folders if folder.is_dir()}


def _name(folder: Path, paths: RunPaths) -> str:
    start = ROOT if folder == PUBLISHED else paths.output
    return folder.relative_to(start).as_posix()


def folder_named(name: str, paths: RunPaths) -> Path:
    """Return the folder that manifests call `name`."""
    start = ROOT if ROOT / name == PUBLISHED else paths.output
    return start / name


def published_files(index: Path) -> list[str]:
    """Return the files that an index of ``published/`` lists, relative to the report folder."""
    if not index.exists():
        return []
    return [file for entry in read_json(index).values() for file in entry.get("files", ())]


def published_hashes(name: str, paths: RunPaths) -> Hashes:
    """Return the hashes of a stage's or check's publications: results, numbers, index."""
    index = paths.published(name)
    files = [*published_files(index), f"numbers/{name}.json", f"published/{name}.json"]
    there = [paths.reports / file for file in files if (paths.reports / file).is_file()]
    found: Hashes = {}
    for path in sorted(there):
        found.setdefault(_name(path.parent, paths), {})[path.name] = sha256(path)
    return found


def hashes_of_results(stage: str, paths: RunPaths) -> Hashes:
    """Return the hashes of a stage's data folders or, without any, of its publications."""
    folders = paths.folders_of(stage)
    return folder_hashes(folders, paths) if folders else published_hashes(stage, paths)


def differing(named: dict[str, tuple[Path, str]], what: str) -> Iterator[str]:
    """Yield a problem for each file that is missing or differs from its hash."""
    there = {name: pair for name, pair in named.items() if pair[0].is_file()}
    yield from (f"{name} is missing" for name in named if name not in there)
    # hashing releases Python's lock, so that threads use the cores
    with ThreadPoolExecutor() as pool:
        found = pool.map(sha256, [path for path, _ in there.values()])
        for (name, (_, digest)), now in zip(there.items(), found, strict=True):
            if now != digest:
                yield f"{name} {what}"


def manifest_of(name: str, paths: RunPaths) -> Path:
    """Return the manifest's path of a stage, or of a check that publishes."""
    if name in STAGES and STAGES[name].writes:
        return paths.folders_of(name)[0] / MANIFEST
    return paths.reports / "manifests" / f"{name}.json"


def write_manifest(
    path: Path,
    stage: str,
    parameters: dict[str, Any],
    inputs: Hashes,
    outputs: Hashes,
    seconds: float,
    peak_mb: float,
) -> None:
    """Write a stage's manifest.

    Parameters
    ----------
    path
        The manifest.
    stage
        The stage's name.
    parameters
        Parameters used.
    inputs, outputs
        Hashes of the files read, taken at the start of the stage, and of those written.
    seconds, peak_mb
        Wall time; peak resident memory of the largest process.
    """
    write_json(
        {
            "stage": stage,
            "parameters": parameters,
            "inputs": inputs,
            "outputs": outputs,
            "commit": commit(),
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            "packages": {name: version(name) for name in PACKAGES},
            "seconds": round(seconds, 1),
            "peak_mb": round(peak_mb),
        },
        path,
    )
