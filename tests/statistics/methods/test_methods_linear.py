"""Linear regression with HC3 errors, and its diagnostics."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.datasets import longley
from statsmodels.stats.outliers_influence import variance_inflation_factor

from muscle_study.protocol.paths import ROOT
from muscle_study.statistics.methods.comparisons import several_groups
from muscle_study.statistics.methods.linear import diagnose, fit, robust_terms
from muscle_study.statistics.study.groups import Grouping

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))

# NIST StRD, certified values of Longley (J Am Stat Assoc 1967;62:819-841)
LONGLEY = {
    "GNPDEFL": 15.0618722713733,
    "GNP": -0.0358191792925910,
    "UNEMP": -2.02022980381683,
    "ARMED": -1.03322686717359,
    "POP": -0.0511041056535807,
    "YEAR": 1829.15146461355,
}


def test_longley_as_nist_certifies_it():
    found = fit(longley.load_pandas().data, "TOTEMP", list(LONGLEY), 0.95)
    for name, value in zip(LONGLEY, found.terms["coefficient"], strict=True):
        assert value == pytest.approx(LONGLEY[name], rel=1e-6)
    assert found.r2 == pytest.approx(0.995479004577296, rel=1e-9)
    assert found.n == 16


def test_errors_are_hc3():
    """MacKinnon and White (J Econom 1985;29:305-325): residuals divided by 1 - leverage."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=40)
    y = 2 * x + generator.normal(size=40) * (1 + x**2)
    found = fit(pd.DataFrame({"x": x, "y": y}), "y", ["x"], 0.95)
    X = np.column_stack([np.ones(40), x])
    bread = np.linalg.inv(X.T @ X)
    leverage = np.einsum("ij,jk,ik->i", X, bread, X)
    residual = (y - X @ (bread @ X.T @ y)) / (1 - leverage)
    error = np.sqrt((bread @ (X.T * residual**2) @ X @ bread)[1, 1])
    term = found.terms.iloc[0]
    # the interval's half width is the error times Student's 97.5 % point on 38 degrees
    assert (term["high"] - term["low"]) / 2 == pytest.approx(2.024394 * error, rel=1e-6)


def test_standardised_coefficients():
    # one covariate: the standardised slope is the correlation; a 0/1 covariate is left alone
    generator = np.random.default_rng(1)
    data = pd.DataFrame({"x": generator.normal(5, 3, 50), "male": np.repeat([0.0, 1.0], 25)})
    data["y"] = 0.4 * data["x"] + 3 * data["male"] + generator.normal(size=50)
    slope = fit(data, "y", ["x"], 0.95).terms.iloc[0]
    assert slope["standardised"] == pytest.approx(data["x"].corr(data["y"]))
    step = fit(data, "y", ["male"], 0.95).terms.iloc[0]
    assert step["standardised"] == pytest.approx(step["coefficient"] / data["y"].std())


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"y": [1.0, 2.0], "x": [1.0, 2.0]}),
        pd.DataFrame({"y": np.arange(9.0), "x": np.ones(9)}),
        pd.DataFrame({"y": np.arange(9.0), "x": [np.nan] * 8 + [1.0]}),
        # one participant alone determines the slope: its leverage is 1
        pd.DataFrame({"y": [1.0, 2, 1, 3, 2, 5], "x": [0.0, 0, 0, 0, 0, 1]}),
    ],
    ids=["too few", "constant", "missing", "leverage"],
)
def test_what_cannot_be_estimated(data):
    assert fit(data, "y", ["x"], 0.95) is None


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


@pytest.mark.skipif(not (REAL / "tables").is_dir(), reason=f"no real tables in {REAL}")
def test_real_people_with_missing_values():
    """NHANES: lean mass stands in for a muscle; incomplete rows are left out and counted."""
    people = pd.read_csv(REAL / "tables" / "nhanes_2011_2018_dxa.csv")
    adults = people[people["age_screen_yr"].between(20, 59)].rename(
        columns={"age_screen_yr": "age_years", "bmi_kgm2": "bmi_kg_m2"}
    )
    adults["male"] = (adults["gender"] == "Male").astype(float)
    found = fit(adults, "lean_kg", ["age_years", "bmi_kg_m2", "male"], 0.95)
    complete = adults[["lean_kg", "age_years", "bmi_kg_m2"]].notna().all(axis=1)
    assert found.n == complete.sum()
    assert found.incomplete == (~complete).sum() > 0
    slopes = found.terms.set_index("term")
    assert slopes.loc["male", "low"] > 10  # kg
    assert slopes.loc["bmi_kg_m2", "low"] > 0
    men = adults[(adults["gender"] == "Male") & complete]
    groups = Grouping("bmi", "bmi_kg_m2", (18.5, 25, 30), 0.1).assign(men["bmi_kg_m2"])
    assert 0.2 < several_groups(men["lean_kg"], groups, 0.95)["eta_squared"] < 0.7


def test_errors_clustered_by_hand():
    """Liang and Zeger (1986) with the small-sample factor G/(G-1) · (n-1)/(n-k), t on G-1."""
    rng = np.random.default_rng(4)
    centre = pd.Series(np.repeat(list("abcdefgh"), 25), name="centre")
    rows = pd.DataFrame(rng.normal(0, 1, (200, 4)), columns=["outcome", "x", "y", "z"])
    rows["outcome"] += centre.map(dict(zip("abcdefgh", rng.normal(0, 1, 8), strict=True)))
    frame = pd.DataFrame({"Intercept": 1.0, **rows[["x", "y", "z"]]})
    design = frame.to_numpy()
    bread = np.linalg.inv(design.T @ design)
    slopes = bread @ design.T @ rows["outcome"]
    scores = design * (rows["outcome"] - design @ slopes).to_numpy()[:, None]
    sums = pd.DataFrame(scores).groupby(centre).sum().to_numpy()
    covariance = 8 / 7 * 199 / 196 * bread @ sums.T @ sums @ bread
    half = stats.t.ppf(0.975, 7) * np.sqrt(np.diag(covariance))[1:]
    terms = robust_terms(rows["outcome"], frame, 0.95, clusters=centre)
    np.testing.assert_allclose(terms, np.column_stack([slopes[1:], slopes[1:] - half,
                                                       slopes[1:] + half]), rtol=1e-9)  # fmt: skip
