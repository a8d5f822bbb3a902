"""Layout ``bids``: NIfTI files with JSON sidecars, one folder per participant."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import OTHER, Series, number_repeats, unreadable
from muscle_study.curation.sources.source import Source, required_folder, subfolders
from muscle_study.curation.sources.tables import TableForm
from muscle_study.curation.sources.traits import Traits, contrast_of
from muscle_study.imaging import volumes
from muscle_study.protocol.exclusions import Excluded, Reason

SUBJECT = "sub-"
ENDINGS = (".nii.gz", ".nii")

#: BIDS names age and sex; other columns have the study's names.
TABLE = TableForm(
    separator="\t",
    columns={"age_years": "age"},
    sexes={"M": "male", "F": "female", "m": "male", "f": "female"},
    missing="n/a",
)


class BidsSource(Source):
    """``participants.tsv``, ``sub-<id>/**/*.nii.gz``, each image with its ``.json`` beside it."""

    table_name = "participants.tsv"

    @property
    def demographics(self) -> bool:
        """Whether there is a table; the standard does not require one."""
        return (self.folder / self.table_name).is_file()

    def table(self) -> pd.DataFrame:
        """Return the rows of ``participants.tsv``, if any; identifiers without ``sub-``."""
        table = self.participants(TABLE, optional=["bmi_kg_m2"])
        return table.assign(participant_id=table["participant_id"].str.removeprefix(SUBJECT))

    def image_files(self) -> dict[str, list[Path]]:
        """Return each participant's images and their sidecars."""
        folders = [
            name for name in subfolders(required_folder(self.folder)) if name.startswith(SUBJECT)
        ]
        return {
            name.removeprefix(SUBJECT): sorted(
                path
                for path in (self.folder / name).rglob("*")
                if path.name.endswith((*ENDINGS, ".json"))
            )
            for name in folders
        }

    def read_series(self, files: Sequence[SourceFile]) -> list[Series]:
        """Return one series per image, identified by its sidecar."""
        sidecars = {file.path: file for file in files if file.path.suffix == ".json"}
        found = [
            self._series(number, file, sidecars.get(_sidecar(file.path)))
            for number, file in enumerate(file for file in files if file.path.suffix != ".json")
        ]
        number_repeats(found)
        return found

    def _series(self, number: int, image: SourceFile, sidecar: SourceFile | None) -> Series:
        name = image.path.name
        try:
            traits = read_sidecar(sidecar, name)
        except Excluded as problem:
            return unreadable(image, problem)
        return Series(
            files=(image,),
            name=name,
            contrast=contrast_of(traits, self.contrasts, self.acquisition) or OTHER,
            decode=partial(volumes.decode, image.content, name),
            number=number,
            composed=traits.composed,
        )


def _sidecar(image: Path) -> Path:
    ending = next(ending for ending in ENDINGS if image.name.endswith(ending))
    return image.with_name(image.name.removesuffix(ending) + ".json")


def read_sidecar(sidecar: SourceFile | None, name: str) -> Traits:
    """Return the acquisition traits of an image.

    Parameters
    ----------
    sidecar
        JSON as written by dcm2niix: DICOM keywords, times in seconds.
    name
        Name of the image, for messages.

    Raises
    ------
    Excluded
        ``unreadable_image``: the sidecar is missing or malformed.
    """
    if sidecar is None:
        raise Excluded(
            Reason.UNREADABLE_IMAGE, f"{name}: no sidecar (.json), so its contrast is not known"
        )
    try:
        facts = json.loads(sidecar.content)
        echo_s, field_t = facts.get("EchoTime"), facts.get("MagneticFieldStrength")
        image_type = tuple(map(str, facts.get("ImageType", ())))
        return Traits(
            modality=str(facts.get("Modality", "MR")),
            sequence=tuple(str(facts.get("ScanningSequence", "")).replace("\\", "_").split("_")),
            acquisition=str(facts.get("MRAcquisitionType", "")),
            image_type=image_type,
            echo_time_ms=None if echo_s is None else 1000 * float(echo_s),
            field_t=None if field_t is None else float(field_t),
            fat_suppressed="FS" in str(facts.get("ScanOptions", "")).replace("\\", "_").split("_"),
            dixon="",
            composed="COMPOSED" in str(facts.get("SeriesDescription", "")).upper(),
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Excluded(
            Reason.UNREADABLE_IMAGE, f"{sidecar.path.name}: no sidecar: {error}"
        ) from error
