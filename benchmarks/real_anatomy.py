"""Segmentation of a real anatomy in random contrasts.

The anatomy is the SPL abdominal atlas (one person, T9 to the pelvis; see `cohort.anatomy.atlas`),
whose label map is rendered as training images are. It guided the tables of the synthetic muscles,
so the muscles are not fully independent of the training images; organs, bones, other muscles and
fat are.
"""

import numpy as np
import pandas as pd
import SimpleITK as sitk  # noqa: N813 - its own custom
from scipy import ndimage

from benchmarks.real_scans import MODEL, REAL, existing
from benchmarks.tables import comparison_table
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.randomised.images import label_values, render
from muscle_study.cohort.randomised.parameters import RANDOMISED_CHANNEL
from muscle_study.imaging.volumes import Volume, resample, to_ras
from muscle_study.inference.label_sources import load_segmenter
from muscle_study.mapping.progress import Progress
from muscle_study.measurement.quality import compare as compare_labels
from muscle_study.publishing.result import Result
from muscle_study.running.parameters import load as load_parameters

ATLAS = REAL / "spl_atlas"
#: Factor by which the header's spacing is too small (inferred from the vertebrae).
STRETCH = 1.9
SPACING_MM = 4.0
IMAGES, SEED = 40, 20260108
#: Closing of gaps between labelled structures, and thickness of the fat around them (voxels).
CLOSED, COVER = 25, 8

#: Tissue (left and right) by the first matching word in a structure's name; all others are gland.
TISSUES = {
    "psoas": (Tissue.PSOAS_LEFT, Tissue.PSOAS_RIGHT),
    "iliacus": (Tissue.ILIACUS_LEFT, Tissue.ILIACUS_RIGHT),
    "gluteus": (Tissue.GLUTEUS_LEFT, Tissue.GLUTEUS_RIGHT),
    "muscle": Tissue.MUSCLE,
    "liver": Tissue.LIVER,
    "spleen": Tissue.SPLEEN,
    "renal_pelvis": Tissue.URINE,
    "ureter": Tissue.URINE,
    "gallbladder": Tissue.FLUID,
    "Disc": Tissue.DISC,
    **dict.fromkeys(("renal", "aorta", "artery", "vein", "cava", "trunk"), Tissue.VESSEL),
    **dict.fromkeys(("colon", "stomach"), Tissue.BOWEL_CONTENT),
    "kidney": Tissue.KIDNEY_CORTEX,
    **dict.fromkeys(("Pelvis", "Thoracic", "Lumbar", "Sacrum", "Rib"), Tissue.RED_MARROW),
}

HEADS = ("Structure", "Images", "Mean Dice", "SD", "Lowest", "Median", "Mean predicted Dice")
CAPTION = (
    "Real anatomy, the SPL abdominal atlas (one person, cut below), in {images} random contrasts "
    "with noise, bias field and resolution drawn as for training images, segmented by the networks "
    "in data/models/randomised. The psoas is the iliopsoas. A missed structure counts as Dice 0; "
    "none is excluded for a low predicted Dice."
)


def tissue_of(name: str) -> Tissue:
    """Return the tissue of a structure of the atlas."""
    for word, tissue in TISSUES.items():
        if word in name:
            return tissue["right" in name] if isinstance(tissue, tuple) else tissue
    return Tissue.GLAND


def tissues_of_atlas() -> Volume:
    """Return the atlas as an upright map of tissues."""
    image = sitk.ReadImage(str(existing(ATLAS / "seg.nrrd")))
    labels = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    rows = (line.split() for line in (ATLAS / "AbdominalAtlasColors.ctbl").read_text().splitlines())
    names = {int(row[0]): row[1] for row in rows if row and row[0].isdigit()}
    tissues = np.zeros(labels.shape, np.uint8)
    for plane, of_plane in zip(np.moveaxis(labels > 0, 2, 0), np.moveaxis(tissues, 2, 0),
                               strict=True):  # fmt: skip
        padded = np.pad(plane, CLOSED)
        body = ndimage.binary_closing(padded, iterations=CLOSED)[CLOSED:-CLOSED, CLOSED:-CLOSED]
        of_plane[ndimage.binary_dilation(body, iterations=COVER)] = Tissue.FAT
    for value in np.unique(labels[labels > 0]):
        tissues[labels == value] = tissue_of(names.get(int(value), ""))
    bone = tissues == Tissue.RED_MARROW
    tissues[bone & ~ndimage.binary_erosion(bone)] = Tissue.CORTEX
    affine = np.eye(4)
    turned = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing() * STRETCH
    affine[:3, :3] = np.diag([-1, -1, 1]) @ turned  # from left, back, head
    upright = to_ras(Volume(tissues, affine))
    shape = tuple((upright.data.shape * upright.spacing_mm / SPACING_MM).astype(int).tolist())
    coarser = np.diag([SPACING_MM] * 3 + [1.0])
    coarser[:3, 3] = upright.affine[:3, 3]
    return resample(upright, shape, coarser, order=0)


def compare(_run: str) -> list[Result]:
    """Segment the atlas in random contrasts."""
    tissues = tissues_of_atlas()
    reference = Volume(label_values("iliopsoas")[tissues.data], tissues.affine)
    looks = load_parameters("randomised").cohort.randomised
    segmenter = load_segmenter(MODEL, "cpu", "auto", ())
    rows = []
    with Progress("real anatomy", IMAGES) as progress:
        for number in range(IMAGES):
            rng = np.random.default_rng((SEED, number))
            image = render(tissues.data, (SPACING_MM,) * 3, looks, rng)
            found = segmenter({RANDOMISED_CHANNEL: Volume(image, tissues.affine)})
            predicted = {label.name.lower(): dice for label, dice in found.predicted_dice.items()}
            rows += [
                (structure, dice, np.nan_to_num(predicted[structure]))
                for structure, dice, *_ in compare_labels(found.labels, reference)
            ]
            progress.advance()
    scores = pd.DataFrame(rows, columns=["structure", "dice", "predicted"])
    table = (
        scores.groupby("structure", sort=False)
        .agg(
            images=("dice", "size"),
            dice=("dice", "mean"),
            sd=("dice", "std"),
            lowest=("dice", "min"),
            median=("dice", "median"),
            predicted_dice=("predicted", "mean"),
        )
        .reset_index()
    )
    caption = CAPTION.format(images=IMAGES)
    return [comparison_table("real_anatomy", table, HEADS, caption)]
