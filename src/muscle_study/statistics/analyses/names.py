"""The names of the numbers that the manuscript's text may use."""

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.statistics.analyses.extensions import measurement_error
from muscle_study.statistics.analyses.segmentation.quality import has_truth, read_quality
from muscle_study.statistics.study.measures import OUTCOMES
from muscle_study.statistics.study.study import Study

_PEOPLE = ("men", "women")


def _over(*parts: tuple[str, ...]) -> list[str]:
    """Return every combination of the parts, joined."""
    names = [""]
    for part in parts:
        names = [name + piece for name in names for piece in part]
    return names


#: Every name that the text may use in any run.
NAMES = [
    *_over(("study.",), ("run", "kind", "psoas", "segmenter", "segmentation")),
    *_over(
        ("population.",),
        ("source", "curated", "measured", "excluded", "men", "women", "exclusion_percent"),
    ),
    *_over(("population.",), ("age_", "bmi_"), ("mean_", "sd_"), _PEOPLE),
    *_over(("split.",), ("train", "validation", "test")),
    *_over(
        ("settings.",),
        (
            "spacing",
            "network_spacing",
            "localiser_spacing",
            "patch",
            "max_epochs",
            "batch",
            "learning_rate",
            "channels",
            "augmentation",
            "min_predicted_dice",
            "min_muscle",
            "seed",
            "confidence",
            "min_cell",
            "rounding",
        ),
    ),
    *_over(
        ("model.",),
        ("localiser_parameters", "parameters", "best_epoch", "validation_dice", "minutes"),
    ),
    *_over(("dice.",), MUSCLES, ("", "_sd")),
    *_over(("hd95.", "asd."), MUSCLES),
    *_over(
        tuple(OUTCOMES),
        (".mean_", ".sd_", ".age_p_", ".age_eta_", ".peak_age_", ".bmi_p_", ".bmi_eta_", ".bmi_d_"),
        _PEOPLE,
    ),
    *_over(tuple(OUTCOMES), (".sex_d", ".sex_p")),
    *_over(("regression.",), tuple(OUTCOMES), (".age", ".bmi", ".sex"), ("", "_ci", "_p")),
    *_over(("regression.",), tuple(OUTCOMES), (".r2",)),
    *_over(("correlation.weight_",), _PEOPLE, ("", "_ci")),
    *_over(("diagnostics.largest_",), ("vif", "skewness", "shift")),
    *_over(("interaction.",), tuple(OUTCOMES), (".age_male_p", ".bmi_male_p", ".age_bmi_p")),
    *_over(("claims.",), ("judged", "held")),
    "nonlinearity.knots",
    *_over(("nonlinearity.",), tuple(OUTCOMES), (".age_p_", ".bmi_p_"), _PEOPLE),
    *_over(("allometry.",), tuple(OUTCOMES), (".height", ".weight"), ("_exponent",), ("", "_ci")),
    *_over(("allometry.",), tuple(OUTCOMES), (".sex_percent_",), ("none", "height")),
    *_over(("sensitivity.",), ("analyses", "coefficients", "agreeing")),
    *_over(("centiles.",), ("age_largest_miss", "body_largest_miss", "checked", "covered")),
    *_over(("published.",), tuple(OUTCOMES), ("_mean_", "_sd_"), _PEOPLE),
    *_over(("published.",), ("dice_psoas", "dice_gluteus", "participants")),
]

#: Names that only a run has whose inference predicted Dice.
PREDICTED_NAMES = [
    *_over(("predicted.",), ("structures", "failures", "threshold", "auc", "auc_ci")),
    *_over(("predicted.",), ("correlation_", "bias_"), MUSCLES),
]

#: Names that only a run with known truth has.
TRUTH_NAMES = [
    "agreement.participants",
    *_over(("agreement.",), tuple(OUTCOMES), ("_loa", "_icc")),
    *_over(("agreement.",), tuple(OUTCOMES), ("_bias",), ("", "_men", "_women"), ("", "_ci")),
    *_over(("recovery.",), ("coefficients", "covered", "covered_imaged", "median_percent")),
    "recovery.missed",
    *_over(("corrected.",), ("estimates", "covered", "nearer")),
]

#: Names that only a run has that knows true or reference sizes of enough participants.
CORRECTED_NAMES = [
    *_over(("corrected.",), ("people", "error_tests", "error_tests_rejected")),
    *_over(("corrected.",), tuple(OUTCOMES), (".age", ".bmi", ".sex"), ("", "_ci")),
]

#: Names that only a run has whose segmentation is compared with another one.
COMPARED_NAMES = [
    *_over(("compared.",), ("segmenter", "participants")),
    *_over(("compared.",), tuple(OUTCOMES), ("_bias", "_loa", "_icc")),
    *_over(("compared.dice_",), MUSCLES),
]

#: Names that only a run with simulated measurements has.
SIMULATED_NAMES = [
    *_over(("population.",), ("imaged", "simulated")),
    *_over(("population.imaged_",), _PEOPLE),
    *_over(("simulation.",), ("nearest",)),
    *_over(("simulation.donors_",), _PEOPLE),
    *_over(("imaged.",), tuple(OUTCOMES), (".mean_", ".sd_"), _PEOPLE),
    *_over(("imaged.correlation.weight_",), _PEOPLE, ("", "_ci")),
]


def expected_names(study: Study) -> set[str]:
    """Return the names that the run's numbers must have."""
    return {
        *NAMES,
        *(PREDICTED_NAMES if read_quality(study)["predicted_dice"].notna().any() else []),
        *(TRUTH_NAMES if has_truth(study) else []),
        *(CORRECTED_NAMES if measurement_error.is_here(study) else []),
        *(COMPARED_NAMES if (study.paths.measurements / "comparison.csv").exists() else []),
        *(SIMULATED_NAMES if study.has_simulated else []),
    }
