"""The inventory of an export: one row per series or label file."""

from collections.abc import Mapping, Sequence

import pandas as pd

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import OTHER, UNTOLD, Series
from muscle_study.curation.task import Task
from muscle_study.imaging.labels import spacing_text
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded

INVENTORY = ["participant_id", "kind", "contrast", "series", "repeat", "extent", "used", "file",
             "bytes", "sha256", "shape", "spacing_mm", "orientation", "z_mm",
             "problem"]  # fmt: skip


def inventory_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each series, and label file, of included participants."""
    rows = [
        {"participant_id": record["participant_id"], **row}
        for record in records.to_dict("records")
        for row in record["inventory"]
    ]
    table = pd.DataFrame(rows, columns=INVENTORY)
    return table.astype({"series": "Int64", "repeat": "Int64"})


def inventory_rows(
    task: Task,
    series: Sequence[Series],
    scan: Mapping[str, Sequence[Series]],
    labels: Sequence[tuple[SourceFile, Volume]],
) -> list[dict]:
    """Return a row for each series and label file; `scan` holds the used series by contrast."""
    used = [one for slabs in scan.values() for one in slabs]
    order = {contrast: place for place, contrast in enumerate((*scan, OTHER, UNTOLD))}
    rows = [
        series_row(task, one, is_used=any(one is other for other in used))
        for one in sorted(series, key=lambda one: (order[one.contrast], one.repeat, one.number))
    ]
    return rows + [label_row(task, file, volume) for file, volume in labels]


def series_row(task: Task, series: Series, is_used: bool) -> dict:
    """Describe a series of the export."""
    return {
        "kind": "image",
        "contrast": series.contrast,
        "series": series.number,
        "repeat": series.repeat,
        "extent": "whole" if series.composed else "station",
        "used": is_used,
        "file": task.shown(series.path),
        "bytes": sum(len(file.content) for file in series.files),
        "sha256": series.sha256,
        **geometry(series.outcome),
        "problem": task.hide(str(series.problem)) if series.problem else None,
    }


def label_row(task: Task, file: SourceFile, volume: Volume) -> dict:
    """Describe a file of reference labels."""
    return {
        "kind": "label",
        "contrast": "label",
        "used": True,
        "file": task.shown(file.path),
        "bytes": len(file.content),
        "sha256": file.sha256,
        **geometry(volume),
    }


def geometry(outcome: Volume | Excluded) -> dict:
    """Describe a grid; empty without a volume."""
    if isinstance(outcome, Excluded):
        return {}
    return {
        "shape": "x".join(map(str, outcome.data.shape)),
        "spacing_mm": spacing_text(outcome),
        "orientation": outcome.orientation,
        "z_mm": round(float(outcome.affine[2, 3]), 3),
    }
