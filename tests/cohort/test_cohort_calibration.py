"""The population itself has the published means and SDs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from muscle_study.cohort.population.calibration import (
    fat_model,
    muscle_model,
    share_beyond_limits,
    terms,
)
from muscle_study.cohort.population.coefficients import FATS, MUSCLES, SEXES
from muscle_study.cohort.population.demographics import grid


# Kiefer et al. 2026, abstract; volumes in mL
@pytest.mark.parametrize(
    ("measure", "sex", "mean", "sd"),
    [("csa", "male", 37.92, 5.80), ("csa", "female", 24.47, 3.65), ("gluteus", "male", 3384, 528),
     ("gluteus", "female", 2386, 408)],
)  # fmt: skip
def test_published_mean_and_sd_are_exact(measure, sex, mean, sd):
    model, people = muscle_model(measure, sex), grid(sex)
    probability, expected = people["probability"], model.mean(people)
    assert expected @ probability == pytest.approx(mean, rel=1e-9)
    variance = (expected - mean) ** 2 @ probability + model.residual_sd**2
    assert np.sqrt(variance) == pytest.approx(sd, rel=1e-9)


def test_covariates_that_explain_too_much_are_refused(monkeypatch):
    steep = replace(MUSCLES["csa"]["male"], bmi_kg_m2=3.0)
    monkeypatch.setitem(MUSCLES["csa"], "male", steep)
    with pytest.raises(ValueError, match=r"MUSCLES\['csa'\]\['male'\] explain more"):
        muscle_model.__wrapped__("csa", "male")


def test_terms_of_two_people():
    people = pd.DataFrame({
        "age_years": [30, 60], "height_cm": [180.0, 170.0], "bmi_kg_m2": [22.0, 30.0],
        "activity": ["high", "low"],
    })  # fmt: skip
    assert terms(people).to_numpy().tolist() == [[30, 0, 180, 22, 0, 1], [60, 15, 170, 30, 1, 0]]


@pytest.mark.parametrize(("muscle", "young", "old"), [("psoas", 4.5, 6.9), ("gluteus", 11.2, 14.0)])
def test_fat_has_the_published_means_below_and_from_38_years(muscle, young, old):
    model = fat_model(muscle)
    residual = np.random.default_rng(1).standard_normal(100)
    means = []
    shares = {"male": 0.557, "female": 0.443}
    people = pd.concat(grid(sex).assign(share=share) for sex, share in shares.items())
    for group in (people["age_years"] < 38, people["age_years"] >= 38):
        chosen = people[group]
        logits = model.mean(chosen)[:, None] + model.residual_sd * np.append(residual, -residual)
        fraction = (1 / (1 + np.exp(-logits))).mean(axis=1)
        means.append(100 * np.average(fraction, weights=chosen["probability"] * chosen["share"]))
    assert means == pytest.approx([young, old], rel=0.005)
    assert model.age_years > 0
    assert FATS[muscle].bmi_kg_m2 > 0


@pytest.mark.parametrize("measure", MUSCLES)
@pytest.mark.parametrize("sex", SEXES)
def test_hardly_any_size_is_beyond_the_limits_of_the_anatomy(measure, sex):
    assert share_beyond_limits(measure, sex) < 2e-4
