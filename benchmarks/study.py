"""The measured parts of the study's training and inference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torchio as tio

from muscle_study.imaging.volumes import Volume
from muscle_study.inference.label_sources import load_segmenter
from muscle_study.inference.segment import Segmenter
from muscle_study.networks.model import load_model
from muscle_study.networks.preprocessing import (
    PERCENTILES,
    intensity_range,
    load_channels,
    network_input,
)
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import RunPaths, image_file
from muscle_study.running.parameters import load as load_parameters
from muscle_study.training.augmentation import augmentation
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.parameters import TrainingParameters

# ---- inference


def load_network_of(run: str, spacing_mm: Sequence[float] | None = None) -> Segmenter:
    """Return a run's model, with its segmenter on another grid if `spacing_mm` is given.

    On such a grid, times are realistic but segmentations are wrong.
    """
    segmenter = load_segmenter(RunPaths(run).model, "cpu", "auto", ())
    if spacing_mm is None:
        return segmenter
    card = segmenter.model.card
    of_segmenter = card.parameters.segmenter.model_copy(update={"spacing_mm": list(spacing_mm)})
    parameters = card.parameters.model_copy(update={"segmenter": of_segmenter})
    model = segmenter.model._replace(card=card.model_copy(update={"parameters": parameters}))
    return replace(segmenter, model=model)


def prepare_segmentation(
    run: str, images: Path, spacing_mm: Sequence[float] | None = None
) -> Callable[[], Volume]:
    """Return the stage's segmentation of a participant, from files to labels."""
    segmenter = load_network_of(run, spacing_mm)
    channels = segmenter.model.card.parameters.channels

    def work() -> Volume:
        return segmenter(load_channels(images, channels)).labels

    return work


@dataclass(frozen=True)
class Network:
    """A segmenter in evaluation mode, and channels, spacing and patch size of its input."""

    module: torch.nn.Module
    channels: list[str]
    spacing_mm: list[float]
    patch_size: list[int]

    @classmethod
    def of(cls, run: str, spacing_mm: Sequence[float] | None = None) -> "Network":
        """Load a run's segmenter, for another grid if `spacing_mm` is given."""
        model = load_model(RunPaths(run).model)
        trained = model.card.parameters
        return cls(
            model.segmenters[0],
            trained.channels,
            list(spacing_mm or trained.segmenter.spacing_mm),
            trained.segmenter.patch_size,
        )

    def read(self, images: Path) -> tuple[Volume, Volume]:
        """Return a participant's first channel, and the network's input (channels, x, y, z)."""
        channels = load_channels(images, self.channels)
        ranges = {name: intensity_range(channels[name].data) for name in self.channels}
        return channels[self.channels[0]], network_input(channels, ranges, self.spacing_mm)


# ---- training


def training_data(run: str) -> AnnotatedParticipants:
    """Return a run's training data, set up for drawing patches."""
    data = AnnotatedParticipants(RunPaths(run), load_parameters(run).training, "segmenter")
    data.prepare_data()
    data.setup("fit")
    return data


class PlainTransform:
    """Transform of a plain TorchIO pipeline for each participant in each epoch; picklable."""

    def __init__(self, parameters: TrainingParameters):
        self.channels, self.patch_size = parameters.channels, parameters.segmenter.patch_size
        spacing_mm = tuple(parameters.segmenter.spacing_mm)
        self.prepare = tio.Compose(
            [tio.ToCanonical(), tio.Resample(spacing_mm), tio.RescaleIntensity((0, 1), PERCENTILES)]
        )
        self.augment = augmentation(parameters.augmentation)

    def __call__(self, subject: tio.Subject) -> tio.Subject:
        """Return the augmented input image and labels."""
        subject = self.prepare(subject)
        images = [subject[name] for name in self.channels]
        seen = tio.Subject(
            image=tio.ScalarImage(
                tensor=torch.cat([image.data for image in images]), affine=images[0].affine
            ),
            label=subject["label"],
        )
        sizes = zip(seen.spatial_shape, self.patch_size, strict=True)
        return self.augment(tio.CropOrPad([max(pair) for pair in sizes])(seen))


def plain_queue(run: str, volumes: int) -> tio.SubjectsLoader:
    """Return a loader over a TorchIO queue with the patches of so many `volumes`.

    Files, transforms, sampler and number of workers are those of the study.
    """
    parameters = load_parameters(run).training
    data = AnnotatedParticipants(RunPaths(run), parameters, "segmenter")
    network, curated = parameters.segmenter, data.paths.curated
    subjects = [
        tio.Subject(
            label=tio.LabelMap(curated / "labels" / f"{name}.nii.gz"),
            **{
                channel: tio.ScalarImage(image_file(curated / "images" / name, channel))
                for channel in parameters.channels
            },
        )
        for name in data.ids["train"]
    ]
    labels = dict.fromkeys((int(label) for label in Label), 1)
    queue = tio.Queue(
        tio.SubjectsDataset(subjects, transform=PlainTransform(parameters)),
        max_length=volumes * network.patches_per_volume,
        samples_per_volume=network.patches_per_volume,
        sampler=tio.LabelSampler(tuple(network.patch_size), "label", labels),
        num_workers=parameters.loader_workers,
    )
    return tio.SubjectsLoader(queue, batch_size=network.batch_size, num_workers=0)
