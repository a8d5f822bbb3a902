"""Training patches and validation volumes."""

import hashlib
from collections.abc import Sequence

import lightning
import pandas as pd
import torch
import torchio as tio
from torch.utils.data import Dataset

from muscle_study.files import read_table
from muscle_study.labels import Label
from muscle_study.paths import RunPaths
from muscle_study.progress import Progress
from muscle_study.training.augmentation import augmentation
from muscle_study.training.parameters import TrainingParameters
from muscle_study.training.preprocessing import load_channels, make_subject, preprocess
from muscle_study.volumes import load


class Patches(Dataset):
    """Augmented patches, drawn so that each label is met about equally often.

    Parameters
    ----------
    subjects
        Preprocessed, in memory.
    patch_size
        Voxels.
    per_volume
        Patches from each subject an epoch.
    transform
        Augmentation; a patch is a part of a volume, and costs less to deform.
    """

    def __init__(
        self,
        subjects: Sequence[tio.Subject],
        patch_size: Sequence[int],
        per_volume: int,
        transform: tio.Transform,
    ):
        self.subjects, self.per_volume, self.transform = subjects, per_volume, transform
        self.sampler = tio.LabelSampler(
            tuple(patch_size), "label", dict.fromkeys((int(label) for label in Label), 1)
        )

    def __len__(self):
        return len(self.subjects) * self.per_volume

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        subject = self.subjects[index % len(self.subjects)]
        patch = self.transform(next(iter(self.sampler(subject, 1))))
        return {"image": patch["image"].data.float(), "label": patch["label"].data.long()}


class Volumes(Dataset):
    """Whole preprocessed volumes."""

    def __init__(self, subjects: Sequence[tio.Subject]):
        self.subjects = subjects

    def __len__(self):
        return len(self.subjects)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        subject = self.subjects[index]
        return {"image": subject["image"].data.float(), "label": subject["label"].data.long()}


class AnnotatedParticipants(lightning.LightningDataModule):
    """The annotated participants of the training and the validation split, and no others.

    Parameters
    ----------
    paths
        Of the run.
    parameters
        Of training.
    """

    def __init__(self, paths: RunPaths, parameters: TrainingParameters):
        super().__init__()
        self.paths, self.parameters = paths, parameters
        participants = read_table(paths.curated / "participants.csv")
        self.ids = {
            split: participants.loc[participants["split"] == split, "participant_id"].tolist()
            for split in ("train", "validation")
        }
        for split, ids in self.ids.items():
            if not ids:
                raise ValueError(
                    f"{paths.curated / 'participants.csv'}: no participant in split {split!r}; "
                    "annotate more participants or change curation's fractions"
                )

    def setup(self, stage: str) -> None:
        """Load and preprocess every volume once; they stay in memory."""
        subjects: dict[str, list[tio.Subject]] = {split: [] for split in self.ids}
        with Progress("loading", sum(map(len, self.ids.values()))) as progress:
            for split, ids in self.ids.items():
                for participant_id in ids:
                    subjects[split].append(self._subject(participant_id))
                    progress.advance()
        self.train = self._patches([self._padded(subject) for subject in subjects["train"]])
        self.validation = Volumes(subjects["validation"])

    def example_patches(self, count: int) -> list[dict[str, torch.Tensor]]:
        """Return augmented patches of the first training participant."""
        subject = self._padded(self._subject(self.ids["train"][0]))
        patches = self._patches([subject])
        return [patches[0] for _ in range(count)]

    def _patches(self, subjects: Sequence[tio.Subject]) -> Patches:
        return Patches(
            subjects,
            self.parameters.patch_size,
            self.parameters.patches_per_volume,
            augmentation(self.parameters.augmentation),
        )

    def _subject(self, participant_id: str) -> tio.Subject:
        images = load_channels(
            self.paths.curated / "images" / participant_id, self.parameters.channels
        )
        label = load(self.paths.curated / "labels" / f"{participant_id}.nii.gz")
        subject = make_subject(images, label)
        return preprocess(subject, self.parameters.channels, self.parameters.spacing_mm)

    def _padded(self, subject: tio.Subject) -> tio.Subject:
        """Enlarge a volume that is smaller than a patch."""
        size = [
            max(n, p)
            for n, p in zip(subject.spatial_shape, self.parameters.patch_size, strict=True)
        ]
        return tio.CropOrPad(size)(subject)

    def train_dataloader(self) -> tio.SubjectsLoader:
        """Return shuffled batches of patches."""
        return tio.SubjectsLoader(
            self.train,
            batch_size=self.parameters.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=self.parameters.loader_workers,
            persistent_workers=self.parameters.loader_workers > 0,
        )

    def val_dataloader(self) -> tio.SubjectsLoader:
        """Return validation volumes, one at a time: their shapes differ."""
        return tio.SubjectsLoader(self.validation, batch_size=1)

    def sha256(self) -> str:
        """Hash the source images and labels that training and validation used."""
        inventory = read_table(self.paths.curated / "inventory.csv")
        used = inventory[
            inventory["participant_id"].isin([*self.ids["train"], *self.ids["validation"]])
        ]
        return table_sha256(used[["participant_id", "contrast", "sha256"]])


def table_sha256(table: pd.DataFrame) -> str:
    """Hash a table's rows, whatever their order."""
    rows = sorted(table.astype(str).agg("\t".join, axis=1))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
