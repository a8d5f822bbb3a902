"""Reference values of the demo, with tolerances for other machines."""

import re
from dataclasses import dataclass

from muscle_study.checks.chain import Checked, VerificationError, read_manifests
from muscle_study.protocol.files import read_json, write_json
from muscle_study.protocol.paths import REFERENCE, RunPaths
from muscle_study.publishing.numbers import Number, read_numbers


@dataclass(frozen=True)
class Rule:
    """Tolerance for numbers of one kind.

    Parameters
    ----------
    names
        Regular expression that matches whole names.
    absolute, relative
        Largest difference; the larger of the two applies. Both zero: the same value.
    why
        Reason for the tolerance.
    """

    names: str
    absolute: float
    relative: float
    why: str

    def allows(self, value: float, reference: float) -> bool:
        """Return whether a value is within tolerance of its reference."""
        return abs(value - reference) <= max(self.absolute, self.relative * abs(reference))


FLOATING_POINT = 1e-6
ROUNDING = (
    "the same weights are not to be had on another machine: its rounding grows over a training"
)

#: The first rule with a matching pattern applies. Numbers without a rule are not compared: p-values
#: span orders of magnitude (their estimates are compared); extremes, counted verdicts and times.
RULES = (
    Rule(
        r"(settings|split|published|simulation)\..*|population\.(source|curated|men|women|simulated)"
        r"|model\.(localiser_)?parameters|predicted\.(structures|threshold)|nonlinearity\.knots"
        r"|(claims\.judged|centiles\.checked|recovery\.coefficients|corrected\.estimates)"
        r"|sensitivity\.(analyses|coefficients)",
        0,
        0,
        "drawn by seed, counted or set: no rounding in it",
    ),
    Rule(
        r"population\.(age|bmi)_.*",
        0,
        FLOATING_POINT,
        "means of drawn covariates: sums in another order",
    ),
    Rule(r"dice\..*|model\.validation_dice", 0.01, 0, ROUNDING),
    Rule(r"(hd95|asd)\..*", 0.5, 0, f"{ROUNDING}; mm, a seventh of a voxel's edge"),
    Rule(r"(imaged\.)?(csa|gluteus)\.mean_.*", 0, 0.015, ROUNDING),
    Rule(r"(imaged\.)?(csa|gluteus)\.sd_.*", 0, 0.05, ROUNDING),
    Rule(r"(imaged\.)?correlation\..*", 0.02, 0, ROUNDING),
    Rule(r"(regression|corrected)\.(csa|gluteus)\.(age|bmi|sex)", 0, 0.05, ROUNDING),
    Rule(r"(csa|gluteus)\.(sex|bmi)_d.*", 0, 0.05, ROUNDING),
    Rule(r"allometry\..*_exponent", 0.05, 0, ROUNDING),
    Rule(r"regression\..*\.r2", 0.02, 0, ROUNDING),
    Rule(r"agreement\.csa_bias", 0.7, 0, f"{ROUNDING}; cm², 2 % of the mean"),
    Rule(r"agreement\.gluteus_bias", 60, 0, f"{ROUNDING}; mL, 2 % of the mean"),
    Rule(r"agreement\..*_icc", 0.02, 0, ROUNDING),
    Rule(r"population\.(measured|imaged.*|excluded)", 2, 0, f"{ROUNDING}; who has too little"),
    Rule(r"population\.exclusion_percent", 1.7, 0, f"{ROUNDING}; two of 120"),
)


def rule_of(name: str) -> Rule | None:
    """Return the rule that matches a number's name; None if it is not compared."""
    return next((rule for rule in RULES if re.fullmatch(rule.names, name)), None)


def write_reference(run: str) -> str:
    """Write a finished run's numbers as reference values; return the file.

    Raises
    ------
    VerificationError
        If the run has not finished.
    """
    paths = RunPaths(run)
    manifest = read_manifests(paths)["statistics"]
    values = {
        name: number.value for name, number in read_numbers(paths.numbers).items()
        if number.value is not None and rule_of(name)
    }  # fmt: skip
    path = REFERENCE / f"{run}.json"
    about = {key: manifest[key] for key in ("commit", "machine", "packages")}
    write_json({**about, "values": values}, path)
    return f"{len(values)} reference values of {run}: {path}"


def check_reference(paths: RunPaths) -> Checked:
    """Compare a run's numbers with the committed ones of the same run, each by its rule."""
    path = REFERENCE / f"{paths.run}.json"
    if not path.exists():
        return Checked(notes=[f"no reference values for the run {paths.run}: not compared"])
    numbers = read_numbers(paths.numbers)
    reference = read_json(path)
    checked = Checked(files=len(reference["values"]))
    same = sum(
        name in numbers and numbers[name].value == value
        for name, value in reference["values"].items()
    )
    checked.notes.append(f"{same} are the same to the last digit")
    for name, value in reference["values"].items():
        rule = rule_of(name)
        if rule is None:
            raise VerificationError(
                f"{path}: no rule says how {name} is compared. Write the file again: "
                f"python -m muscle_study reference --run {paths.run}"
            )
        checked.problems += _off(name, value, numbers.get(name), rule)
    return checked


def _off(name: str, value: float, number: Number | None, rule: Rule) -> list[str]:
    if number is None or number.value is None:
        return [f"{name}: not in the run, reference {value:g}"]
    if rule.allows(number.value, value):
        return []
    allowed = max(rule.absolute, rule.relative * abs(value))
    return [f"{name}: {number.value:g}, reference {value:g} ± {allowed:g} ({rule.why})"]
