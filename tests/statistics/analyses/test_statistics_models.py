"""Interactions and diagnostics."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import longley
from statsmodels.stats.outliers_influence import variance_inflation_factor

from muscle_study.statistics.analyses.muscle_size.diagnostics import diagnose, diagnostics
from muscle_study.statistics.analyses.muscle_size.interactions import (
    interactions,
    interactions_table,
)
from muscle_study.statistics.analyses.muscle_size.regression import fit, fit_all


def line(n=200, seed=0, **extra):
    """Return y = 2 x + noise."""
    generator = np.random.default_rng(seed)
    x, z = generator.normal(size=(2, n))
    return pd.DataFrame({"x": x, "z": z, "y": 2 * x + generator.normal(size=n), **extra})


def test_partial_r2_is_what_a_term_adds_to_the_others():
    data = line()
    both, alone = fit(data, "y", ["x", "z"], 0.95), fit(data, "y", ["z"], 0.95)
    added = (both.r2 - alone.r2) / (1 - alone.r2)
    assert both.terms.set_index("term").loc["x", "partial_r2"] == pytest.approx(added)


def test_intervals_of_standardised_coefficients_know_the_sds_are_estimates():
    """With one covariate the coefficient is r, whose error is (1 - r²) / √n (Fisher 1915)."""
    data = line(4000)
    term = fit(data, "y", ["x"], 0.95).terms.iloc[0]
    half = (term["standardised_high"] - term["standardised_low"]) / 2
    r = term["standardised"]
    assert half == pytest.approx(1.96 * (1 - r**2) / np.sqrt(4000), rel=0.06)


def test_collinearity_as_statsmodels_has_it():
    data = longley.load_pandas().data
    found = diagnose(fit(data, "TOTEMP", ["GNPDEFL", "GNP", "UNEMP"], 0.95), min_count=1)
    design = np.column_stack([np.ones(16), data[["GNPDEFL", "GNP", "UNEMP"]]])
    largest = max(variance_inflation_factor(design, i) for i in (1, 2, 3))
    assert found["largest_vif"] == pytest.approx(largest)


def test_collinearity_of_longleys_data_as_r_has_it():
    """R: car::vif(lm(Employed ~ ., longley)); GNP has 1788.51, the largest of the six."""
    data = longley.load_pandas().data
    six = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]
    found = diagnose(fit(data, "TOTEMP", six, 0.95), min_count=1)
    assert found["largest_vif"] == pytest.approx(1788.51, abs=0.01)


def test_diagnostics_see_what_is_wrong():
    sound = line()
    unequal = sound.assign(y=2 * sound["x"] + np.exp(sound["x"]) * sound["z"])
    skewed = sound.assign(y=2 * sound["x"] + np.exp(sound["z"]))
    found = {
        name: diagnose(fit(data, "y", ["x"], 0.95), min_count=1)
        for name, data in (("sound", sound), ("unequal", unequal), ("skewed", skewed))
    }
    assert found["sound"]["heteroscedasticity_p"] > 0.05
    assert found["unequal"]["heteroscedasticity_p"] < 0.001
    assert abs(found["sound"]["residual_skewness"]) < 0.5 < found["skewed"]["residual_skewness"]
    # a participant far off moves the slope; fewer than the threshold are not spoken of
    far = sound.copy()
    far.loc[0, ["x", "y"]] = [8.0, -30.0]
    fitted = fit(far, "y", ["x"], 0.95)
    # such a participant widens the robust error as well, so that the shift nears one of it
    assert diagnose(fitted, 1)["largest_shift_se"] > 0.8
    assert np.isnan(diagnose(fitted, 100)["largest_shift_se"])


def test_diagnostics_of_a_run(study):
    table = diagnostics(study, fit_all(study))
    assert len(table) == 6
    assert table["largest_vif"].between(1, 1.5).all()


#: Miles per gallon, power, weight and manual gears of cars: Henderson and Velleman, Biometrics
#: 1981;37:391-411, R's data set ``mtcars``.
CARS = pd.DataFrame(
    [
        (21, 110, 2.62, 1), (21, 110, 2.875, 1), (22.8, 93, 2.32, 1), (21.4, 110, 3.215, 0),
        (18.7, 175, 3.44, 0), (18.1, 105, 3.46, 0), (14.3, 245, 3.57, 0), (24.4, 62, 3.19, 0),
        (22.8, 95, 3.15, 0), (19.2, 123, 3.44, 0), (17.8, 123, 3.44, 0), (16.4, 180, 4.07, 0),
        (17.3, 180, 3.73, 0), (15.2, 180, 3.78, 0), (10.4, 205, 5.25, 0), (10.4, 215, 5.424, 0),
        (14.7, 230, 5.345, 0), (32.4, 66, 2.2, 1), (30.4, 52, 1.615, 1), (33.9, 65, 1.835, 1),
        (21.5, 97, 2.465, 0), (15.5, 150, 3.52, 0), (15.2, 150, 3.435, 0), (13.3, 245, 3.84, 0),
        (19.2, 175, 3.845, 0), (27.3, 66, 1.935, 1), (26, 91, 2.14, 1), (30.4, 113, 1.513, 1),
        (15.8, 264, 3.17, 1), (19.7, 175, 2.77, 1), (15, 335, 3.57, 1), (21.4, 109, 2.78, 1),
    ],
    columns=["mpg", "hp", "wt", "am"],
)  # fmt: skip


@pytest.mark.parametrize(("other", "published"), [("am", -5.298), ("hp", 0.02785)])
def test_interactions_as_published(other, published):
    """Weight by gears, weight by power: rinterested.github.io, "Output of lm with interactions"."""
    centred = CARS - CARS.mean()
    data = centred.assign(mpg=CARS["mpg"], product=centred["wt"] * centred[other])
    terms = fit(data, "mpg", ["wt", other, "product"], 0.95).terms.set_index("term")
    assert terms.loc["product", "coefficient"] == pytest.approx(
        published, abs=6e-4 * abs(published)
    )


#: Body (kg) and brain (g): Rousseeuw and Leroy 1987, R's data set ``Animals``; last, dinosaurs.
ANIMALS = np.array(
    [
        (1.35, 8.1), (465, 423), (36.33, 119.5), (27.66, 115), (1.04, 5.5), (2547, 4603),
        (187.1, 419), (521, 655), (10, 115), (3.3, 25.6), (529, 680), (207, 406), (62, 1320),
        (6654, 5712), (6.8, 179), (35, 56), (0.12, 1), (0.023, 0.4), (2.5, 12.1), (55.5, 175),
        (100, 157), (52.16, 440), (0.28, 1.9), (0.122, 3), (192, 180),
        (11700, 50), (9400, 70), (87000, 154.5),
    ]
)  # fmt: skip


@pytest.mark.parametrize(("animals", "exponent"), [(28, 0.496), (25, 0.7523)])
def test_allometric_exponents_as_published(animals, exponent):
    """All: Verzani, UsingR, problem 3.30; no dinosaurs: bookdown.org/LabTeam, exercise 4."""
    data = pd.DataFrame(np.log(ANIMALS[:animals]), columns=["log_body", "log_brain"])
    found = fit(data, "log_brain", ["log_body"], 0.95).terms.iloc[0]
    assert found["coefficient"] == pytest.approx(exponent, abs=5e-4)


def test_interactions_find_what_is_there_and_not_what_is_not(study):
    table = interactions(study).set_index(["outcome", "term"])
    # the made-up measures have none: of six at 5 %, three false ones have a chance of 0.002
    assert (table["p"] < 0.05).sum() < 3
    assert (table["p_holm"] >= table["p"]).all()
    steeper = study.people.assign(
        psoas_csa_total_cm2=lambda people: (
            people["psoas_csa_total_cm2"] - 0.3 * people["age_years"] * (people["sex"] == "male")
        )
    )
    study.__dict__["people"] = steeper  # a cached property
    changed = interactions(study).set_index(["outcome", "term"]).loc[("csa", "age_male")]
    assert changed["low"] < -0.3 + table.loc[("csa", "age_male"), "coefficient"] < changed["high"]
    assert changed["p_holm"] < 0.001
    assert len(interactions_table(study, interactions(study)).text) == 6
