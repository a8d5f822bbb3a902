"""Provenance of a number of the manuscript, from its printed text back to the raw data."""

import difflib
from collections.abc import Iterator

from muscle_study.checks.chain import VerificationError, read_manifests
from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.stages import NOTEBOOK_STAGES, STAGES
from muscle_study.publishing.numbers import Number, read_numbers
from muscle_study.publishing.result import anchor, read_indexes
from muscle_study.report.errors import ReportError
from muscle_study.report.notebooks import read_notebooks

#: Characters of a hash that are shown.
SHOWN = 12

#: What each stage gives to the number.
LINKS = {
    "statistics": "tables, figures and numbers",
    "extensions": "tables, figures and numbers",
    "measurement": "the measurement tables",
    "inference": "the label maps",
    "training": "the networks",
    "curation": "the curated volumes",
    "cohort": "the raw data (synthetic)",
}


def list_numbers(run: str) -> list[str]:
    """Return a line for each number of the manuscript: its name and its printed text."""
    numbers = _numbers(RunPaths(run))
    width = max(map(len, numbers))
    return [f"{name:<{width}}  {number.text}" for name, number in numbers.items()]


def audit(run: str, name: str) -> list[str]:
    """Return lines on the provenance of a number of the manuscript.

    Parameters
    ----------
    run
        A finished run.
    name
        Name of the number, such as ``csa.mean_men``.

    Raises
    ------
    VerificationError
        If there is no such number, or the run has not finished.
    """
    paths = RunPaths(run)
    numbers = _numbers(paths)
    if name not in numbers:
        close = difflib.get_close_matches(name, numbers, n=3)
        hint = f"Did you mean {', '.join(close)}?" if close else "make audit lists them all"
        raise VerificationError(f"the manuscript of {run} has no number {name}. {hint}")
    manifests = read_manifests(paths)
    number = numbers[name]
    stages = [
        stage
        for stage in reversed(NOTEBOOK_STAGES)
        if stage in manifests
        and (NOTEBOOK_STAGES[stage].writes or name in read_json(paths.numbers / f"{stage}.json"))
    ]
    return [
        f"{name} = {number.text}",
        *_indented(_about_number(paths, name, number, manifests)),
        *_about_cell(paths, number, manifests),
        *(line for stage in stages for line in _about(paths, stage, manifests)),
    ]


def _numbers(paths: RunPaths) -> dict[str, Number]:
    numbers = read_numbers(paths.numbers)
    if not numbers:
        raise VerificationError(
            f"{paths.numbers} holds no numbers: run the statistics first (make all RUN={paths.run})"
        )
    return numbers


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _about_number(
    paths: RunPaths, name: str, number: Number, manifests: dict[str, dict]
) -> Iterator[str]:
    if number.value is not None:
        yield f"as computed: {number.value!r}"
    report = manifests["report"]
    folder = paths.numbers.relative_to(paths.output).as_posix()
    for file, digest in report["inputs"][folder].items():
        if name in read_json(paths.numbers / file):
            yield f"in {folder}/{file}  {digest[:SHOWN]}"
    for folder, files in report["outputs"].items():
        for file, digest in files.items():
            if file.startswith("manuscript."):
                yield f"printed in {folder}/{file}  {digest[:SHOWN]}"


def _about_cell(paths: RunPaths, number: Number, manifests: dict[str, dict]) -> Iterator[str]:
    try:
        notebooks = read_notebooks(paths.notebooks)
    except ReportError as error:
        raise VerificationError(str(error)) from error
    mark = anchor(number.cell)
    notebook = next((one for one in notebooks if mark in one.sources), None)
    if notebook is None:
        yield f"computed for {number.cell}, which no notebook published"
        return
    folder = paths.notebooks.relative_to(paths.output).as_posix()
    digest = manifests["report"]["inputs"][folder][notebook.path.name]
    yield f"computed for {number.cell} in {folder}/{notebook.path.name}  {digest[:SHOWN]}"
    yield f"    page: {folder}/{notebook.page}#{mark}"
    yield from (f"    | {line}" for line in notebook.sources[mark].splitlines())
    for file in read_indexes(paths)[number.cell]["files"]:
        path = paths.reports / file
        folder = path.parent.relative_to(paths.output).as_posix()
        digest = manifests["report"]["inputs"][folder][path.name]
        yield f"    with {folder}/{path.name}  {digest[:SHOWN]}"


def _about(paths: RunPaths, stage: str, manifests: dict[str, dict]) -> Iterator[str]:
    manifest = manifests[stage]
    yield ""
    yield f"{stage}: {LINKS[stage]}"
    yield f"    commit {manifest['commit']}, {manifest['seconds']:g} s"
    yield f"    parameters: {_parameters(manifest['parameters'])}"
    for what in ("inputs", "outputs"):
        for folder, files in manifest[what].items():
            if what == "outputs" and not STAGES[stage].writes:
                continue  # those of the number are shown above
            yield f"    {'read' if what == 'inputs' else 'wrote'} {folder}/"
            yield from (f"        {digest[:SHOWN]}  {file}" for file, digest in files.items())
    yield from _indented(_volumes(paths, stage))


def _parameters(values: dict) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _volumes(paths: RunPaths, stage: str) -> Iterator[str]:
    """Return the counts of volumes read and written, and the table of their hashes."""
    if stage == "inference":
        count = len(read_table(paths.segmentations / "records.csv"))
        yield f"wrote {count} label maps; their hashes: {paths.segmentations.name}/records.csv"
    if stage == "curation":
        inventory = read_table(paths.curated / "inventory.csv")
        files = read_table(paths.curated / "files.csv")
        yield f"read {len(inventory)} raw files and series; their hashes: curated/inventory.csv"
        yield f"wrote {len(files)} curated volumes; their hashes: curated/files.csv"
