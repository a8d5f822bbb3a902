"""Thresholds above which a scan is flagged."""

from pydantic import Field

from muscle_study.protocol.sections import NotNegative, Section, Share


class QualityParameters(Section):
    """Quality scores above which a scan is flagged (one: below which); it is not excluded.

    `null` flags nobody. The values of the files were chosen on a synthetic cohort (`make
    curation-check` tries them on another); look at the distribution in `quality.csv` before using
    them on scans of another kind.
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
        description="Largest signal void at the spine or a hip, as metal causes, mL"
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
