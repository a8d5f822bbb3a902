"""Pictures that earlier stages drew, and what stands where one may not be shown."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.style import ONE_COLUMN, TWO_COLUMNS, house_style, say_instead

#: A picture and its caption share a page.
MAX_HEIGHT_INCH = 7.9


def shown_image(image: np.ndarray) -> Figure:
    """Return a figure that is an image alone, as large as a page lets it be."""
    height, width = image.shape[:2]
    with house_style():
        shown = min(TWO_COLUMNS, MAX_HEIGHT_INCH * width / height)
        figure = plt.figure(figsize=(shown, shown * height / width))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(image, interpolation="antialiased")
        axes.set_axis_off()
    return figure


def withheld(name: str, caption: str) -> Picture:
    """Return what stands in place of a picture of real participants."""
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(ONE_COLUMN, 1.2))
        say_instead(axes, "withheld: the picture of a real participant")
    return Picture(figure, caption, name=name)
