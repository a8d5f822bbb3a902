"""nnU-Net v2's predictor with a network of its default plan. Needs the optional extra `bench`."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import torch
from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import (
    ExperimentPlanner,
)
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from muscle_study.imaging.volumes import load
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import IMAGE_ENDING, image_file

DATASET, CONFIGURATION = "Dataset001_Dixon", "3d_fullres"
#: Number of participants for the plan, which changes only its batch size.
PARTICIPANTS = 1000
#: Axes that the default trainer mirrors.
MIRRORED_AXES = (0, 1, 2)


@dataclass(frozen=True)
class Prediction:
    """Extent and duration of a shortened prediction.

    Parameters
    ----------
    patches, done
        Numbers of patches of the volume, and of those predicted.
    patch_size
        Patch size x, y, z, voxels.
    seconds, patch_seconds
        Total duration, and duration of predicting patches.
    """

    patches: int
    done: int
    patch_size: list[int]
    seconds: float
    patch_seconds: float


def dataset(channels: Sequence[str]) -> dict:
    """Return nnU-Net's description of the data set."""
    return {
        "channel_names": {str(i): name for i, name in enumerate(channels)},
        "labels": {label.name.lower(): int(label) for label in Label},
        "numTraining": PARTICIPANTS,
        "file_ending": IMAGE_ENDING,
        "overwrite_image_reader_writer": "SimpleITKIO",
    }


def default_plan(
    shape: Sequence[int], spacing_mm: Sequence[float], channels: Sequence[str]
) -> dict:
    """Return the plan of nnU-Net's planner for volumes of one shape and spacing (x, y, z).

    The patch is as large as the planner's memory target allows, at most as large as the volumes.
    """
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        raw, preprocessed = Path(folder, "raw"), Path(folder, "preprocessed")
        os.environ |= {"nnUNet_raw": str(raw), "nnUNet_preprocessed": str(preprocessed)}
        for images in ("imagesTr", "labelsTr"):
            (raw / DATASET / images).mkdir(parents=True)
        (preprocessed / DATASET).mkdir(parents=True)
        # the planner needs one participant's files, of which it reads only the names
        (raw / DATASET / "labelsTr" / f"participant{IMAGE_ENDING}").touch()
        for i in range(len(channels)):
            (raw / DATASET / "imagesTr" / f"participant_{i:04}{IMAGE_ENDING}").touch()
        fingerprint = {
            # axes are z, y, x
            "spacings": [list(spacing_mm)[::-1]],
            "shapes_after_crop": [list(shape)[::-1]],
            "median_relative_size_after_cropping": 1.0,
            # used only for images with a unit, such as CT
            "foreground_intensity_properties_per_channel": {
                str(i): {} for i in range(len(channels))
            },
        }
        for content, path in (
            (dataset(channels), raw / DATASET / "dataset.json"),
            (fingerprint, preprocessed / DATASET / "dataset_fingerprint.json"),
        ):
            path.write_text(json.dumps(content))
        return ExperimentPlanner(DATASET).plan_experiment()


class ShortenedPredictor(nnUNetPredictor):
    """nnU-Net's default predictor on at most `most` patches of a volume."""

    def __init__(self, most: int):
        super().__init__(device=torch.device("cpu"), allow_tqdm=False)
        self.most = most
        self.patches = self.done = 0
        self.patch_seconds = 0.0

    def _internal_get_sliding_window_slicers(self, image_size: tuple[int, ...]) -> list:
        every = super()._internal_get_sliding_window_slicers(image_size)
        places = np.linspace(0, len(every) - 1, min(self.most, len(every))).astype(int)
        self.patches, self.done = len(every), len(places)
        return [every[place] for place in places]

    def _internal_maybe_mirror_and_predict(self, x: torch.Tensor) -> torch.Tensor:
        started = time.perf_counter()
        logits = super()._internal_maybe_mirror_and_predict(x)
        self.patch_seconds += time.perf_counter() - started
        return logits


def prepare(
    images: Path, channels: Sequence[str], plan_shape: Sequence[int], most: int
) -> Callable[[], Prediction]:
    """Return a prediction from files to labels by a network of random weights.

    Parameters
    ----------
    images
        Folder of the participant's images.
    channels
        Input channels of the network.
    plan_shape
        Shape for which the network is planned, x, y, z.
    most
        Greatest number of patches to predict.
    """
    files = [str(image_file(images, channel)) for channel in channels]
    plans = PlansManager(default_plan(plan_shape, load(Path(files[0])).spacing_mm, channels))
    configuration = plans.get_configuration(CONFIGURATION)
    network = get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        len(channels),
        len(Label),
        deep_supervision=False,
    )

    def work() -> Prediction:
        started = time.perf_counter()
        with redirect_stdout(StringIO()):
            predictor = ShortenedPredictor(most)
            predictor.manual_initialization(
                network,
                plans,
                configuration,
                [network.state_dict()],
                dataset(channels),
                "nnUNetTrainer",
                MIRRORED_AXES,
            )
            predictor.predict_from_files_sequential([files], None)
        return Prediction(
            predictor.patches,
            predictor.done,
            [int(size) for size in configuration.patch_size[::-1]],
            time.perf_counter() - started,
            predictor.patch_seconds,
        )

    return work
