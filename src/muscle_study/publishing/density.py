"""Density contours of two variables of many people, without single points."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from scipy import stats

#: Shares of the participants enclosed by the contours, far enough from the outermost people.
SHARES = (0.25, 0.5, 0.75, 0.9)

_STEPS = 120

#: Opacity of the fill, from the outermost contour inwards.
_OPACITIES = (0.08, 0.16, 0.26, 0.38)


def contours(
    axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, line: str | tuple = "-"
) -> pd.DataFrame:
    """Draw lines that enclose `SHARES` of the estimated density of points (x, y).

    Parameters
    ----------
    axes
        Axes to draw in.
    x, y
        Coordinates, shape (n,), both varying and not on one line.
    colour, line
        Colour and line style of the contours.

    Returns
    -------
    pandas.DataFrame
        Corners of the lines: ``share`` enclosed, ``line`` number within the share, ``x``, ``y``.
    """
    density = stats.gaussian_kde(np.vstack([x, y]))
    margin_x, margin_y = 0.3 * np.ptp(x), 0.3 * np.ptp(y)
    grid_x, grid_y = np.meshgrid(
        np.linspace(x.min() - margin_x, x.max() + margin_x, _STEPS),
        np.linspace(y.min() - margin_y, y.max() + margin_y, _STEPS),
    )
    height = density(np.vstack([grid_x.ravel(), grid_y.ravel()])).reshape(grid_x.shape)
    levels = levels_of(height)
    # the area beyond the outermost contour must not stretch the axes
    outside = height < levels[0] / 2
    columns, rows = ~outside.all(axis=0), ~outside.all(axis=1)
    grid = grid_x[rows][:, columns], grid_y[rows][:, columns], height[rows][:, columns]
    fills = [to_rgba(colour, opacity) for opacity in _OPACITIES]
    axes.contourf(*grid, [*levels, np.inf], colors=fills)
    lines = axes.contour(*grid, levels, colors=[colour], linewidths=0.7, linestyles=[line])
    return pd.concat(
        pd.DataFrame({"share": share, "line": number, "x": corners[:, 0], "y": corners[:, 1]})
        for share, segments in zip(sorted(SHARES, reverse=True), lines.allsegs, strict=True)
        for number, corners in enumerate(segments, start=1)
    )


def levels_of(height: np.ndarray) -> list[float]:
    """Return the densities, rising, above which `SHARES` of a regular grid's mass lie."""
    falling = np.sort(height.ravel())[::-1]
    mass = np.cumsum(falling) / falling.sum()
    return sorted(float(falling[np.searchsorted(mass, share)]) for share in SHARES)
