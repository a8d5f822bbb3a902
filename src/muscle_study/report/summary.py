"""Summary of a run on one screen: report, participants, results, cost."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.provenance import manifest_of
from muscle_study.protocol.stages import NOTEBOOK_STAGES
from muscle_study.publishing.numbers import NO_BREAK_SPACE, Number, read_numbers

SEXES = ("men", "women")
MEASURES = {"csa": "psoas CSA", "gluteus": "gluteus volume"}


def summary(run: str) -> str:
    """Return the summary of a finished run, read from its files.

    Raises
    ------
    KeyError
        Naming a missing number.
    """
    paths = RunPaths(run)
    numbers = read_numbers(paths.numbers)
    lines = [
        f"Run {run} ({_text(numbers, 'study.kind')})",
        "",
        *_files(paths),
        "",
        *_participants(numbers),
        *_quality(numbers),
        "",
        *_means(numbers),
        "",
        *_costs(paths),
    ]
    return "\n".join(lines).replace(NO_BREAK_SPACE, " ")


def _text(numbers: Mapping[str, Number], name: str) -> str:
    if name not in numbers:
        raise KeyError(f"the number {name!r} is in no file of numbers/")
    return numbers[name].text


def _files(paths: RunPaths) -> Iterator[str]:
    for name in ("manuscript.html", "manuscript.pdf"):
        path = paths.reports / name
        if path.exists():
            yield f"  {name.rpartition('.')[2].upper():<5} {_short(path)}"


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _participants(numbers: Mapping[str, Number]) -> Iterator[str]:
    source, measured, excluded = (
        _text(numbers, f"population.{name}") for name in ("source", "measured", "excluded")
    )
    yield f"  Participants     {source} in the source, {measured} measured, {excluded} excluded"


def _quality(numbers: Mapping[str, Number]) -> Iterator[str]:
    for muscle in ("psoas", "gluteus"):
        ours, theirs = _text(numbers, f"dice.{muscle}"), _text(numbers, f"published.dice_{muscle}")
        yield f"  Dice, {muscle:<9}  {ours} (published {theirs})"


def _means(numbers: Mapping[str, Number]) -> Iterator[str]:
    yield f"  {'Mean ± SD':<24}{'this run':<24}published"
    for measure, words in MEASURES.items():
        for sex in SEXES:
            ours, theirs = (
                " ± ".join(_text(numbers, f"{group}{part}_{sex}") for part in ("mean", "sd"))
                for group in (f"{measure}.", f"published.{measure}_")
            )
            yield f"  {f'{words}, {sex}':<24}{ours:<24}{theirs}"


def _costs(paths: RunPaths) -> Iterator[str]:
    yield f"  {'Stage':<16}{'seconds':>8}{'peak MB':>10}"
    for stage in NOTEBOOK_STAGES:
        manifest = manifest_of(stage, paths)
        if manifest.exists():
            cost = read_json(manifest)
            yield f"  {stage:<16}{cost['seconds']:>8.0f}{cost['peak_mb']:>10.0f}"
