"""Facts for Make: the stages of a run, and the files that each depends on."""

import json
from collections.abc import Iterator
from pathlib import Path

from muscle_study.mapping.imports import PACKAGE, imported, module_name, reached
from muscle_study.protocol.files import write_text
from muscle_study.protocol.paths import NOTEBOOKS, ROOT, RunPaths
from muscle_study.protocol.stages import STAGES, Stage
from muscle_study.running.parameters import StudyParameters

#: Packages and modules that distribute, run and describe work: no result depends on them.
MACHINERY = (
    "mapping",
    "running",
    "protocol.paths",
    "protocol.provenance",
    "protocol.sections",
    "protocol.stages",
)


def stages_of(parameters: StudyParameters) -> list[str]:
    """Return the names of a run's stages: those whose section it has."""
    return [name for name, stage in STAGES.items() if getattr(parameters, stage.section)]


def write_facts(run: str, parameters: StudyParameters) -> None:
    """Write the facts that the Makefile includes, if they have changed.

    For each stage ``target``, ``slice``, ``reads`` (stages) and ``needs`` (all other files: the
    notebook, the modules that it reaches by its imports, and what the stage declares).
    """
    paths, stages = RunPaths(run), stages_of(parameters)
    lines = [f"stages := {' '.join(stages)}"]
    for stage in map(STAGES.get, stages):
        target = paths.target(stage.name).relative_to(paths.reports)
        facts = {
            "target": [f"$(reports)/{target}"],
            "slice": [f"$(data)/{paths.slice(stage.section).relative_to(paths.data)}"],
            "reads": [read for read in stage.reads if read in stages],
            "needs": _needs(stage, paths),
        }
        lines += [f"{name}.{stage.name} := {' '.join(value)}" for name, value in facts.items()]
    text = "\n".join(lines) + "\n"
    if not paths.facts.exists() or paths.facts.read_text(encoding="utf-8") != text:
        write_text(text, paths.facts)


def _needs(stage: Stage, paths: RunPaths) -> Iterator[str]:
    notebook = NOTEBOOKS / f"{stage.notebook}.ipynb"
    if stage.notebook:
        yield notebook.relative_to(ROOT).as_posix()
        entries = list(imported(_code_of(notebook)))
    else:
        entries = sorted((PACKAGE / stage.package).glob("*.py"))
    files = reached(filter(_has_effect, entries), _has_effect)
    files |= {file for pattern in stage.files for file in ROOT.glob(pattern) if file.is_file()}
    yield from sorted(file.relative_to(ROOT).as_posix() for file in files)
    yield from (f"$(data)/{name}" for name in stage.run_files if (paths.data / name).exists())


def _code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _has_effect(file: Path) -> bool:
    name = module_name(file)
    return not any(name == part or name.startswith(f"{part}.") for part in MACHINERY)
