"""An interactive viewer of a participant's volumes and masks, without internet access."""

from pathlib import Path

import ipywidgets as widgets
from ipyniivue import MultiplanarType, NiiVue, ShowRender, SliceType
from matplotlib.colors import to_rgb

from muscle_study.checks.exploration.people import describe, read_people
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.paths import IMAGE_ENDING, RunPaths, image_file
from muscle_study.publishing.style import STRUCTURE_COLOURS

#: Folders of the label maps for overlays, by their names in the menu.
MASKS = {
    "segmentation": lambda paths: paths.segmentations,
    "reference": lambda paths: paths.curated / "labels",
    "other segmenter": lambda paths: paths.compared,
}

NO_MASK = "none"

#: Of the masks over the image.
OPACITY = 0.45


class Viewer(widgets.VBox):
    """Three planes and a rendering, with menus for participant, image and mask.

    Drag to move the crosshair, turn the wheel to change slices, drag in the rendering to turn it.

    Parameters
    ----------
    paths
        The run.
    participant
        First participant shown; None: the first in the table.

    Raises
    ------
    FileNotFoundError
        If the run has no curated participants.
    ValueError
        If `participant` is not among them.
    """

    def __init__(self, paths: RunPaths, participant: str | None = None):
        self.paths = paths
        lines = describe(read_people(paths))
        if participant is not None and participant not in lines:
            raise ValueError(
                f"participant {participant} is not in {paths.curated.name}/participants.csv; "
                "its first column names those who are"
            )
        first = participant or next(iter(lines))
        self.participant = widgets.Dropdown(
            options=[(line, name) for name, line in lines.items()],
            value=first,
            description="Participant",
            layout=widgets.Layout(width="34em"),
        )
        # curation keeps only participants with all contrasts, so any participant lists them all
        contrasts = sorted(path.stem for path in self._folder(first).glob(f"*{IMAGE_ENDING}"))
        self.contrast = widgets.Dropdown(options=contrasts, description="Image")
        self.mask = widgets.Dropdown(options=[*MASKS, NO_MASK], description="Mask")
        self.note = widgets.Label()
        self.niivue = NiiVue(
            height=640,
            slice_type=SliceType.MULTIPLANAR,
            multiplanar_layout=MultiplanarType.GRID,
            multiplanar_show_render=ShowRender.ALWAYS,
            is_radiological_convention=True,
        )
        menus = [self.participant, self.contrast, self.mask]
        for menu in menus:
            menu.observe(self._load, names="value")
        self._load()
        super().__init__([widgets.HBox(menus), self.note, self.niivue])

    def _folder(self, participant: str) -> Path:
        return self.paths.curated / "images" / participant

    def _load(self, _change: object = None) -> None:
        """Show the chosen image, and the mask if the participant has it."""
        name = self.participant.value
        image = image_file(self._folder(name), self.contrast.value)
        self.niivue.load_volumes([{"path": image, "colormap": "gray", "colorbar_visible": False}])
        self.note.value = ""
        if self.mask.value == NO_MASK:
            return
        mask = MASKS[self.mask.value](self.paths) / f"{name}.nii.gz"
        if mask.exists():
            self.niivue.add_volume({"path": mask, "opacity": OPACITY, "colorbar_visible": False})
            self.niivue.volumes[-1].set_colormap_label(label_colours())
        else:
            self.note.value = f"This participant has no {self.mask.value}."


def label_colours() -> dict[str, list]:
    """Return NiiVue's colour map of the label maps: the report's colours, clear background."""
    colours = [STRUCTURE_COLOURS[label.name.lower()] for label in STRUCTURES]
    red, green, blue = (
        [0, *(round(255 * channel) for channel in channels)]
        for channels in zip(*map(to_rgb, colours), strict=True)
    )
    return {
        "R": red,
        "G": green,
        "B": blue,
        "A": [0, *(255 for _ in STRUCTURES)],
        "I": [0, *map(int, STRUCTURES)],
        "labels": ["", *(label.name.lower().replace("_", ", ") for label in STRUCTURES)],
    }
