"""Training patches and validation volumes."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import lightning
import numpy as np
import pandas as pd
import torch
import torchio as tio
from scipy import ndimage
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from muscle_study.mapping.progress import Progress
from muscle_study.networks.classes import CLASSES, Classes
from muscle_study.networks.localiser import MARGIN_MM
from muscle_study.networks.parameters import NetworkParameters
from muscle_study.protocol.files import read_table, sha256
from muscle_study.protocol.paths import RunPaths, image_file
from muscle_study.training.augmentation import augmentation
from muscle_study.training.cache import CachedVolume, VolumeCache
from muscle_study.training.parameters import TrainingParameters


class Patches(Dataset):
    """Augmented patches, centred on each label about equally often.

    A number always gives the same patch, in any process and order, so that a resumed training sees
    the same patches.

    Parameters
    ----------
    volumes
        Volumes of the training participants.
    patch_size
        Patch size, voxels.
    spacing_mm
        Grid spacing.
    transform
        Augmentation, applied to patches: deforming a whole volume costs more.
    seed
        Seed of all patches.
    classes
        Classes of the network.
    """

    def __init__(
        self,
        volumes: Sequence[CachedVolume],
        patch_size: Sequence[int],
        spacing_mm: Sequence[float],
        transform: tio.Transform,
        seed: int,
        classes: Classes,
    ):
        self.volumes, self.patch_size, self.transform = volumes, tuple(patch_size), transform
        self.class_of_label = torch.tensor(classes.of_label)
        self.affine, self.seed = np.diag([*spacing_mm, 1.0]), seed

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng((self.seed, number))
        image, label = crop(self.volumes[number % len(self.volumes)], self.patch_size, rng)
        subject = tio.Subject(
            image=tio.ScalarImage(tensor=torch.from_numpy(image), affine=self.affine),
            label=tio.LabelMap(tensor=torch.from_numpy(label[None]), affine=self.affine),
        )
        with torch.random.fork_rng(devices=[]):  # TorchIO draws from torch's generator
            torch.manual_seed(int(rng.integers(2**63)))
            patch = self.transform(subject)
        # classes are merged last, since flips exchange the labels of the sides
        label = self.class_of_label[patch["label"].data.long()]
        return {"image": patch["image"].data.float(), "label": label}


def crop(
    volume: CachedVolume, size: tuple[int, int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a patch around a random voxel of a random label.

    At the border the patch moves inwards; beyond a volume smaller than the patch it holds air and
    background.

    Returns
    -------
    image : numpy.ndarray
        Shape (channels, *size), float32.
    label : numpy.ndarray
        Shape `size`, uint8.
    """
    places = volume.places[rng.integers(len(volume.places))]
    shape = volume.label.shape
    middle = places[rng.integers(len(places))]
    first = [
        int(np.clip(m - p // 2, 0, max(n - p, 0)))
        for m, p, n in zip(middle, size, shape, strict=True)
    ]
    box = tuple(slice(f, f + p) for f, p in zip(first, size, strict=True))
    image = np.zeros((len(volume.image), *size), np.float32)
    label = np.zeros(size, np.uint8)
    inside = tuple(slice(0, min(n, p)) for n, p in zip(shape, size, strict=True))
    image[(slice(None), *inside)] = volume.image[(slice(None), *box)]
    label[inside] = volume.label[box]
    return image, label


class Numbers(Sampler):
    """Numbers of an epoch's patches, equally many of each volume, in a random order.

    Parameters
    ----------
    volumes, per_volume
        Number of volumes; patches per volume and epoch.
    seed
        Seed of the order.
    rank, ranks
        Index and number of processes; each draws equally many, without the remainder.
    epoch
        First epoch.
    """

    def __init__(
        self,
        volumes: int,
        per_volume: int,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
        epoch: int = 0,
    ):
        self.count, self.seed, self.epoch = volumes * per_volume, seed, epoch
        self.rank, self.ranks = rank, ranks

    def set_epoch(self, epoch: int) -> None:
        """Set the next epoch; called by Lightning."""
        self.epoch = epoch

    def __len__(self):
        return self.count // self.ranks

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        own = order[self.rank :: self.ranks][: len(self)]
        return iter((self.epoch * self.count + own).tolist())


class Volumes(Dataset):
    """Validation volumes with their class labels, as seen in inference.

    Parameters
    ----------
    volumes
        Volumes of the validation participants.
    classes
        Classes of the network.
    margin
        Margin of the box around the muscles by axis, voxels; None for the whole volume.
    """

    def __init__(
        self,
        volumes: Sequence[CachedVolume],
        classes: Classes,
        margin: tuple[int, ...] | None = None,
    ):
        self.volumes, self.class_of_label = volumes, np.array(classes.of_label)
        self.margin = margin

    def __len__(self):
        return len(self.volumes)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        volume = self.volumes[index]
        box = self._box(volume.label)
        return {
            "image": torch.from_numpy(volume.image[(slice(None), *box)].astype(np.float32)),
            "label": torch.from_numpy(self.class_of_label[volume.label[None, *box]]),
        }

    def _box(self, label: np.ndarray) -> tuple[slice, ...]:
        found = ndimage.find_objects((label > 0).astype(np.uint8))
        if self.margin is None or not found:
            return (slice(None),) * 3
        return tuple(
            slice(max(part.start - more, 0), part.stop + more)
            for part, more in zip(found[0], self.margin, strict=True)
        )


class AnnotatedParticipants(lightning.LightningDataModule):
    """The annotated participants of the training and validation splits.

    Parameters
    ----------
    paths
        Folders of the run.
    parameters
        Parameters of training.
    name
        Network that is trained; each has its own cache.
    fold
        Index of the validating fold.
    """

    def __init__(
        self,
        paths: RunPaths,
        parameters: TrainingParameters,
        name: Literal["localiser", "segmenter"],
        fold: int = 0,
    ):
        super().__init__()
        self.paths, self.parameters, self.name = paths, parameters, name
        self.network: NetworkParameters = getattr(parameters, name)
        self.classes = CLASSES[name]
        self.fold, self.ids = fold, split_ids(paths, parameters, fold)
        self.scans = {
            split: [scan for who in ids for scan in scans_of(paths, parameters, who)]
            for split, ids in self.ids.items()
        }
        folder = paths.model / "cache" / name
        self.cache = VolumeCache(folder, parameters.channels, self.network.spacing_mm)
        self.seed, self.next_epoch = parameters.seed + fold, 0
        self.prepare_data_per_node = False  # the nodes share the folder

    def prepare_data(self) -> None:
        """Preprocess every volume once, in the first of several processes."""
        with Progress("preprocessing", sum(map(len, self.scans.values()))) as progress:
            for scan in [*self.scans["train"], *self.scans["validation"]]:
                self.cache.add(*scan)
                progress.advance()

    def setup(self, stage: str) -> None:
        """Map the volumes into memory."""
        self.train = self._patches(self.scans["train"])
        volumes = [self.cache.open(scan.name) for scan in self.scans["validation"]]
        margin = np.ceil(MARGIN_MM / np.array(self.network.spacing_mm)).astype(int)
        in_box = tuple(margin.tolist()) if self.name == "segmenter" else None
        self.validation = Volumes(volumes, self.classes, in_box)

    def example_patches(self, count: int) -> list[dict[str, torch.Tensor]]:
        """Return augmented patches of the first training participant."""
        first = self.scans["train"][0]
        self.cache.add(*first)
        patches = self._patches([first])
        return [patches[number] for number in range(count)]

    def _patches(self, scans: Sequence["Scan"]) -> Patches:
        return Patches(
            [self.cache.open(scan.name) for scan in scans],
            self.network.patch_size,
            self.network.spacing_mm,
            augmentation(self.parameters.augmentation),
            self.seed,
            self.classes,
        )

    def train_dataloader(self) -> DataLoader:
        """Return shuffled batches of patches."""
        workers = self.parameters.loader_workers
        scans, per_volume = len(self.scans["train"]), self.network.patches_per_volume
        return DataLoader(
            self.train,
            batch_size=self.network.batch_size,
            sampler=Numbers(scans, per_volume, self.seed, *self._place(), self.next_epoch),
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader:
        """Return this process's validation volumes one by one, since their shapes differ."""
        rank, ranks = self._place()
        sampler = DistributedSampler(self.validation, ranks, rank, shuffle=False)
        return DataLoader(self.validation, batch_size=1, sampler=sampler)

    def _place(self) -> tuple[int, int]:
        """Return the index of this process and the number of processes that train together."""
        if self.trainer is None:
            return 0, 1
        return self.trainer.global_rank, self.trainer.world_size

    def state_dict(self) -> dict[str, int]:
        """Return the next epoch, for a checkpoint.

        In a resumed training, Lightning sets the sampler's epoch after workers have begun to draw.
        """
        return {"next_epoch": self.trainer.current_epoch + 1}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Restore the first epoch of a resumed training."""
        self.next_epoch = state_dict["next_epoch"]

    def sha256(self) -> str:
        """Return a hash of images, labels and splits."""
        hash_of = file_hashes(self.paths, self.parameters)
        rows = [
            (self.fold, split, scan.name, file.name, hash_of(file))
            for split, scans in self.scans.items()
            for scan in scans
            for file in scan.files(self.parameters.channels)
        ]
        return table_sha256(pd.DataFrame(rows))


class Scan(NamedTuple):
    """Files of an annotated scan.

    Parameters
    ----------
    name
        Unique name.
    images
        Folder with one file per channel.
    label
        Label map.
    """

    name: str
    images: Path
    label: Path

    def files(self, channels: Sequence[str]) -> list[Path]:
        """Return the files of these channels and the label map."""
        return [*(image_file(self.images, channel) for channel in channels), self.label]


def scans_of(paths: RunPaths, parameters: TrainingParameters, participant_id: str) -> list[Scan]:
    """Return a participant's annotated scans: the curated one, or those of random contrast.

    Raises
    ------
    FileNotFoundError
        Images of random contrast are missing.
    """
    if parameters.learn_from == "curated":
        label = paths.curated / "labels" / f"{participant_id}.nii.gz"
        return [Scan(participant_id, paths.curated / "images" / participant_id, label)]
    made = paths.raw / "randomised" / participant_id
    scans = [
        Scan(f"{participant_id}_{folder.name}", folder, folder / "label.nii.gz")
        for folder in sorted(made.glob("*"))
    ]
    if not scans:
        raise FileNotFoundError(
            f"{made} is missing: let the cohort export images of random contrast "
            "(cohort.randomised.n_images), or set training.learn_from to curated"
        )
    return scans


def file_hashes(paths: RunPaths, parameters: TrainingParameters) -> Callable[[Path], str]:
    """Return a function that gives a training file's hash; curation recorded those it wrote."""
    if parameters.learn_from == "randomised":
        return sha256
    noted = read_table(paths.curated / "files.csv").set_index("file")["sha256"]
    return lambda file: noted[file.relative_to(paths.curated).as_posix()]


def split_ids(paths: RunPaths, parameters: TrainingParameters, fold: int) -> dict[str, list[str]]:
    """Return the training and validation participants; of several folds, `fold` validates.

    Raises
    ------
    ValueError
        One of the two is empty.
    """
    participants = read_table(paths.curated / "participants.csv")
    ids = {
        split: participants.loc[participants["split"] == split, "participant_id"].tolist()
        for split in ("train", "validation")
    }
    if parameters.folds > 1:
        everyone = np.array(sorted(ids["train"] + ids["validation"]))
        dealt = np.random.default_rng(parameters.seed).permutation(len(everyone)) % parameters.folds
        ids = {
            "train": everyone[dealt != fold].tolist(),
            "validation": everyone[dealt == fold].tolist(),
        }
    for split, chosen in ids.items():
        if not chosen:
            raise ValueError(
                f"{paths.curated / 'participants.csv'}: no participant in split {split!r}; "
                "annotate more participants or change curation's fractions"
            )
    return ids


def table_sha256(table: pd.DataFrame) -> str:
    """Return a hash of a table's rows, independent of their order."""
    rows = sorted(table.astype(str).agg("\t".join, axis=1))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
