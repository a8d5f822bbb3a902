"""Run folders of the earlier stages, with random measures."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from example_parameters import section
from example_tables import example, write_example
from muscle_study.imaging.volumes import Volume, save
from muscle_study.measurement.compared import DICE, agreement
from muscle_study.protocol.files import write_json
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.outcomes import MEASURES, derived
from muscle_study.protocol.paths import NOTEBOOKS, RunPaths, image_file
from muscle_study.publishing.numbers import read_numbers
from muscle_study.report.project import lay_out
from muscle_study.report.shortcodes import expand
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.statistics.study.loading import load_study
from muscle_study.statistics.study.study import Study

PARAMETERS = section("statistics", min_cell_count=5, seed=1)


@dataclass(frozen=True)
class Plan:
    """What a made-up run looks like."""

    n: int = 200
    n_test: int = 12
    n_curation_exclusions: int = 9
    n_late_exclusions: int = 2
    synthetic: bool = True
    truth: bool = True
    n_simulated: int = 0
    demographics: bool = True
    compared: bool = False
    seed: int = 1


def people(n: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return a participant table with plausible values."""
    male = generator.random(n) < 0.55
    height = np.where(male, 178, 165) + generator.normal(0, 6.5, n)
    bmi = np.where(male, 27, 26) * np.exp(generator.normal(0, 0.16, n))
    return pd.DataFrame(
        {
            "participant_id": [f"{i:06d}" for i in generator.permutation(900_000)[:n] + 100_000],
            "sex": np.where(male, "male", "female"),
            "age_years": generator.integers(20, 75, n),
            "height_cm": height.round(1),
            "weight_kg": (bmi * (height / 100) ** 2).round(1),
            "bmi_kg_m2": bmi.round(2),
        }
    )


def measures_of(table: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Return measures that depend on sex, age and BMI."""
    n, male = len(table), table["sex"] == "male"
    trend = -0.06 * (table["age_years"] - 47) + 0.25 * (table["bmi_kg_m2"] - 26)
    csa = np.where(male, 37.9, 24.5) + trend + generator.normal(0, 3.5, n)
    volume = np.where(male, 3384, 2386) + 60 * trend + generator.normal(0, 300, n)
    out = {"participant_id": table["participant_id"]}
    for name, total, unit in (
        ("psoas_csa", csa, "cm2"),
        ("psoas_volume", csa * 14, "ml"),
        ("gluteus_volume", volume, "ml"),
    ):
        left = total / 2 * (1 + generator.normal(0, 0.02, n))
        out |= {
            f"{name}_left_{unit}": left,
            f"{name}_right_{unit}": total - left,
            f"{name}_total_{unit}": total,
        }
    for muscle, fat in (("psoas", 0.06), ("gluteus", 0.15)):
        for side in ("left", "right", "total"):
            out[f"{muscle}_fat_fraction_{side}"] = generator.normal(fat, 0.015, n)
    table = pd.DataFrame(out | derived(out, table["height_cm"]))
    return example("measurements/measures.csv", table).sort_values(
        "participant_id", ignore_index=True
    )


def make_run(plan: Plan) -> RunPaths:
    """Write a run's folders; ``MUSCLE_STUDY_OUTPUT`` says where."""
    generator = np.random.default_rng(plan.seed)
    paths = RunPaths("made_up")
    table = people(plan.n, generator)
    excluded = table.iloc[: plan.n_curation_exclusions]
    late = table.iloc[plan.n_curation_exclusions :][: plan.n_late_exclusions]
    curated = table.drop(excluded.index).reset_index(drop=True)
    split = ["test"] * plan.n_test + ["train"] * 30 + ["validation"] * 10
    split = (split + ["none"] * plan.n)[: len(curated)][::-1]
    curated["annotated"] = [name != "none" for name in split]
    curated["split"] = split
    if not plan.demographics:
        curated = curated.assign(
            sex=None, age_years=np.nan, height_cm=np.nan, weight_kg=np.nan, bmi_kg_m2=np.nan
        )
    measured = table.drop([*excluded.index, *late.index])
    measures = measures_of(measured, generator)
    write_example(table, paths.raw / "participants.csv")
    write_curated(paths, plan, curated, excluded)
    write_exclusions(paths.segmentations, "inference", late.iloc[:1], "unexpected_error")
    write_exclusions(paths.measurements, "measurement", late.iloc[1:], "no_muscle_found")
    write_example(measures, paths.measurements / "measures.csv")
    about = {"kind": "network", "segmenter": "the network", "psoas_label": "psoas major"}
    write_json(about, paths.segmentations / "source.json")
    test = curated.loc[curated["split"] == "test", "participant_id"]
    write_quality(paths, test, generator)
    write_model(paths)
    if len(test):
        write_images(paths, test)
        plt.imsave(paths.measurements / "cases.png", np.zeros((40, 60)))
    if plan.truth:
        men = set(measured.loc[measured["sex"] == "male", "participant_id"])
        write_truth(paths, measures, set(test), men, generator)
    if plan.compared:
        write_compared(paths, measures, generator)
    if plan.n_simulated:
        write_simulated(paths, plan.n_simulated, generator)
    return paths


def write_compared(paths: RunPaths, measures: pd.DataFrame, generator) -> None:
    """Write the comparison with a segmenter that misses the last six participants."""
    others = measures.iloc[:-6].copy()
    for name in MEASURES:
        others[name] *= generator.normal(1.05, 0.02, len(others))
    for name in DICE:
        others[name] = generator.normal(0.9, 0.02, len(others))
    columns = ["participant_id", *DICE, *MEASURES]
    write_example(others[columns], paths.measurements / "compared.csv")
    write_example(agreement(measures, others), paths.measurements / "comparison.csv")
    about = {"kind": "masks", "segmenter": "VIBESegmentator", "psoas_label": "iliopsoas"}
    write_json(about, paths.compared / "source.json")


def write_simulated(paths: RunPaths, n: int, generator: np.random.Generator) -> None:
    table = people(n, generator)
    table["participant_id"] = [f"9{i:06d}" for i in range(n)]
    simulated = table.merge(measures_of(table, generator), on="participant_id")
    donors = pd.DataFrame({"sex": ["female", "male"], "donors": [40, 3], "nearest": [10, 3]})
    donors = donors.assign(donors_of=donors["sex"], simulated=5)
    write_example(simulated, paths.measurements / "simulated.csv")
    write_example(donors, paths.measurements / "donors.csv")


def write_exclusions(folder: Path, stage: str, table: pd.DataFrame, *reasons: str) -> None:
    codes = [reasons[i % len(reasons)] for i in range(len(table))]
    rows = pd.DataFrame({"participant_id": table["participant_id"], "reason": codes})
    rows = rows.assign(stage=stage).sort_values("participant_id", kind="stable")
    write_example(rows, folder / "exclusions.csv")


def write_curated(paths, plan, curated, excluded) -> None:
    write_example(curated.sort_values("participant_id"), paths.curated / "participants.csv")
    reasons = ["unreadable_image", "missing_contrast", "bmi_contradiction"]
    write_exclusions(paths.curated, "curation", excluded, *reasons)
    by_images = np.arange(len(excluded)) % len(reasons) < 2  # the others' records are wrong
    write_example(excluded[by_images], paths.curated / "excluded_people.csv")
    write_example(
        pd.DataFrame(
            {
                "step": ["in the export", "images checked"],
                "participants": [plan.n, len(curated)],
                "excluded": [0, len(excluded)],
            }
        ),
        paths.curated / "flow.csv",
    )
    names = sorted(curated["participant_id"])
    write_example(pd.DataFrame({"participant_id": names[:2]}), paths.curated / "corrections.csv")
    flags = ["motion", "noise; motion"] + [""] * (len(names) - 2)
    write_example(
        pd.DataFrame(
            {"participant_id": names, "flagged": [flag != "" for flag in flags], "flags": flags}
        ),
        paths.curated / "quality.csv",
    )
    write_json(
        {
            "layout": "cohort",
            "synthetic": plan.synthetic,
            "psoas_label": "psoas major",
            "source_participants": plan.n,
            "demographics": plan.demographics,
        },
        paths.curated / "source.json",
    )
    first = curated.sort_values("participant_id")["participant_id"].iloc[0]
    save(
        Volume(np.zeros((4, 4, 4), np.int16), np.diag([3.0, 3.0, 5.0, 1.0])),
        image_file(paths.curated / "images" / first, "water"),
    )


def write_quality(paths: RunPaths, test: pd.Series, generator: np.random.Generator) -> None:
    structures = ["psoas_left", "psoas_right", "gluteus_left", "gluteus_right"]
    rows = [
        {
            "participant_id": name,
            "structure": structure,
            "dice": generator.normal(0.9 if "psoas" in structure else 0.94, 0.015),
            "hausdorff95_mm": generator.normal(4, 0.5),
            "surface_distance_mm": generator.normal(0.8, 0.1),
            "volume_error": generator.normal(0.01, 0.03),
            "csa_error": generator.normal(-0.02, 0.03),
            "predicted_dice": generator.normal(0.93, 0.01),
        }
        for name in test
        for structure in structures
    ]
    write_example(pd.DataFrame(rows), paths.measurements / "segmentation_quality.csv")


def write_model(paths: RunPaths) -> None:
    epochs = np.arange(1, 13)
    dice = np.where(epochs % 3, np.nan, 1 - 0.9 * np.exp(-epochs / 4))
    history = pd.DataFrame(
        {
            "epoch": epochs,
            "train_loss": 2 * np.exp(-epochs / 5),
            "validation_loss": np.where(epochs % 3, np.nan, 2.1 * np.exp(-epochs / 5)),
            "validation_dice": dice,
        }
    )
    for muscle, better in (("psoas", -0.03), ("gluteus", 0.02)):
        history[f"dice_{muscle}"] = dice + better
    write_example(history.assign(network="segmenter_1"), paths.model / "history.csv")
    write_json(
        {
            "parameters": {
                "channels": ["water", "fat"],
                "augmentation": {"flip": 0.5, "affine": 0.3, "noise": 0.0},
                "localiser": {"spacing_mm": [8.0, 8.0, 10.0]},
                "segmenter": {
                    "spacing_mm": [4.0, 4.0, 5.0],
                    "patch_size": [80, 64, 48],
                    "max_epochs": 12,
                    "batch_size": 2,
                    "learning_rate": 0.002,
                },
                "seed": 20260108,
            },
            "localiser": {"trainable_parameters": 98_765},
            "segmenters": [
                {"best_epoch": 12, "validation_dice": 0.912, "trainable_parameters": 601_234}
            ],
        },
        paths.model / "card.json",
    )
    write_json({"seconds": 372.0}, paths.model / "manifest.json")


def write_images(paths: RunPaths, names: pd.Series) -> None:
    """Write one body of ellipses for every test participant."""
    shape, spacing = (67, 45, 46), np.array([6.0, 6.0, 10.0])
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (np.array(shape) - 1) / 2
    x, y, z = np.meshgrid(
        *(affine[i, 3] + spacing[i] * np.arange(shape[i]) for i in range(3)),
        indexing="ij",
        sparse=True,
    )
    body = (x / 170) ** 2 + (y / 110) ** 2 + 0 * z < 1
    lean = (x / 145) ** 2 + (y / 88) ** 2 + 0 * z < 1
    labels = np.zeros(shape, np.uint8)
    for label, side in ((Label.PSOAS_LEFT, -1), (Label.PSOAS_RIGHT, 1)):
        labels[((x - 45 * side) / 20) ** 2 + (y / 22) ** 2 + ((z - 60) / 110) ** 2 < 1] = label
    for label, side in ((Label.GLUTEUS_LEFT, -1), (Label.GLUTEUS_RIGHT, 1)):
        labels[((x - 75 * side) / 45) ** 2 + ((y + 55) / 30) ** 2 + ((z + 90) / 90) ** 2 < 1] = (
            label
        )
    noise = np.random.default_rng(0).normal(0, 25, shape)
    water = np.where(lean, 400, np.where(body, 80, 0)) + 250 * (labels > 0) + noise
    fat = np.where(lean, 150, np.where(body, 900, 0)) - 60 * (labels > 0) + noise
    for name in names:
        folder = paths.curated / "images" / name
        save(Volume(water.clip(0).astype(np.int16), affine), image_file(folder, "water"))
        save(Volume(fat.clip(0).astype(np.int16), affine), image_file(folder, "fat"))
        save(Volume(labels, affine), paths.curated / "labels" / f"{name}.nii.gz")
        save(Volume(np.roll(labels, 1, axis=1), affine), paths.segmentations / f"{name}.nii.gz")


def write_truth(paths, measures, test, men, generator) -> None:
    columns = [*MEASURES]
    truth = measures[["participant_id", *columns]].copy()
    rows = []
    for name in columns:
        truth[name] *= 1 + generator.normal(0.01, 0.02, len(truth))
        for group, chosen in (
            ("test", truth["participant_id"].isin(test)),
            ("unseen", truth["participant_id"].notna()),
            ("unseen_male", truth["participant_id"].isin(men)),
            ("unseen_female", ~truth["participant_id"].isin(men)),
        ):
            difference = (measures[name] - truth[name])[chosen]
            bias, sd = difference.mean(), difference.std()
            rows.append(
                {
                    "measure": name,
                    "group": group,
                    "n": len(difference),
                    "truth_mean": truth.loc[chosen, name].mean(),
                    "bias": bias,
                    "bias_low": bias - 0.3 * sd,
                    "bias_high": bias + 0.3 * sd,
                    "loa_low": bias - 1.96 * sd,
                    "loa_high": bias + 1.96 * sd,
                }
            )
    errors = measures[["participant_id"]].join(measures[columns] - truth[columns])
    write_example(errors, paths.measurements / "errors.csv")
    write_example(pd.DataFrame(rows), paths.measurements / "agreement.csv")
    write_example(true_coefficients(), paths.measurements / "true_coefficients.csv")
    true_population().to_parquet(paths.measurements / "true_population.parquet")
    faults = pd.DataFrame({"participant_id": sorted(test)[:2], "fault": "cut_sides"})
    write_example(faults, paths.measurements / "faults.csv")


def true_coefficients() -> pd.DataFrame:
    """Return true correlations, which are not exact, and another coefficient."""
    rows = [
        ("correlation", "gluteus", sex, size, 0.3)
        for sex in ("male", "female")
        for size in ("weight_kg", "height_cm", "bmi_kg_m2")
    ]
    rows.append(("model", "gluteus", "male", "intercept", 1.0))
    return pd.DataFrame(rows, columns=["kind", "outcome", "sex", "term", "value"])


def true_population() -> pd.DataFrame:
    """Return a population with the means that `measures_of` draws from; smoking has no effect."""
    levels = {
        "sex": ["male", "female"],
        "age_years": [20, 47, 74],
        "bmi_kg_m2": [20.0, 26.0, 34.0],
        "smoking": ["never", "former", "current"],
    }
    table = pd.MultiIndex.from_product(levels.values(), names=levels).to_frame(index=False)
    male = table["sex"] == "male"
    trend = -0.06 * (table["age_years"] - 47) + 0.25 * (table["bmi_kg_m2"] - 26)
    return table.assign(
        probability=1 / len(table),
        csa=np.where(male, 37.9, 24.5) + trend,
        gluteus=np.where(male, 3384, 2386) + 60 * trend,
    )


@pytest.fixture(scope="session")
def made_runs() -> dict[Plan, Path]:
    """Remember the runs that were made: each plan is made once."""
    return {}


@pytest.fixture
def study_of(made_runs, tmp_path_factory, monkeypatch):
    """Return a function that makes a run by a plan and loads it; one run a test."""

    def load(plan: Plan = Plan(), parameters: StatisticsParameters = PARAMETERS) -> Study:
        new = plan not in made_runs
        if new:
            made_runs[plan] = tmp_path_factory.mktemp("run")
        monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(made_runs[plan]))
        if new:
            make_run(plan)
        return load_study(RunPaths("made_up"), parameters)

    return load


@pytest.fixture
def study(study_of) -> Study:
    """Return the usual made-up study."""
    return study_of()


@pytest.fixture(scope="session")
def plan():
    """Return the class of plans, for tests of other runs."""
    return Plan


@pytest.fixture(scope="session")
def write_run():
    """Return the function that writes a run's folders by a plan."""
    return make_run


@pytest.fixture(scope="session")
def parameters() -> StatisticsParameters:
    """Return the parameters of the made-up runs."""
    return PARAMETERS


@pytest.fixture(scope="session")
def run_cells():
    """Return a function that runs the code of both notebooks on a study."""

    def run(study: Study) -> None:
        whole = SimpleNamespace(covariates=study.covariates)
        stage = SimpleNamespace(paths=study.paths, parameters=study.parameters, study=whole)
        for name in ("05_statistics", "06_extensions"):
            notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
            variables = {"display": lambda shown: None}
            with patch("muscle_study.running.stage.open_stage", return_value=stage):
                for cell in notebook.cells:
                    if cell.cell_type == "code":
                        exec(compile(cell.source, cell.id, "exec"), variables)

    return run


@pytest.fixture
def expand_manuscript(tmp_path):
    """Return a function that puts a study's results into the manuscript, or names what it lacks."""

    def put(study: Study) -> str:
        numbers = read_numbers(study.paths.numbers)
        variables = {name: number.text for name, number in numbers.items()}
        variables["report.renderer"] = "none"
        about = section("report", title="Muscles", authors=["A. Author"], formats=["html"])
        lay_out(study.paths, about, numbers, variables, [], tmp_path)
        return expand(tmp_path / "manuscript.qmd", variables)

    return put
