"""Results of analyses, and their publication."""

from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

from IPython.display import HTML, Markdown, display

from muscle_study.protocol.files import read_json, write_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.provenance import published_files
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers
from muscle_study.publishing.table import Table


@dataclass(frozen=True)
class Result:
    """Result of an analysis.

    Parameters
    ----------
    name
        Name of the files and, with hyphens, of the anchor in the notebook's page and of the
        references in the manuscript (``tbl-<name>``, ``fig-<name>``).
    table, figure
        Table and figure for the manuscript or its supplement.
    numbers
        Numbers for the text.
    json
        Coefficients for programs, written as ``tables/<name>.json``.
    """

    name: str
    table: Table | None = None
    figure: Picture | None = None
    numbers: Numbers = field(default_factory=Numbers)
    json: dict | None = None


@dataclass(frozen=True)
class Absent:
    """An analysis that does not apply to the run.

    Parameters
    ----------
    name
        Name of the `Result` that other runs have.
    reason
        Reason for readers, e.g. ``the true sizes are known of synthetic cohorts only``.
    """

    name: str
    reason: str


class Publisher:
    """Writes one stage's results to the run's report folder, and shows them in the notebook.

    Earlier results of the stage are removed first: this run may no longer have them.
    ``published/<stage>.json`` lists the results' files, and the reasons for absent ones.

    Parameters
    ----------
    paths
        The run.
    stage
        The stage's name.
    show
        Whether to show each result, as a notebook does.

    Examples
    --------
    >>> publish = Publisher(paths, "statistics")  # doctest: +SKIP
    >>> publish(flow(study), exclusions(study))  # doctest: +SKIP
    """

    def __init__(self, paths: RunPaths, stage: str, show: bool = True):
        self.paths, self.show = paths, show
        self.index_file = paths.published(stage)
        self.numbers_file = paths.numbers / f"{stage}.json"
        for name in published_files(self.index_file):
            (paths.reports / name).unlink(missing_ok=True)
        self.index: dict[str, dict] = {}
        self.numbers: dict[str, dict] = {}
        self._write_lists()

    def __call__(self, *results: Result | Absent) -> None:
        """Publish results.

        Raises
        ------
        ValueError
            If a name, or a number's name, is used twice.
        """
        for result in results:
            if result.name in self.index:
                raise ValueError(f"two results are called {result.name!r}")
            if isinstance(result, Absent):
                self.index[result.name] = {"absent": result.reason}
            else:
                self._publish(result)
            if self.show:
                _show(result)
        self._write_lists()

    def _publish(self, result: Result) -> None:
        files: list[Path] = []
        if result.figure is not None:
            files += result.figure.write(self.paths.figures, result.name)
        if result.table is not None:
            files += result.table.write(self.paths.tables, result.name)
        if result.json is not None:
            files.append(self.paths.tables / f"{result.name}.json")
            write_json(result.json, files[-1])
        for name, number in result.numbers.items():
            if name in self.numbers:
                raise ValueError(f"two numbers are called {name!r}")
            self.numbers[name] = asdict(number) | {"cell": result.name}
        relative = [file.relative_to(self.paths.reports).as_posix() for file in files]
        self.index[result.name] = {"files": relative}

    def _write_lists(self) -> None:
        write_json(dict(sorted(self.numbers.items())), self.numbers_file)
        write_json(self.index, self.index_file)


def _show(result: Result | Absent) -> None:
    display(HTML(f'<span id="{escape(anchor(result.name))}"></span>'))
    if isinstance(result, Absent):
        display(Markdown(f"{result.name}: {result.reason}"))
        return
    for part in (result.figure, result.table):
        if part is not None:
            display(part)


def read_indexes(paths: RunPaths) -> dict[str, dict]:
    """Return all published results by name: their ``files``, or why they are ``absent``."""
    found: dict[str, dict] = {}
    for index in sorted(paths.published("").parent.glob("*.json")):
        for name, entry in read_json(index).items():
            if name in found:
                raise ValueError(f"{index}: another stage has published {name!r} too")
            found[name] = entry
    return found


def anchor(name: str) -> str:
    """Return a result's anchor in the page of the notebook: ``result-measures-by-age``."""
    return f"result-{name.replace('_', '-')}"
