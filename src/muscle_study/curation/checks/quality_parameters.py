"""Thresholds of the quality scores."""

from pydantic import Field

from muscle_study.protocol.sections import NotNegative, Section, Share


class QualityParameters(Section):
    """Thresholds of the quality scores; scans beyond a threshold are flagged, not excluded.

    `least_extent_share` is a lower limit, the others are upper limits; `null`: none. The values in
    `params/` were chosen on a synthetic cohort (`make curation-check` tests them on another);
    inspect the distribution in `quality.csv` before using them on other scans.
    """

    most_noise: NotNegative | None = Field(
        description="Standard deviation of noise in air (Henkelman 1985), share of the body's "
        "median signal"
    )
    most_ghosting: NotNegative | None = Field(
        description="Signal in air in front of and behind the body beyond noise (ghost-to-signal "
        "ratio, Giannelli 2010), worst twentieth of the slices, share of the body's median signal"
    )
    most_motion: NotNegative | None = Field(
        description="Blur of the skin from front to back: share of its edge outside the steepest "
        "step, 0 (sharp) to 1"
    )
    most_void_ml: NotNegative | None = Field(
        description="Largest signal void at the spine or a hip, typical of metal, mL"
    )
    most_intensity: NotNegative | None = Field(
        description="99.9th centile of the signal, multiple of the body's median signal"
    )
    most_disagreement: NotNegative | None = Field(
        description="Mean of |in phase − (W + F)| and |opposed phase − |W − F||, share of the "
        "body's signal"
    )
    least_extent_share: Share | None = Field(
        description="Field of view along each axis, share of the participants' median"
    )
