"""Schemas of the tables that one stage writes and another reads.

`files.write_table` and `files.read_table` validate by them; ``data/README.md`` lists them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from muscle_study.protocol import outcomes
from muscle_study.protocol.covariates import BUILT_IN
from muscle_study.protocol.exclusions import Reason
from muscle_study.protocol.faults import Fault
from muscle_study.protocol.findings import ACTIONS, Correction
from muscle_study.protocol.muscles import MUSCLES, SIDES, STRUCTURES

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

Kind = Literal["text", "number", "whole", "flag"]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name
        Name in the header.
    kind
        Text, number, whole number, or flag (True, False).
    meaning
        Content.
    unit
        Unit of a number; by default the one in its name.
    levels
        Values of a text.
    required
        Whether the column must be there.
    filled
        Whether every row has a value.
    group
        Text that stands in the documentation for all columns of the group.
    """

    name: str
    kind: Kind
    meaning: str = ""
    unit: str = ""
    levels: tuple[str, ...] = ()
    required: bool = True
    filled: bool = False
    group: str = ""

    def schema(self) -> "pa.Column":
        """Return the column as a pandera column."""
        import pandera.pandas as pa

        checks = []
        if self.kind in _CHECKS:
            checks.append(pa.Check(_CHECKS[self.kind], error=f"is no {self.kind}"))
        if self.levels:
            checks.append(pa.Check.isin(self.levels, error=f"is none of {', '.join(self.levels)}"))
        unit = self.unit or outcomes.unit_of(self.name)
        return pa.Column(
            checks=checks,
            nullable=not self.filled,
            required=self.required,
            description=self.meaning,
            metadata={"unit": unit},
        )

    def markdown(self) -> str:
        """Return the column as the documentation lists it."""
        if self.group:
            return self.group
        unit = self.unit or outcomes.unit_of(self.name)
        about = [self.meaning, unit, "/".join(self.levels), "" if self.required else "optional"]
        told = ", ".join(part for part in about if part)
        return f"`{self.name}`" + (f" ({told})" if told else "")


@dataclass(frozen=True)
class Schema:
    """A table.

    Parameters
    ----------
    place
        Its folder and name: ``curated/participants.csv``.
    stage
        Stage that writes it.
    meaning
        Content.
    columns
        Its columns, in order.
    declared
        Whether it has the declared covariates too.
    """

    place: str
    stage: str
    meaning: str
    columns: tuple[Column, ...]
    declared: bool = False

    def pandera(self) -> "pa.DataFrameSchema":
        """Return the schema as a pandera schema."""
        import pandera.pandas as pa

        columns = {column.name: column.schema() for column in self.columns}
        return pa.DataFrameSchema(columns, strict=not self.declared)

    def check(self, table: "pd.DataFrame", path: Path) -> None:
        """Validate a table.

        Raises
        ------
        TableError
            Naming the file, each column with its fault, and the stage to run again.
        """
        import pandera.pandas as pa

        try:
            self.pandera().validate(table, lazy=True)
        except pa.errors.SchemaErrors as errors:
            faults = "; ".join(dict.fromkeys(_faults(errors.failure_cases)))
            raise TableError(f"{path}: {faults}. Run the stage {self.stage} again") from None

    def markdown(self) -> str:
        """Return the table as a row of the documentation."""
        told = [text for text, _ in groupby(column.markdown() for column in self.columns)]
        if self.declared:
            told.append("the declared covariates")
        return f"| `{self.place.partition('/')[2]}` | {self.meaning}: {'; '.join(told)} |"


class TableError(ValueError):
    """A table that does not match its schema."""


def _faults(cases: "pd.DataFrame") -> Iterator[str]:
    for case in cases.to_dict("records"):
        if case["check"] == "column_in_dataframe":
            yield f"column {case['failure_case']} is missing"
        elif case["check"] == "column_in_schema":
            yield f"column {case['failure_case']} is unknown"
        elif case["check"] == "not_nullable":
            yield f"column {case['column']} has empty cells"
        else:
            value = "" if case["failure_case"] is False else f" ({case['failure_case']})"
            yield f"column {case['column']} {case['check']}{value}"


def _is_number(values: "pd.Series") -> bool:
    known = values.dropna()
    return values.dtype.kind in "iuf" or all(isinstance(one, float | int) for one in known)


def _is_whole(values: "pd.Series") -> bool:
    return _is_number(values) and bool((values.dropna().astype(float) % 1 == 0).all())


def _is_flag(values: "pd.Series") -> bool:
    return bool(values.dropna().isin([True, False]).all())


#: Any text may be read from a CSV as a number: it is not checked.
_CHECKS = {"number": _is_number, "whole": _is_whole, "flag": _is_flag}


def text(name: str, meaning: str = "", *levels: str, **options: bool) -> Column:
    """Return a column of text."""
    return Column(name, "text", meaning, levels=tuple(map(str, levels)), **options)


def number(name: str, meaning: str = "", unit: str = "", **options: bool) -> Column:
    """Return a column of numbers."""
    return Column(name, "number", meaning, unit, **options)


def whole(name: str, meaning: str = "", **options: bool) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "whole", meaning, **options)


def flag(name: str, meaning: str = "") -> Column:
    """Return a column of True and False."""
    return Column(name, "flag", meaning, filled=True)


def interval(name: str, meaning: str, unit: str = "") -> tuple[Column, ...]:
    """Return a value and the limits of its interval."""
    parts = {name: meaning, f"{name}_low": "lower limit", f"{name}_high": "upper limit"}
    return tuple(number(part, words, unit) for part, words in parts.items())


def measures(names: tuple[str, ...], group: str) -> tuple[Column, ...]:
    """Return columns of measures, documented together as `group`."""
    return tuple(number(name, outcomes.meaning(name), group=group) for name in names)


ID = text("participant_id", filled=True)
SPLITS = ("train", "validation", "test", "none")
COVARIATES = tuple(
    text(one.name, one.description or "", *one.level_names)
    if one.levels
    else number(one.name, "" if one.name.startswith(one.label) else one.label, one.unit)
    for one in BUILT_IN
)
EXCLUSIONS = (
    ID,
    text("stage", filled=True),
    Column("reason", "text", "reason code", filled=True, levels=tuple(map(str, Reason)),
           group="`reason` (a code of `protocol/exclusions.py`)"),
    text("detail", "particulars of the case"),
)  # fmt: skip
LABELS = [label.name.lower() for label in STRUCTURES]
COEFFICIENTS = (
    text("kind", "regression, correlation, model, …", filled=True), text("outcome"), text("sex"),
    text("term"), number("value"),
)  # fmt: skip
TRUE_MEASURES = "the measures of a side and in total, as in `measures.csv`"
DERIVED = (*outcomes.INDICES, *outcomes.ASYMMETRIES)
#: In the order of the truth: by side.
TRUTH = measures(outcomes.MEASURES, TRUE_MEASURES)
AGREEMENT = (
    text("measure", filled=True), whole("n"), *interval("bias", "mean difference"),
    number("loa_low", "lower limit of agreement"), number("loa_high", "upper limit of agreement"),
    *interval("icc", "intraclass correlation"),
)  # fmt: skip
SCORES = (
    ID, text("structure", "", *LABELS), number("dice", "Dice similarity coefficient"),
    number("hausdorff95_mm", "Hausdorff distance, 95 %"),
    number("surface_distance_mm", "average symmetric surface distance"),
    number("volume_error", "relative to the reference"),
    number("csa_error", "relative to the reference"), number("predicted_dice", "of inference"),
)  # fmt: skip
FAULT = text("fault", "kind, a code of `protocol/faults.py`", filled=True)


def shared(name: str, *folders: tuple[str, str], meaning: str, columns: tuple) -> list[Schema]:
    """Return the schema of a table that several stages write."""
    return [Schema(f"{folder}/{name}", stage, meaning, columns) for folder, stage in folders]


SCHEMAS = (
    Schema("raw/participants.csv", "cohort", "the export's participants; NIfTI exports",
           (ID, *COVARIATES), declared=True),
    Schema("truth/measures.csv", "cohort", "true measures of imaged participants", (ID, *TRUTH)),
    Schema("truth/population.csv", "cohort", "all drawn participants",
           (ID, *COVARIATES, text("dominant_side", "", *SIDES), *TRUTH,
            flag("imaged", "whether imaged")), declared=True),
    Schema("truth/coefficients.csv", "cohort", "the true coefficients", COEFFICIENTS),
    Schema("truth/voxelisation.csv", "cohort", "counted voxels against true sizes, per cent",
           (text("spacing_mm", "grid"), text("measure"), whole("n"), number("mean_percent"),
            number("low_percent", "lower limit of the mean"),
            number("high_percent", "upper limit of the mean"), number("sd_percent"))),
    Schema("truth/faults.csv", "cohort", "deliberate faults",
           (ID, FAULT, text("detail", "how and where"))),
    Schema("curated/participants.csv", "curation", "participants kept",
           (ID, *COVARIATES, flag("annotated", "has reference labels"),
            text("split", "", *SPLITS, filled=True)), declared=True),
    Schema("curated/excluded_people.csv", "curation",
           "covariates of participants excluded for their images or by a reviewer",
           (ID, *COVARIATES), declared=True),
    Schema("curated/flow.csv", "curation", "participants left after each step",
           (text("step"), whole("participants"), whole("excluded"))),
    Schema("curated/missing.csv", "curation", "participants without a value, by variable",
           (text("variable", filled=True), whole("participants", "with a record"),
            whole("missing", "no value"), whole("unreadable", "not a number"),
            whole("implausible", "out of range, or unknown level"))),
    Schema("curated/corrections.csv", "curation", "corrections of scans that are kept",
           (ID, text("correction", "", *Correction, filled=True), text("evidence"))),
    Schema("curated/quality.csv", "curation", "scores of participants kept",
           (ID, number("noise", "relative to the body's median signal"),
            number("ghosting", "likewise"), number("motion", "likewise"),
            number("void_ml", "signal void"), number("intensity", "relative"),
            number("disagreement", "of the contrasts, relative to the signal"),
            number("extent_x_mm"), number("extent_y_mm"), number("extent_z_mm"),
            flag("flagged", "a score beyond its threshold in `curation.quality`"),
            text("flags", "joined by `; `"))),
    Schema("curated/inventory.csv", "curation", "series and label files of the export",
           (ID, text("kind", "", "image", "label"), text("contrast", "or other, unreadable"),
            whole("series", "scanner's number"), whole("repeat"),
            text("extent", "whole, station"), Column("used", "flag", "whether curated"),
            text("file"), whole("bytes"), text("sha256"), text("shape"), text("spacing_mm"),
            text("orientation"), number("z_mm", "of the first voxel"), text("problem"))),
    Schema("curated/files.csv", "curation", "hashes of curated images and labels",
           (ID, text("file", filled=True), text("sha256", filled=True))),
    Schema("curated/review.csv", "curation", "the reviewers' verdicts",
           (ID, text("outcome", "accepted, excluded, not_looked_at, without_effect, unknown"),
            text("verdict"), text("reviewer"), text("comment"))),
    Schema("curated/confusion.csv", "curation", "synthetic runs: findings by deliberate fault",
           (Column("fault", "text", "none: nothing wrong", filled=True,
                   levels=(*map(str, Fault), "none"), group="`fault` (`none`: nothing wrong)"),
            whole("participants"), *(whole(action) for action in ACTIONS), whole("missed"),
            *interval("sensitivity", "share found"), whole("others", "without the fault"),
            whole("false", "of these, found"), *interval("specificity", "share not found"))),
    Schema("model/history.csv", "training", "learning curves",
           (text("network"), whole("epoch"), number("train_loss"), number("validation_loss"),
            number("validation_dice"),
            *(number(f"dice_{name}", required=False,
                     group="`dice_<class>` (sides of each muscle for the localiser, else muscles)")
              for name in (*LABELS, *MUSCLES)))),
    Schema("model/timing.csv", "training", "speed of training",
           (text("network"), number("waiting_share", "share of step time without patches"))),
    Schema("model/used.csv", "training",
           "training and validation participants, also of a model that the run starts from",
           (text("network"), text("split"), ID, text("scans_sha256", "of the raw images"))),
    *(Schema(f"{folder}/records.csv", "inference", "label maps",
             (ID, number("seconds"), text("sha256", "of the label map"),
              *(number(f"predicted_dice_{name}", required=False,
                       group="`predicted_dice_<structure>` (networks only)") for name in LABELS),
              *(whole(f"removed_{name}", required=False,
                      group="`removed_<structure>` (voxels outside the largest component)")
                for name in LABELS)))
      for folder in ("segmentations", "compared")),
    *shared("exclusions.csv", ("curated", "curation"), ("segmentations", "inference"),
            ("compared", "inference"), ("measurements", "measurement"),
            meaning="exclusions", columns=EXCLUSIONS),
    *(Schema(f"measurements/{name}_exclusions.csv", "measurement", meaning, EXCLUSIONS)
      for name, meaning in (("segmentation_quality", "test participants that were not scored"),
                            ("compared", "participants that were not compared"))),
    Schema("measurements/measures.csv", "measurement", "measures of imaged participants",
           (ID, *(flag(name, outcomes.meaning(name)) if name.endswith("_at_border")
                  else number(name, outcomes.meaning(name)) for name in outcomes.COLUMNS))),
    Schema("measurements/withheld.csv", "measurement",
           "measures withheld because of the field of view",
           (ID, text("measure", filled=True), text("reason", filled=True))),
    Schema("measurements/csa_profiles.csv", "measurement", "CSA of the psoas along the body",
           (ID, text("side", "", *SIDES), number("z_mm", "towards the head"), number("csa_cm2"))),
    Schema("measurements/segmentation_quality.csv", "measurement", "scores of the test split",
           SCORES),
    Schema("measurements/agreement.csv", "measurement", "agreement with the truth; synthetic runs",
           (*AGREEMENT, text("group", "test split, or unseen by training"), number("truth_mean"))),
    Schema("measurements/faults.csv", "measurement", "deliberate faults of curated scans",
           (ID, FAULT)),
    Schema("measurements/errors.csv", "measurement",
           "measured − truth in imaged participants outside training", (ID, *TRUTH)),
    Schema("measurements/compared.csv", "measurement", "the other segmentation's measures",
           (ID, *(number(f"dice_{name}", group="`dice_<structure>` (between both)")
                  for name in LABELS), *TRUTH)),
    Schema("measurements/comparison.csv", "measurement", "agreement with the other segmentation",
           (*AGREEMENT, number("other_mean"))),
    Schema("measurements/simulated.csv", "measurement",
           "synthetic runs: participants not imaged, truth plus the error of a donor",
           (ID, *COVARIATES, *TRUTH, *(number(name, outcomes.meaning(name)) for name in DERIVED)),
           declared=True),
    Schema("measurements/donors.csv", "measurement", "donors of simulated errors",
           (text("sex"), whole("donors"), text("donors_of", "sex of the donors, or both"),
            whole("nearest", "in size, from which each is drawn"), whole("simulated"))),
    Schema("measurements/true_coefficients.csv", "measurement", "`truth/coefficients.csv`",
           COEFFICIENTS),
    Schema("learning_curve/scores.csv", "learning_curve", "scores by size of the training split",
           (whole("training_participants"), *SCORES)),
)  # fmt: skip

TABLES = {schema.place: schema for schema in SCHEMAS}


def check(table: "pd.DataFrame", path: Path) -> None:
    """Validate a table by the schema of its folder and name; others pass."""
    if schema := TABLES.get(f"{path.parent.name}/{path.name}"):
        schema.check(table, path)


def documented(readme: str) -> str:
    """Return ``data/README.md`` with the lists of tables as declared, each between its marks."""
    for folder in dict.fromkeys(schema.place.partition("/")[0] for schema in SCHEMAS):
        begin, end = f"<!-- tables of {folder} -->\n", f"<!-- end of {folder} -->"
        if begin not in readme:
            continue
        rows = [one.markdown() for one in SCHEMAS if one.place.startswith(f"{folder}/")]
        before, _, rest = readme.partition(begin)
        lines = ["| table | what, and its columns |", "|---|---|", *rows]
        readme = before + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2]
    return readme
