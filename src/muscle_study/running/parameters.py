"""A run's parameter file: typed, checked as a whole before any work, cut into a slice a stage."""

import difflib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
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
from muscle_study.protocol.files import sha256, write_text
from muscle_study.protocol.paths import PARAMS, ROOT, RunPaths
from muscle_study.protocol.sections import Section
from muscle_study.report.parameters import ReportParameters
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.training.parameters import LearningCurveParameters, TrainingParameters

#: Layouts in which the synthetic cohort can be written, and its format there.
OWN_FORMATS = {"cohort": "nifti", "nako": "dicom"}

#: Folder of the slices with which stages ended last.
USED = "used"

#: Sections and keys of folders that a stage reads beside what earlier stages wrote.
FOLDERS = (
    ("curation", "source"),
    ("training", "start_from"),
    ("training", "pretrained"),
    ("inference", "masks", "folder"),
)

#: Stages that a change of the declared covariates makes stale.
READ_COVARIATES = ("cohort", "curation", "measurement", "statistics")

#: Sections and keys of files that a stage reads so.
FILES = (("curation", "withdrawn"), ("curation", "verdicts"))


class ParameterError(Exception):
    """A parameter file that cannot be used. The message is for the person who wrote it."""


class StudyParameters(Section):
    """All sections of a run. Without `cohort`, the run reads real data."""

    covariates: list[Covariate] = Field(
        default_factory=list, description="covariates beside sex, age, height, weight and BMI"
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
        return self

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        own_cohort = self.curation.layout in OWN_FORMATS and self.curation.source is None
        if own_cohort and self.cohort is None:
            raise ValueError(
                "curation.source is null, so curation reads the run's own cohort, but there is no "
                "section cohort: add one, or name the export's folder in curation.source"
            )
        if self.cohort is not None and not own_cohort:
            raise ValueError(
                "the section cohort makes a cohort that curation does not read: remove the "
                "section, or set curation.layout to cohort and curation.source to null"
            )
        if own_cohort and self.cohort.format != (own := OWN_FORMATS[self.curation.layout]):
            raise ValueError(
                f"curation.layout {self.curation.layout} reads {own}, but the cohort is written as "
                f"{self.cohort.format}: set cohort.format to {own}"
            )
        if self.training.pretrained is not None:
            self._check_pretrained()
            return self
        self._check_split()
        if self.training.learn_from == "randomised":
            self._check_randomised()
        elif unknown := set(self.training.channels) - set(self.curation.contrasts):
            raise ValueError(
                f"training.channels: {', '.join(sorted(unknown))} not among curation.contrasts "
                f"({', '.join(self.curation.contrasts)})"
            )
        return self

    def _check_pretrained(self) -> None:
        """Refuse a finished model that is shown what is not curated."""
        stand_ins = self.inference.channels
        for channel in self.training.channels:
            shown = stand_ins.get(channel, channel)
            if shown is not None and shown not in self.curation.contrasts:
                raise ValueError(
                    f"training.channels: {channel} of the model in training.pretrained is not "
                    f"among curation.contrasts ({', '.join(self.curation.contrasts)}): say in "
                    f"inference.channels.{channel} which of these it is shown"
                )

    def _check_split(self) -> None:
        """Somebody must train, and somebody must validate."""
        validation, test = self.curation.validation_fraction, self.curation.test_fraction
        if validation == 0 or validation + test == 1:
            raise ValueError(
                f"curation.validation_fraction {validation:g} and curation.test_fraction {test:g} "
                "leave nobody to train or to validate: change them, or name a model that needs no "
                "training in training.pretrained"
            )

    def _check_randomised(self) -> None:
        """Images of random contrast must be exported, are one channel, and are not curated."""
        if self.cohort is None or self.cohort.randomised.n_images == 0:
            raise ValueError(
                "training.learn_from is randomised, but the cohort exports no such images: set "
                "cohort.randomised.n_images"
            )
        if self.training.channels != [RANDOMISED_CHANNEL]:
            raise ValueError(
                "training.learn_from is randomised, which makes one channel: set training.channels "
                f"to [{RANDOMISED_CHANNEL}]"
            )
        if self.inference.channels.get(RANDOMISED_CHANNEL) not in self.curation.contrasts:
            raise ValueError(
                "training.learn_from is randomised, so the network knows no contrast by name: say "
                f"in inference.channels.{RANDOMISED_CHANNEL} which of curation.contrasts it is "
                "shown"
            )


class _UniqueKeys(yaml.SafeLoader):
    """YAML of which no key silently replaces an earlier one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} stands there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(
    run: str, changes: Iterable[str] | Mapping[str, Any] = (), folder: Path = PARAMS
) -> StudyParameters:
    """Read and check the parameters of a run.

    Parameters
    ----------
    run
        Name of the file in `folder`, without ``.yaml``.
    changes
        What differs from the file: values by dotted key, or texts such as
        ``"training.max_epochs=3"``.
    folder
        Where parameter files are.

    Raises
    ------
    ParameterError
        Naming every key that is wrong, what was expected, and the remedy.
    """
    path = folder / f"{run}.yaml"
    name = f"{folder.name}/{path.name}"
    if not path.is_file():
        runs = ", ".join(sorted(other.stem for other in folder.glob("*.yaml")))
        raise ParameterError(f"{name} does not exist. Runs that do: {runs}")
    document = _parse(path.read_text(encoding="utf-8"), name)
    if not isinstance(document, dict):
        raise ParameterError(f"{name}: expected sections such as 'training:', found none")
    given = changes if isinstance(changes, Mapping) else read_changes(changes)
    for key, value in given.items():
        _apply(document, key, value)
    try:
        return StudyParameters.model_validate(document)
    except ValidationError as invalid:
        # a union reports once for each of its types
        messages = dict.fromkeys(_message(error, document) for error in invalid.errors())
        raise ParameterError("\n  ".join([f"{name} cannot be used:", *messages])) from None


def _parse(text: str, name: str) -> Any:
    try:
        return yaml.load(text, _UniqueKeys)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ParameterError(f"{name}{where}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"{name}: {error}") from None


def read_changes(overrides: Iterable[str]) -> dict[str, Any]:
    """Return values by dotted key from texts such as ``"training.max_epochs=3"``, read as YAML."""
    changes = {}
    for override in overrides:
        key, sign, value = override.partition("=")
        if not sign:
            raise ParameterError(f"SET {override}: write it as section.key=value")
        changes[key] = _parse(value, f"SET {override}")
    return changes


def _apply(document: dict, key: str, value: Any) -> None:
    """Set one dotted key. Whether the key exists is for the validation to tell."""
    *parents, last = key.split(".")
    node = document
    for parent in parents:
        if node.get(parent) is None:
            node[parent] = {}
        node = node[parent]
        if not isinstance(node, dict):
            raise ParameterError(f"{key}: {parent} has no keys of its own")
    node[last] = value


def _message(error: dict, document: dict) -> str:
    """Say of one of pydantic's errors what was expected and how to mend it."""
    keys = _existing(error["loc"], document)
    where, value = ".".join(map(str, keys)), error["input"]
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key{_nearest(keys)}"
    if error["type"] == "missing":
        return f"{where}: missing. Add it; params/README.md says what it means"
    if error["type"] == "value_error":
        message = str(error["ctx"]["error"])
        return f"{where}: {message}" if where else message
    message = error["msg"].removeprefix("Input should be ")
    if isinstance(value, dict | list):
        return f"{where}: expected {message}"
    remedy = ""
    if isinstance(value, str) and _is_number(value):
        remedy = f". YAML reads it as text: write {_as_yaml_number(value)}"
    elif isinstance(value, bool):
        remedy = ". YAML reads yes, no, on and off as true and false: put quotes around text"
    return f"{where}: expected {message}, got {json.dumps(value, default=str)}{remedy}"


def _existing(location: tuple, document: Any) -> list[str | int]:
    """Return the part of pydantic's location that is in the file; unions add their types to it."""
    keys, node = [], document
    for key in location:
        if isinstance(node, dict):
            node = node.get(key)
        elif isinstance(node, list) and isinstance(key, int):
            node = node[key]
        else:
            break
        keys.append(key)
    return keys


def _nearest(keys: list[str | int]) -> str:
    """Suggest the key that was probably meant."""
    valid = _fields(StudyParameters)
    for key in keys[:-1]:
        valid = valid.get(key) or {}
    close = difflib.get_close_matches(str(keys[-1]), valid, n=1)
    if close:
        return f". Did you mean {close[0]}?"
    return f". There are: {', '.join(valid)}" if valid else ""


def _fields(model: type[Section]) -> dict[str, dict]:
    """Return the fields of a section, and theirs, as nested dictionaries."""
    return {
        name: next(
            (
                _fields(kind)
                for kind in (field.annotation, *getattr(field.annotation, "__args__", ()))
                if isinstance(kind, type) and issubclass(kind, Section)
            ),
            {},
        )
        for name, field in model.model_fields.items()
    }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_yaml_number(text: str) -> str:
    """Write a number so that YAML 1.1 reads one: an exponent needs a point and a sign."""
    mantissa, mark, exponent = text.strip().lower().partition("e")
    if not mark:
        return mantissa
    point = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{point}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def write_slices(run: str, parameters: StudyParameters) -> None:
    """Write each section to its own file, those alone whose content changed.

    Make compares their times, so that a stage is redone for its own parameters and for no others.
    `cluster` is left out: where a stage runs does not change what it computes. So is
    `learning_curve`, which is no stage.

    Raises
    ------
    ParameterError
        If a folder of `FOLDERS` is not there.
    """
    folder = RunPaths(run).parameters
    sections = parameters.model_dump(mode="json", exclude={"cluster", "learning_curve"})
    covariates = sections.pop("covariates")
    for stage in READ_COVARIATES:
        if sections[stage] is not None:
            sections[stage]["covariates"] = covariates
    for section, *keys in FOLDERS:
        named = _value(sections[section], keys)
        if named is not None:
            key = ".".join((section, *keys))
            sections[section][f"{keys[0]}_listing"] = _listing(key, named)
    for section, key in FILES:
        named = sections[section][key]
        place = None if named is None else Path(named).expanduser()
        if place and place.is_file():  # the stage itself names one that is missing
            sections[section][f"{key}_sha256"] = sha256(place)
    for stage, section in sections.items():
        if section is None:
            continue
        text = json.dumps(section, indent=2, ensure_ascii=False) + "\n"
        path, used = folder / f"{stage}.json", folder / USED / f"{stage}.json"
        if _holds(path, text):
            continue
        write_text(text, path)
        if _holds(used, text):
            # other values were only looked at (make -n, make status) since the stage ended
            shutil.copystat(used, path)


def keep_used(run: str, stage: str) -> None:
    """Remember the slice with which a stage has just ended well."""
    folder = RunPaths(run).parameters
    (folder / USED).mkdir(exist_ok=True)
    shutil.copy2(folder / f"{stage}.json", folder / USED / f"{stage}.json")


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _value(section: dict, keys: list[str]) -> Any:
    """Return a value of a section; None where it, or what it is in, is not given."""
    node: Any = section
    for key in keys:
        node = None if node is None else node[key]
    return node


def _listing(key: str, named: str) -> str:
    """Return a digest of the names, sizes and times in a folder, by which Make sees it change."""
    folder = ROOT / Path(named).expanduser()
    if not folder.is_dir():
        raise ParameterError(
            f"{key}: there is no folder {named}. Name one that there is, absolute or relative to "
            "the repository"
        )
    digest = hashlib.sha256()
    start = len(str(folder)) + 1
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            # text, since every make looks at all: for a hundred thousand files, Path takes longer
            # than the disk
            path = f"{parent}/{name}"
            state = os.stat(path)  # noqa: PTH116
            entry = [path[start:], state.st_size, state.st_mtime_ns]
            digest.update(json.dumps(entry).encode())
    return digest.hexdigest()
