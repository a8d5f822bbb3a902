"""All parameters of a run: types, and checks across sections."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cohort.randomised.parameters import RANDOMISED_CHANNEL
from muscle_study.curation.parameters import CurationParameters
from muscle_study.inference.parameters import InferenceParameters
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.measurement.parameters import MeasurementParameters
from muscle_study.protocol.covariates import Covariate, check_declared
from muscle_study.protocol.paths import PARAMS
from muscle_study.protocol.sections import Section
from muscle_study.report.parameters import ReportParameters
from muscle_study.running.documents import Document, read_document
from muscle_study.running.messages import explain
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.statistics.study.formulas import check_models
from muscle_study.training.parameters import LearningCurveParameters, TrainingParameters

#: Layouts of the synthetic cohort, and the image format of each.
OWN_FORMATS = {"cohort": "nifti", "nako": "dicom"}

#: Text column of the origins in the list of all parameters.
ORIGIN_COLUMN = 64


class StudyParameters(Section):
    """All sections of a run. Without `cohort`, the run reads real data."""

    covariates: list[Covariate] = Field(
        default_factory=list,
        description="Covariates in addition to sex, age, height, weight and BMI: a list. All "
        "stages include them without changes to the code.",
    )
    cohort: CohortParameters | None = None
    curation: CurationParameters
    training: TrainingParameters
    inference: InferenceParameters
    measurement: MeasurementParameters
    statistics: StatisticsParameters
    report: ReportParameters
    learning_curve: LearningCurveParameters
    cluster: ClusterParameters

    @model_validator(mode="after")
    def _covariates_agree(self) -> Self:
        check_declared(self.covariates)
        check_models(self.statistics.models, self.covariates)
        return self

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        own_cohort = self.curation.layout in OWN_FORMATS and self.curation.source is None
        if own_cohort and self.cohort is None:
            raise ValueError(
                "curation.source is null, so curation reads the synthetic cohort, but there is no "
                "section cohort: add it, or name the export's folder in curation.source"
            )
        if self.cohort is not None and not own_cohort:
            raise ValueError(
                "the section cohort makes a cohort that curation does not read: set cohort to "
                "null, or curation.layout to cohort and curation.source to null"
            )
        if own_cohort and self.cohort.format != (own := OWN_FORMATS[self.curation.layout]):
            raise ValueError(
                f"curation.layout {self.curation.layout} reads {own}, but the cohort is written as "
                f"{self.cohort.format}: set cohort.format to {own}"
            )
        self._check_channels()
        if self.training.pretrained is None:
            self._check_split()
        return self

    def _check_channels(self) -> None:
        """Refuse channels of the networks for which there are no curated images."""
        channels, contrasts = self.training.channels, self.curation.contrasts
        known = ", ".join(contrasts)
        stand_ins = self.inference.channels
        if unknown := sorted(set(stand_ins) - set(channels)):
            raise ValueError(
                f"inference.channels: {', '.join(unknown)} is none of training.channels "
                f"({', '.join(channels)})"
            )
        for channel, shown in stand_ins.items():
            if shown is not None and shown not in contrasts:
                raise ValueError(
                    f"inference.channels.{channel}: {shown} is none of curation.contrasts ({known})"
                )
        trains = self.training.pretrained is None
        if randomised := trains and self.training.learn_from == "randomised":
            self._check_randomised()
        for channel in channels:
            learned = trains and not randomised
            if channel not in contrasts and (learned or channel not in stand_ins):
                raise ValueError(
                    f"training.channels: {channel} is not among curation.contrasts ({known})"
                    + ("" if learned else f": name its stand-in in inference.channels.{channel}")
                )
        if all(stand_ins.get(channel, channel) is None for channel in channels):
            raise ValueError(
                "inference.channels leaves the networks without any image: name at least one "
                "contrast"
            )

    def _check_split(self) -> None:
        """Refuse a split without training or validation participants."""
        validation, test = self.curation.validation_fraction, self.curation.test_fraction
        if validation == 0 or validation + test == 1:
            raise ValueError(
                f"curation.validation_fraction {validation:g} and curation.test_fraction {test:g} "
                "leave no participants to train or to validate: change them, or name a finished "
                "model in training.pretrained"
            )

    def _check_randomised(self) -> None:
        """Refuse training on random-contrast images that are missing or have other channels."""
        if self.cohort is None or self.cohort.randomised.n_images == 0:
            raise ValueError(
                "training.learn_from is randomised, but the cohort exports no such images: set "
                "cohort.randomised.n_images"
            )
        if self.training.channels != [RANDOMISED_CHANNEL]:
            raise ValueError(
                "training.learn_from is randomised, which has one channel: set training.channels "
                f"to [{RANDOMISED_CHANNEL}]"
            )


def load(
    run: str, changes: Iterable[str] | Mapping[str, Any] = (), folder: Path = PARAMS
) -> StudyParameters:
    """Read and check the parameters of a run.

    Parameters
    ----------
    run
        Name of the file in `folder`, without ``.yaml``.
    changes
        Differences from the file: values by dotted key, or texts such as ``"training.seed=3"``.
    folder
        Folder of the parameter files.

    Raises
    ------
    ParameterError
        Naming every key that is wrong, what was expected, and the remedy.
    """
    return _checked(read_document(run, changes, folder))


def describe(run: str, changes: Iterable[str] | Mapping[str, Any] = ()) -> str:
    """Return all parameters of a run as YAML, with the origin of each as a comment."""
    document = read_document(run, changes, PARAMS)
    values = _checked(document).model_dump(mode="json")
    lines = [f"# Run {run}: every parameter, and the file (or SET, or the default) that sets it."]
    return "\n".join([*lines, *_lines(document, values, [])])


def _checked(document: Document) -> StudyParameters:
    try:
        return StudyParameters.model_validate(document.values)
    except ValidationError as invalid:
        raise explain(invalid, document, StudyParameters) from None


def _lines(document: Document, values: dict[str, Any], above: list[str]) -> Iterator[str]:
    """Yield the lines of a section."""
    indent = "  " * len(above)
    for key, value in values.items():
        keys = [*above, key]
        origin = f"# {document.origin(keys) or 'default'}"
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _lines(document, value, keys)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{key}:".ljust(ORIGIN_COLUMN) + f" {origin}"
            for item in value:
                given = {name: held for name, held in item.items() if held is not None}
                yield f"{indent}  - {_flow(given)}"
        else:
            yield f"{indent}{key}: {_flow(value)}".ljust(ORIGIN_COLUMN) + f" {origin}"


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    in_list = yaml.safe_dump(
        [value], default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return in_list.strip()[1:-1]
