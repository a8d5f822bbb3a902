"""What the cohort's notebook shows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from muscle_study.cohort.population import MODELS
from muscle_study.paths import RunPaths
from muscle_study.volumes import load, to_ras

CONTRASTS = ("water", "fat", "in_phase", "opposed_phase")


def calibration(participants: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return drawn means and SDs by sex beside those that the population model aims at."""
    joined = participants.merge(truth, on="participant_id", validate="one_to_one")
    rows = []
    for sex, model in MODELS.items():
        of_sex = joined[joined["sex"] == sex]
        for name, drawn, mean, sd in (
            ("height (cm)", of_sex["height_cm"], model.height_mean_cm, model.height_sd_cm),
            ("BMI (kg/m²)", of_sex["bmi_kg_m2"], model.bmi_mean_kg_m2, model.bmi_sd_kg_m2),
            ("CSA psoas (cm²)", of_sex["psoas_csa_total_cm2"], model.csa_mean_cm2,
             model.csa_sd_cm2),
            ("V gluteus (L)", of_sex["gluteus_volume_total_ml"] / 1000, model.gluteus_mean_l,
             model.gluteus_sd_l),
        ):  # fmt: skip
            rows.append(
                {"sex": sex, "quantity": name, "n": len(of_sex), "mean": drawn.mean(),
                 "SD": drawn.std(), "model mean": mean, "model SD": sd}
            )  # fmt: skip
    return pd.DataFrame(rows).round(2)


def show_scan(paths: RunPaths, participants: pd.DataFrame) -> Figure:
    """Draw the contrasts of the first participant whose images are whole."""
    folder = next(
        folder
        for folder in (paths.raw / "images" / p for p in participants["participant_id"])
        if not _is_broken(paths, folder.name)
    )
    figure, axes = plt.subplots(2, len(CONTRASTS), figsize=(12, 5.6), layout="constrained")
    for column, contrast in zip(axes.T, CONTRASTS, strict=True):
        volume = to_ras(load(folder / f"{contrast}.nii.gz"))
        _, ny, nz = volume.data.shape
        dx, dy, dz = volume.spacing_mm
        column[0].imshow(_seen(volume.data[:, :, int(nz * 0.4)]), cmap="gray", aspect=dy / dx)
        column[1].imshow(_seen(volume.data[:, int(ny * 0.53), :]), cmap="gray", aspect=dz / dx)
        column[0].set_title(contrast.replace("_", " "))
    for axis in axes.flat:
        axis.set_axis_off()
    figure.suptitle("synthetic participant", fontsize=9, x=0.99, ha="right")
    plt.close(figure)  # the notebook shows what is returned, once
    return figure


def _is_broken(paths: RunPaths, participant_id: str) -> bool:
    faults = pd.read_csv(paths.truth / "faults.csv", dtype=str)
    return participant_id in set(faults["participant_id"])


def _seen(slice_of_volume: np.ndarray) -> np.ndarray:
    """Turn a slice with rising x to how radiologists look at it: right side on the left."""
    return slice_of_volume[::-1].T[::-1]
