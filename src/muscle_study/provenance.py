"""What a stage leaves beside its results: where they came from and what they cost."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from muscle_study.files import sha256, write_json
from muscle_study.paths import ROOT

#: Packages whose version can change a result.
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

#: Images are too many to hash here; curation's inventory holds a hash of each instead.
HASHED = ("*.csv", "*.json", "*.safetensors")


def commit() -> str:
    """Return the commit of the checkout, with ``+changes`` where files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    head = git("rev-parse", "HEAD")
    if not head:
        return "not a git checkout"
    return head + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each table and weight file directly in `folder`, by name."""
    files = sorted(path for pattern in HASHED for path in folder.glob(pattern))
    return {path.name: sha256(path) for path in files if path.name != "manifest.json"}


def write_manifest(
    folder: Path,
    stage: str,
    parameters: dict[str, Any],
    inputs: dict[str, dict[str, str]],
    seconds: float,
    peak_mb: float,
) -> None:
    """Write ``manifest.json`` into `folder`.

    Parameters
    ----------
    folder
        What the stage wrote.
    stage
        Its name.
    parameters
        The parameters that were used.
    inputs
        Folder name to the hashes of the tables read from it.
    seconds, peak_mb
        Wall time; peak resident memory of the largest process.
    """
    write_json(
        {
            "stage": stage,
            "parameters": parameters,
            "inputs": inputs,
            "outputs": hashes(folder),
            "commit": commit(),
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            "packages": {name: version(name) for name in PACKAGES},
            "seconds": round(seconds, 1),
            "peak_mb": round(peak_mb),
        },
        folder / "manifest.json",
    )
