"""Agreement of a run's results with its manifests."""

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.provenance import differing, folder_named, manifest_of
from muscle_study.protocol.stages import STAGES


class IntegrityError(Exception):
    """Results that differ from their manifest. The message names the files and the remedy."""


def changed_results(name: str, paths: RunPaths) -> list[str]:
    """Return the problems of the results of a stage, or of a check that publishes.

    Each file that differs from its hash in the manifest is named; so is a missing manifest.
    """
    manifest = manifest_of(name, paths)
    if not manifest.exists():
        return [f"{manifest.relative_to(paths.output)} is missing: nothing vouches for {name}"]
    named = {
        f"{folder}/{file}": (folder_named(folder, paths) / file, digest)
        for folder, files in read_json(manifest)["outputs"].items()
        for file, digest in files.items()
    }
    return list(differing(named, f"is not what {name} wrote"))


def remedy(name: str, paths: RunPaths) -> str:
    """Return the remedy for changed results of a stage or a check."""
    if name not in STAGES:
        return f"make {name.replace('_', '-')} RUN={paths.run}"
    return f"rm {paths.target(name)}; make all RUN={paths.run}"


def check_results(stages: list[str], paths: RunPaths) -> None:
    """Check all that the report may show.

    Parameters
    ----------
    stages
        Stages of the run.
    paths
        The run.

    Raises
    ------
    IntegrityError
        Naming what no manifest vouches for.
    """
    checks = {path.stem for path in paths.published("").parent.glob("*.json")} - {*STAGES}
    lines = []
    for name in [*stages, *sorted(checks)]:
        if name != "report" and (changed := changed_results(name, paths)):
            lines += [*changed, f"  To have it made anew: {remedy(name, paths)}"]
    if lines:
        raise IntegrityError("\n".join(["The report would show what no stage wrote:", *lines]))
