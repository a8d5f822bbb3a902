import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import longley

from muscle_study.protocol.paths import ROOT
from muscle_study.statistics.analyses.muscle_size.regression import (
    coefficients,
    fit,
    fit_all,
    regression_table,
)
from muscle_study.statistics.methods.comparisons import several_groups
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


def test_models_of_a_run(study):
    table = coefficients(fit_all(study))
    assert len(table) == 14
    pooled = table[(table["outcome"] == "csa") & (table["sex"] == "both")].set_index("term")
    # what the made-up measures were drawn with: -0.06 a year, 0.25 per kg/m²
    for term, true in (("age", -0.06), ("bmi", 0.25), ("sex", 13.4)):
        assert pooled.loc[term, "low"] < true < pooled.loc[term, "high"]
    text = regression_table(study, table).text
    assert text["Outcome"].tolist().count("") == 12


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
    assert slopes.loc["sex", "low"] > 10  # kg
    assert slopes.loc["bmi", "low"] > 0
    men = adults[(adults["gender"] == "Male") & complete]
    groups = Grouping("bmi", "bmi_kg_m2", (18.5, 25, 30), 0.1).assign(men["bmi_kg_m2"])
    assert 0.2 < several_groups(men["lean_kg"], groups, 0.95)["eta_squared"] < 0.7
