"""Comparison of a drawn population with the published figures and findings."""

import numpy as np
import pandas as pd

from muscle_study.cohort.population.coefficients import FAT_AGE_YEARS, SEXES
from muscle_study.cohort.population.targets import targets

#: Column of each published quantity and factor to the published unit.
COLUMNS = {
    "age": ("age_years", 1.0),
    "height": ("height_cm", 1.0),
    "bmi": ("bmi_kg_m2", 1.0),
    "csa": ("psoas_csa_total_cm2", 1.0),
    "gluteus": ("gluteus_volume_total_ml", 0.001),
    "psoas_fat": ("psoas_fat_fraction", 100.0),
    "gluteus_fat": ("gluteus_fat_fraction", 100.0),
}

#: Columns of the outcomes; group limits in the paper's abstract.
OUTCOMES = {"csa": "psoas_csa_total_cm2", "gluteus": "gluteus_volume_total_ml"}
AGE_EDGES_YEARS, BMI_EDGE_KG_M2 = (30, 60), 25.0

#: Least r of a "strong correlation" (our assumption).
STRONG_R = 0.6


def marginals(population: pd.DataFrame) -> pd.DataFrame:
    """Compare the published figures with a population of `draw_participants` and `draw_muscles`.

    Columns: ``quantity``, ``sex``, ``statistic``, ``unit``, ``n``, ``value``, ``target``,
    ``difference_percent`` (relative to the target) and ``source``.
    """
    published = targets().reset_index()
    published = published[published["quantity"].isin([*COLUMNS, *_SHARES])]
    rows = []
    for row in published.to_dict("records"):
        sex = row["sex"]
        people = population if sex == "both" else population[population["sex"] == sex]
        value = _statistic(people, row["quantity"], row["statistic"])
        rows.append(
            {
                **{key: row[key] for key in ("quantity", "sex", "statistic", "unit")},
                "n": len(people),
                "value": value,
                "target": row["value"],
                "difference_percent": 100 * (value / row["value"] - 1),
                "source": row["source"],
            }
        )
    return pd.DataFrame(rows)


_SHARES = {
    "male": lambda people: people["sex"] == "male",
    "overweight": lambda people: people["bmi_kg_m2"].between(25, 30, inclusive="left"),
    "obese": lambda people: people["bmi_kg_m2"] >= 30,
}

_STATISTICS = {
    "mean": pd.Series.mean,
    "sd": pd.Series.std,
    "median": pd.Series.median,
    "q1": lambda values: values.quantile(0.25),
    "q3": lambda values: values.quantile(0.75),
    "minimum": pd.Series.min,
    "maximum": pd.Series.max,
}


def _statistic(people: pd.DataFrame, quantity: str, statistic: str) -> float:
    if quantity in _SHARES:
        return 100 * _SHARES[quantity](people).mean()
    column, factor = COLUMNS[quantity]
    values = people[column] * factor
    if statistic == "fall":
        return _fall(people["age_years"], values)
    if statistic.startswith("mean_"):
        young = people["age_years"] < FAT_AGE_YEARS
        return values[young if "below" in statistic else ~young].mean()
    return _STATISTICS[statistic](values)


def _fall(age_years: pd.Series, values: pd.Series) -> float:
    """Return the decrease of the regression line from the youngest to the oldest age."""
    slope = np.polyfit(age_years, values, 1)[0]
    return -slope * (age_years.max() - age_years.min())


def findings(population: pd.DataFrame) -> pd.DataFrame:
    """Return for each finding of the paper's abstract whether the population reproduces it.

    Columns: ``finding``, ``sex``, ``outcome``, ``figures`` (means by group, or r) and ``holds``.
    """
    rows = []
    for outcome, column in OUTCOMES.items():
        by_sex = population.groupby("sex")[column].mean()
        rows.append(("higher in men", "both", outcome, by_sex, by_sex["male"] > by_sex["female"]))
        for sex in ("both", *SEXES):
            people = population if sex == "both" else population[population["sex"] == sex]
            rows += [_age_finding(people, sex, outcome), _bmi_finding(people, sex, outcome)]
    for sex in SEXES:
        people = population[population["sex"] == sex]
        r = people[OUTCOMES["gluteus"]].corr(people["weight_kg"])
        rows.append(
            ("correlates strongly with weight", sex, "gluteus", pd.Series({"r": r}), r >= STRONG_R)
        )
    table = pd.DataFrame(rows, columns=["finding", "sex", "outcome", "figures", "holds"])
    return table.assign(
        figures=[
            ", ".join(f"{group}: {value:.4g}" for group, value in figures.items())
            for figures in table["figures"]
        ]
    )


def _age_finding(people: pd.DataFrame, sex: str, outcome: str) -> tuple:
    labels = ["<30", "30–59", "≥60"]
    groups = pd.cut(
        people["age_years"], [-np.inf, *AGE_EDGES_YEARS, np.inf], right=False, labels=labels
    )
    means = people.groupby(groups, observed=False)[OUTCOMES[outcome]].mean()
    highest = {"csa": "<30", "gluteus": "30–59"}[outcome]
    return f"highest at {highest} years", sex, outcome, means, means.idxmax() == highest


def _bmi_finding(people: pd.DataFrame, sex: str, outcome: str) -> tuple:
    heavy = people["bmi_kg_m2"] > BMI_EDGE_KG_M2
    groups = heavy.map({True: ">25", False: "≤25"})
    means = people.groupby(groups)[OUTCOMES[outcome]].mean()
    return "higher above 25 kg/m²", sex, outcome, means, means[">25"] > means["≤25"]
