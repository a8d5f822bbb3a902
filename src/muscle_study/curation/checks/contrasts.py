"""Consistency of Dixon contrasts, and correction of mislabelled ones.

In phase is water + fat, opposed phase is their difference (Dixon, Radiology 1984;153:189-194).
The two equations do not distinguish water from fat: see `dixon`.
"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np

from muscle_study.curation.checks.body import body_mask, thinned
from muscle_study.imaging.volumes import Volume

DIXON = ("water", "fat", "in_phase", "opposed_phase")

#: Largest residual of the equations, as a share of the signal. Two-point methods neglect the decay
#: between the echoes, about 6 % (exp(-1.23 ms / 20 ms)); mislabelled contrasts leave a third and
#: more in the synthetic cohort.
TOLERANCE = 0.1


def disagreement(images: Mapping[str, Volume]) -> float:
    """Return the residual of the equations as a share of the body's signal.

    NaN where one of the four contrasts is missing.
    """
    if not images.keys() >= set(DIXON):
        return np.nan
    return _off(_signals(images), DIXON)


def tell_contrasts(images: Mapping[str, Volume]) -> tuple[dict[str, Volume], str | None]:
    """Rename contrasts where the equations hold under other names only.

    Parameters
    ----------
    images
        Contrasts on one RAS grid.

    Returns
    -------
    images : dict
        Renamed, or unchanged where the equations hold under the given names or none.
    evidence : str or None
        Renamed contrasts and reason.
    """
    if not images.keys() >= set(DIXON):
        return dict(images), None
    signals = _signals(images)
    named = _off(signals, DIXON)
    if named <= TOLERANCE:
        return dict(images), None
    # water and fat are interchangeable: of the two orders, take the one that keeps more names
    orders = sorted(permutations(DIXON), key=lambda order: -sum(map(str.__eq__, order, DIXON)))
    best = min(orders, key=lambda order: round(_off(signals, order), 6))
    told = _off(signals, best)
    if told > TOLERANCE:
        return dict(images), None
    renamed = {name: images[under] for name, under in zip(DIXON, best, strict=True)}
    wrong = [f"{name} lay under {under}" for name, under in zip(DIXON, best, strict=True)
             if name != under]  # fmt: skip
    evidence = (
        f"{', '.join(wrong)}: in phase − (W + F) and opposed − |W − F| were off by {named:.0%} of "
        f"the signal, and are by {told:.1%}"
    )
    return {**images, **renamed}, evidence


def _signals(images: Mapping[str, Volume]) -> dict[str, np.ndarray]:
    """Return a sample of the body's voxels, where the brightest contrast has signal."""
    thin = {name: thinned(images[name]).data.astype(np.float32) for name in DIXON}
    body = body_mask(np.max(list(thin.values()), axis=0))
    return {name: data[body] for name, data in thin.items()}


def _off(signals: Mapping[str, np.ndarray], order: tuple[str, ...]) -> float:
    water, fat, in_phase, opposed = (signals[name] for name in order)
    if not water.size:
        return np.inf
    off = abs(in_phase - water - fat).mean() + abs(opposed - abs(water - fat)).mean()
    return float(off / np.max(list(signals.values()), axis=0).mean())
