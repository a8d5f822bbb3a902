"""Pictures drawn by earlier stages, and the placeholder for a withheld one."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import ONE_COLUMN, TWO_COLUMNS, house_style, say_instead

#: Greatest height (inches) that leaves room for the caption on the page.
MAX_HEIGHT_INCH = 7.9


def shown_image(image: np.ndarray) -> Figure:
    """Return a figure that is only an image, as large as a page allows."""
    height, width = image.shape[:2]
    with house_style():
        shown = min(TWO_COLUMNS, MAX_HEIGHT_INCH * width / height)
        figure = plt.figure(figsize=(shown, shown * height / width))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(image, interpolation="antialiased")
        axes.set_axis_off()
    return figure


def withheld(name: str, caption: str) -> Result:
    """Return a placeholder for a picture of real participants."""
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(ONE_COLUMN, 1.2))
        say_instead(axes, "withheld: the picture of a real participant")
    return Result(name, figure=Picture(figure, caption))
