"""The state of each stage of a run, from Make's own rules."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.running.documents import ParameterError
from muscle_study.running.facts import stages_of
from muscle_study.running.integrity import changed_results, remedy
from muscle_study.running.lock import is_held, last_owner
from muscle_study.running.notebooks import describe_failure
from muscle_study.running.parameters import load
from muscle_study.running.retry import to_try_again

#: Lines of `make --trace`: targets to be made anew, and the newer files.
_STALE = re.compile(r"update target '([^']+)' due to: (.*)")
_MISSING = re.compile(r"target '([^']+)' does not exist")

#: Prerequisite of a stage that is to be run again although nothing is newer.
FORCE = Path("FORCE")


def status(run: str, overrides: list[str]) -> str:
    """Return a line for each stage of a run: done, stale, failed or not run, and why.

    Raises
    ------
    ParameterError
        If the parameter file cannot be used.
    """
    parameters, paths = load(run, overrides), RunPaths(run)
    running = last_owner(paths.data)["stage"] if is_held(paths.data) else None
    targets = {paths.target(stage): stage for stage in stages_of(parameters)}
    reasons = why_redone(_trace(run, overrides, paths))
    lines = []
    for target, stage in targets.items():
        state = _state(target, reasons, targets)
        if stage == running:
            state = "running since {since}, process {process} on {host}".format(
                **last_owner(paths.data)
            )
        elif state == "done" and (changed := changed_results(stage, paths)):
            state = f"done, then changed: {'; '.join(changed)}. {remedy(stage, paths)}"
        elif again := to_try_again(stage, paths):
            state += f", but for participants who are to be tried again: {_counts(again)}"
        lines.append(f"{stage:<12} {state}")
        if stage == last_owner(paths.data)["stage"] and paths.progress.exists():
            lines += progress_lines(read_json(paths.progress))
    to_come = [
        stage
        for target, stage in targets.items()
        if stage != running
        and (paths.again(stage).exists() or not _is_done(target, reasons, targets))
    ]
    if to_come:
        lines.append(f"next:        {', '.join(to_come)}")
    return "\n".join(lines)


def progress_lines(kept: dict) -> list[str]:
    """Return lines on the progress of a running or interrupted stage, from its progress file."""
    indent = " " * 13
    lines = [f"{indent}{kept['said']} ({kept['at']})"]
    if kept["excluded"]:
        lines.append(f"{indent}excluded: {_counts(kept['excluded'])}")
    return lines


def _counts(by_reason: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in by_reason.items())


def _trace(run: str, overrides: list[str], paths: RunPaths) -> str:
    # not the options of the make that called this
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        [
            "make",
            "--dry-run",
            "--trace",
            "--no-print-directory",
            "all",
            f"RUN={run}",
            f"SET={shlex.join(overrides)}",
            f"OUT={paths.output}",
            f"PYTHON={sys.executable}",
        ],
        cwd=ROOT,
        env=own,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ParameterError(done.stderr.strip())
    return done.stdout


def why_redone(trace: str) -> dict[Path, list[Path]]:
    """Return the targets that Make would rebuild, each with its newer files."""
    reasons: dict[Path, list[Path]] = {}
    for line in trace.splitlines():
        if stale := _STALE.search(line):
            reasons[Path(stale[1])] = [Path(name) for name in stale[2].split()]
        elif missing := _MISSING.search(line):
            reasons[Path(missing[1])] = []
    return reasons


def _newer(target: Path, reasons: dict[Path, list[Path]], targets: dict[Path, str]) -> list[Path]:
    """Return the files that are newer than a stage's target.

    An earlier stage that is done and runs again for transient failures only is left out: Make
    expects it to become newer, but it may not change.
    """
    return [
        path
        for path in reasons.get(target, [])
        if path != FORCE
        and not (path in targets and path in reasons and _is_done(path, reasons, targets))
    ]


def _is_done(target: Path, reasons: dict[Path, list[Path]], targets: dict[Path, str]) -> bool:
    return target.exists() and not _newer(target, reasons, targets)


def _state(target: Path, reasons: dict[Path, list[Path]], targets: dict[Path, str]) -> str:
    failed = target.with_name(f"{target.stem}.failed.ipynb")
    if failed.exists():
        notebook = nbformat.read(failed, as_version=4)
        return f"failed: {describe_failure(notebook).splitlines()[-1].strip()}"
    if _is_done(target, reasons, targets):
        return "done"
    if not target.exists():
        return "not run"
    newer = _newer(target, reasons, targets)
    earlier = [targets[path] for path in newer if path in targets]
    files = [path.name for path in newer if path not in targets]
    return f"stale, due to {', '.join(earlier + files)}"
