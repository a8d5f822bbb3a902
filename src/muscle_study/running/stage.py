"""A stage opened by its notebook: parameters, folders, cluster."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.sections import Section
from muscle_study.protocol.stages import STAGES
from muscle_study.running.documents import ParameterError
from muscle_study.running.kernel import BY_RUNNER
from muscle_study.running.lock import RunLockedError, is_held
from muscle_study.running.parameters import StudyParameters, load

TABLE = """<table><caption>Section <code>{section}</code> of run <code>{run}</code>; in bold, what
differs from its parameter file</caption>
<tr><th>Key</th><th>Value</th><th>Meaning</th></tr>
{rows}
</table>"""


@dataclass(frozen=True)
class OpenStage:
    """A stage of a run, shown in a notebook as the table of its parameters.

    Parameters
    ----------
    name
        The stage's name.
    study
        All parameters of the run.
    paths
        Folders of the run; by hand, those that the stage writes lie in the scratch run.
    changes
        Values that differ from the parameter file, by dotted key.
    """

    name: str
    study: StudyParameters
    paths: RunPaths
    changes: Mapping[str, Any]

    @property
    def parameters(self) -> Section:
        """The stage's section."""
        return getattr(self.study, STAGES[self.name].section)

    @property
    def cluster(self) -> ClusterParameters:
        """Workers for the participants."""
        return self.study.cluster

    def _repr_html_(self) -> str:
        section = STAGES[self.name].section
        rows = []
        for key, value, meaning in self.parameters.rows():
            cells = [f"<code>{key}</code>", escape(str(value)), escape(meaning)]
            full = f"{section}.{key}."
            if any(full.startswith(f"{changed}.") for changed in self.changes):
                cells[:2] = [f"<b>{cell}</b>" for cell in cells[:2]]
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        return TABLE.format(section=section, run=escape(self.paths.run), rows="\n".join(rows))


def open_stage(name: str, run: str, changes: Mapping[str, Any], scratch: bool = True) -> OpenStage:
    """Open a stage of a run in its notebook.

    Under the runner (`make`) the stage writes to the run. By hand it writes to the scratch run and
    reads from the run; the first line that is printed says so.

    Parameters
    ----------
    name
        The stage's name.
    run
        The parameter file's name.
    changes
        Values that differ from the parameter file, by dotted key: ``{"curation.seed": 1}``.
    scratch
        Whether results by hand go to the scratch run. Otherwise they replace those of the run,
        which `make status` and `make report` then refuse.

    Raises
    ------
    ParameterError
        If the parameters cannot be used, or the run has no such stage.
    RunLockedError
        If the run is being worked on and its results would be replaced.
    """
    study = load(run, changes)
    if getattr(study, STAGES[name].section) is None:
        raise ParameterError(f"params/{run}.yaml has no section {name}: this run has no such stage")
    if BY_RUNNER in os.environ:
        return OpenStage(name, study, RunPaths(run), changes)
    paths = RunPaths(run, scratch=name if scratch else None)
    if scratch:
        place = "data" if STAGES[name].writes else "reports"
        print(
            f"By hand: results go to {place}/{paths.scratch_run}; those of {run} stay as they are."
        )
    elif is_held(paths.data):
        raise RunLockedError(f"run {run} is being worked on: open the stage with scratch=True")
    else:
        print(f"By hand: results replace those of {run}. make status tells how to restore them.")
    return OpenStage(name, study, paths, changes)
