"""Parameters of inference."""

from string import Formatter
from typing import Literal, Self

from pydantic import Field, model_validator

from muscle_study.inference.segmenters import SEGMENTERS, LabelTable
from muscle_study.networks.parameters import Precision
from muscle_study.protocol.muscles import STRUCTURES, Psoas
from muscle_study.protocol.sections import Section, Share

Source = Literal["network", "masks"]


class MasksParameters(Section):
    """Masks of another segmenter.

    Example: `{segmenter: totalsegmentator, folder: /scratch/masks, file:
    "{participant}/{structure}.nii.gz"}`. Masks may have any grid and orientation; a participant
    with a missing or unreadable mask is excluded. Masks have no predicted Dice, and keep all their
    components. The three known segmenters outline the iliopsoas, psoas and iliacus in one.
    TotalSegmentator writes a folder of masks per participant, or one file with its option `--ml`;
    the two others write one file.
    """

    segmenter: str = Field(
        min_length=1,
        description="Segmenter: `totalsegmentator` (task `total_mr`), `vibesegmentator` (model "
        "100) or `mrsegmentator` (1.1), with known structures, or any other name",
    )
    folder: str = Field(
        min_length=1, description="Folder of the masks, absolute or relative to the repository"
    )
    file: str = Field(
        description="Path of a participant's file in the folder: with `{structure}`, one binary "
        "mask per structure; without, one label map, such as `{participant}_seg.nii.gz`"
    )
    labels: LabelTable | None = Field(
        default=None,
        description="For each of `psoas_left`, `psoas_right`, `gluteus_left`, `gluteus_right`, the "
        "segmenter's names that form it, with their label values (`null` for files per structure); "
        "`null`: those of a known segmenter",
    )
    psoas: Psoas | None = Field(
        default=None,
        description="Muscle under the psoas label; the report names it if it is not the psoas "
        "major; `null`: that of a known segmenter",
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.segmenter not in SEGMENTERS and (self.labels is None or self.psoas is None):
            raise ValueError(
                f"labels and psoas must be given for {self.segmenter}: they are known of "
                f"{', '.join(SEGMENTERS)} alone"
            )
        fields = {name for _, name, _, _ in Formatter().parse(self.file) if name is not None}
        if "participant" not in fields or not fields <= {"participant", "structure"}:
            raise ValueError(
                f"file: {self.file} must hold {{participant}}, may hold {{structure}}, and no other"
            )
        structures = {label.name.lower() for label in STRUCTURES}
        if set(self.label_table) != structures or not all(self.label_table.values()):
            raise ValueError(
                f"labels must say for each of {', '.join(sorted(structures))} what it is joined of"
            )
        if not self.a_file_a_structure:
            numbers = [n for names in self.label_table.values() for n in names.values()]
            if None in numbers or len(set(numbers)) < len(numbers):
                raise ValueError(
                    "labels: where a participant has one file, each name needs a number of its own"
                )
        return self

    @property
    def a_file_a_structure(self) -> bool:
        """Whether each structure has its own binary mask, not one label map for all."""
        return "{structure}" in self.file

    @property
    def label_table(self) -> LabelTable:
        """The segmenter's names and numbers by our structure."""
        return SEGMENTERS[self.segmenter].labels if self.labels is None else self.labels

    @property
    def psoas_label(self) -> Psoas:
        """Muscle under the psoas' label."""
        return SEGMENTERS[self.segmenter].psoas if self.psoas is None else self.psoas

    @property
    def title(self) -> str:
        """Printed name of the segmenter."""
        known = SEGMENTERS.get(self.segmenter)
        return known.title if known else self.segmenter


class InferenceParameters(Section):
    """Source of the label maps, and application of the networks to whole volumes."""

    channels: dict[str, str | None] = Field(
        default_factory=dict,
        description="Curated contrasts that replace channels of the model; `null` fills a channel "
        "with zeros; a channel not named here is the contrast of the same name",
    )
    accelerator: Literal["auto", "cpu", "gpu"] = Field(
        description="Device; `auto`: a GPU if there is one"
    )
    precision: Precision = Field(
        description="Floating-point format of the networks; probabilities are kept in 32 bits"
    )
    min_predicted_dice: Share = Field(
        description="Smallest accepted predicted Dice coefficient; a structure below it is left "
        "out and counts as not found; 0: all are kept"
    )
    source: Source = Field(
        default="network",
        description="Label maps to measure: those of the study's networks, or another "
        "segmenter's masks",
    )
    compare_with: Source | None = Field(
        default=None,
        description="Label maps for comparison (agreement table and Bland–Altman figure in the "
        "report); `null`: none",
    )
    masks: MasksParameters | None = Field(
        default=None, description="Another segmenter's masks; `null`: none"
    )

    @model_validator(mode="after")
    def _sources_agree(self) -> Self:
        if self.source == self.compare_with:
            raise ValueError(
                f"compare_with: {self.source} is compared with itself; name the other, or null"
            )
        if "masks" in (self.source, self.compare_with) and self.masks is None:
            raise ValueError("masks: say where they are, since source or compare_with names them")
        if "masks" not in (self.source, self.compare_with) and self.masks is not None:
            raise ValueError(
                "masks are given, but nothing uses them: set source or compare_with to masks, or "
                "masks to null"
            )
        return self
