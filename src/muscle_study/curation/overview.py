"""Overview of a curated cohort for the notebook: suppressed counts and a few pictures.

Executed notebooks lie under ``reports/``: counts are suppressed as in the manuscript, and pictures
of real participants go to ``data/<run>/curated``.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from muscle_study.curation.split import SPLITS
from muscle_study.curation.stage import Curated
from muscle_study.imaging.volumes import load, open_mapped
from muscle_study.protocol.covariates import BUILT_IN
from muscle_study.protocol.exclusions import Reason
from muscle_study.protocol.files import whole_file
from muscle_study.protocol.findings import Correction, Flag
from muscle_study.protocol.muscles import STRUCTURES, Label
from muscle_study.protocol.paths import RunPaths, image_file
from muscle_study.publishing.disclosure import MARK, hidden_in_table, pool_small, protect

#: Colours of the four structures, told apart by readers with any colour vision (Okabe and Ito).
COLOURS = ListedColormap(["#E69F00", "#56B4E9", "#D55E00", "#0072B2"])


def shown(counts: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Return counts as text, with a mark for hidden ones."""
    return np.where(hidden, MARK, np.asarray(counts).astype(str))


def flow_overview(curated: Curated, min_count: int) -> pd.DataFrame:
    """Return the number of participants after each step, and the number excluded in it."""
    flow = curated.flow
    by_record, by_images = flow["excluded"].iloc[1:]
    cells = np.array([len(curated.participants), by_record, by_images])
    # kept after each step, then excluded in the two steps that exclude
    sums = np.array([[1, 1, 1], [1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    text = shown(sums @ cells, protect(cells, sums, min_count))
    return pd.DataFrame(
        {"step": flow["step"], "participants": text[:3], "excluded": ["", *text[3:]]}
    )


def reason_overview(curated: Curated, min_count: int) -> pd.DataFrame:
    """Return counts of exclusions by reason; rare reasons are pooled."""
    return _counted("reason", curated.exclusions["reason"], Reason.texts(), min_count)


def correction_overview(curated: Curated, min_count: int) -> pd.DataFrame:
    """Return counts of participants by first correction; rare kinds are pooled."""
    first = curated.corrections.drop_duplicates("participant_id")["correction"]
    return _counted("corrected", first, Correction.texts(), min_count)


def flag_overview(curated: Curated, min_count: int) -> pd.DataFrame:
    """Return counts of kept participants by first flag; rare kinds are pooled."""
    first = curated.quality["flags"][curated.quality["flagged"]].str.split("; ").str[0]
    return _counted("flagged for", first, Flag.texts(), min_count)


def _counted(title: str, codes: pd.Series, words: dict[str, str], min_count: int) -> pd.DataFrame:
    """Count participants by the text of their code; rare codes are pooled."""
    rows = [
        ("; ".join(words[name] for name in names), n)
        for names, n in pool_small(codes.astype(str).value_counts().to_dict(), min_count)
    ]
    table = pd.DataFrame(rows, columns=[title, "participants"])
    few = table["participants"] < min_count
    return table.assign(participants=table["participants"].astype(str).mask(few, MARK))


def missing_overview(curated: Curated, min_count: int) -> pd.DataFrame:
    """Return counts of missing values by variable, for variables that exclude no participant.

    Others are counted as exclusions; both counts together could disclose a small one.
    """
    table = curated.missing
    required = [covariate.name for covariate in BUILT_IN if covariate.name != "bmi_kg_m2"]
    if curated.about["demographics"]:
        table = table[~table["variable"].isin(required)]
    without = table["missing"] + table["unreadable"]
    # an implausible value of a built-in covariate is a reason to exclude, and counted there
    without += table["implausible"].mask(table["variable"].isin(required), 0)
    small = without.between(1, min_count - 1) | (table["participants"] - without).between(
        1, min_count - 1
    )
    text = without.astype(str).mask(small, MARK)
    return pd.DataFrame({"variable": table["variable"], "without a value": text})


def split_overview(curated: Curated, min_count: int) -> pd.DataFrame:
    """Return the balance of the splits: men, women, mean age and BMI."""
    everyone = curated.participants.fillna({"sex": "not known"})
    annotated = everyone[everyone["annotated"]]
    columns = sorted(everyone["sex"].unique(), reverse=True)
    counts = pd.crosstab(annotated["split"], annotated["sex"])
    counts = counts.reindex(index=SPLITS, columns=columns, fill_value=0)
    hidden = hidden_in_table(counts.to_numpy(), min_count)[:-1]
    table = pd.DataFrame(shown(counts, hidden[:, :-1]), index=list(SPLITS), columns=columns)
    total = counts.sum(axis=1)
    table.insert(0, "participants", shown(total, hidden[:, -1]))
    means = annotated.groupby("split")[["age_years", "bmi_kg_m2"]].mean().reindex(SPLITS)
    return table.join(means.round(1).where(total >= min_count).rename(columns="mean {}".format))


def gallery(curated: Curated, paths: RunPaths, n: int) -> Path:
    """Draw two planes of the first `n` participants, annotated ones first, and save the picture.

    Returns
    -------
    pathlib.Path
        ``data/<run>/curated/gallery.png``.
    """
    chosen = curated.participants.sort_values("annotated", ascending=False, kind="stable").head(n)
    # a figure of pyplot would be shown by the notebook
    figure = Figure(figsize=(2.4 * len(chosen), 5.2), layout="constrained")
    axes = figure.subplots(2, len(chosen), squeeze=False)
    contrast = curated.inventory["contrast"].iloc[0]
    for column, person in zip(axes.T, chosen.itertuples(), strict=True):
        image = open_mapped(image_file(paths.curated / "images" / person.participant_id, contrast))
        labels = np.zeros(image.data.shape, np.uint8)
        if person.annotated:
            labels = load(paths.curated / "labels" / f"{person.participant_id}.nii.gz").data
        draw_middle(column, image.data, labels, image.spacing_mm)
    kind = "synthetic participants" if curated.about["synthetic"] else "participants"
    figure.suptitle(f"Curated {kind}: {contrast.replace('_', ' ')} image, reference labels")
    path = paths.curated / "gallery.png"
    with whole_file(path) as beside:
        figure.savefig(beside, dpi=110)
    return path


def draw_middle(
    axes: np.ndarray, image: np.ndarray, labels: np.ndarray, spacing_mm: np.ndarray
) -> None:
    """Draw the coronal slice with most psoas and the axial slice with most muscle, or the middle.

    Radiological convention: the right is on the reader's left.
    """
    window = np.percentile(image, [1, 99.5])
    psoas = np.isin(labels, (Label.PSOAS_LEFT, Label.PSOAS_RIGHT))
    for ax, along, across, wanted in ((axes[0], 1, 2, psoas), (axes[1], 2, 1, labels > 0)):
        in_slice = wanted.sum(axis=tuple({0, 1, 2} - {along}))
        where = int(in_slice.argmax()) if in_slice.any() else image.shape[along] // 2
        aspect = spacing_mm[across] / spacing_mm[0]
        for data, look in (
            (image, {"cmap": "gray", "vmin": window[0], "vmax": window[1]}),
            (np.ma.masked_equal(labels, 0),
             {"cmap": COLOURS, "vmin": 1, "vmax": len(STRUCTURES), "alpha": 0.55,
              "interpolation": "nearest"}),
        ):  # fmt: skip
            plane = data.take(where, axis=along)[::-1].T
            ax.imshow(plane, origin="lower", aspect=aspect, **look)
        ax.set_axis_off()
