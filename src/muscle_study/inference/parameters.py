"""Parameters of inference."""

from string import Formatter
from typing import Literal, Self

from pydantic import Field, model_validator

from muscle_study.inference.segmenters import SEGMENTERS, LabelTable
from muscle_study.networks.parameters import Precision
from muscle_study.protocol.muscles import STRUCTURES, Psoas
from muscle_study.protocol.sections import Section

Source = Literal["network", "masks"]


class MasksParameters(Section):
    """Masks that another segmenter made, and what they are called."""

    segmenter: str = Field(min_length=1, description="totalsegmentator, …, or any other name")
    folder: str = Field(description="that holds them, absolute or relative to the repository")
    file: str = Field(description="with {participant} and, for a file a structure, {structure}")
    labels: LabelTable | None = Field(
        default=None, description="what each structure is joined of; null: as is known of segmenter"
    )
    psoas: Psoas | None = Field(default=None, description="what psoas holds; null: as is known")

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
        """Whether each structure has a binary mask, or all are numbers in one file."""
        return "{structure}" in self.file

    @property
    def label_table(self) -> LabelTable:
        """Our structures, and for each the segmenter's names with their numbers."""
        return SEGMENTERS[self.segmenter].labels if self.labels is None else self.labels

    @property
    def psoas_label(self) -> Psoas:
        """What the masks called psoas hold."""
        return SEGMENTERS[self.segmenter].psoas if self.psoas is None else self.psoas

    @property
    def title(self) -> str:
        """The segmenter's name as it is printed."""
        known = SEGMENTERS.get(self.segmenter)
        return known.title if known else self.segmenter


class InferenceParameters(Section):
    """Where the label maps come from, and how the network is run over volumes."""

    channels: dict[str, str | None] = Field(
        default_factory=dict,
        description="curated contrast that stands in for a channel of the model; null: zeros",
    )
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Precision = Field(description="of the networks; probabilities are kept in 32 bits")
    min_predicted_dice: float = Field(
        ge=0, le=1, description="a structure on which the networks agree less is left out"
    )
    source: Source = Field(default="network", description="whose label maps the study measures")
    compare_with: Source | None = Field(
        default=None, description="whose label maps these are compared with; null: nobody's"
    )
    masks: MasksParameters | None = Field(default=None, description="another segmenter's masks")

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
