"""Size and reading time of curated images: uncompressed, gzipped, and by Blosc2."""

import os
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import nibabel as nib
import numpy as np
import pandas as pd

from benchmarks.participant import make_nako_participant
from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.imaging.volumes import Volume, load, open_mapped, save
from muscle_study.inference.segment import MARGIN_MM, Box, box_around
from muscle_study.protocol.paths import RunPaths, image_file
from muscle_study.publishing.result import Result

RUNS = 7
#: Edge of the small region, and of Blosc2's chunks and blocks, similar to nnU-Net v2's (voxels).
SMALL, CHUNK, BLOCK = 64, 64, 32
#: Least speed-up of reading the muscles' box, relative to .nii.gz.
LEAST_TIMES = 5.0

BYTES_PER_MB = 1e6
WHOLE: Box = (slice(None), slice(None), slice(None))

HEADS = (
    "Format",
    "MB",
    "Times .nii.gz",
    "Writing, s",
    "Whole, s",
    "Muscles' box, s",
    "Not cached, s",
    "Small box, s",
    "Muscles' box, times faster",
    "Not cached, times faster",
    "Small box, times faster",
)


class Format(ABC):
    """A file format for images."""

    name: str
    ending: str

    @abstractmethod
    def write(self, image: Volume, path: Path) -> None:
        """Store an image."""

    @abstractmethod
    def read(self, path: Path, box: Box) -> np.ndarray:
        """Return the voxels of a region, in memory."""


class Gzipped(Format):
    """Gzipped NIfTI, written and read by nibabel."""

    name, ending = ".nii.gz, nibabel", ".nii.gz"

    def write(self, image: Volume, path: Path) -> None:  # noqa: D102
        save(image, path)

    def read(self, path: Path, box: Box) -> np.ndarray:  # noqa: D102
        return np.array(nib.load(path).dataobj[box])


class Mapped(Format):
    """Uncompressed NIfTI, as curation writes and later stages read."""

    name, ending = ".nii, mapped (ours)", ".nii"

    def write(self, image: Volume, path: Path) -> None:  # noqa: D102
        save(image, path)

    def read(self, path: Path, box: Box) -> np.ndarray:  # noqa: D102
        return np.array(open_mapped(path).data[box])


class Blosc2(Format):
    """Compressed chunks (LZ4 over shuffled bits), which image viewers cannot open."""

    name, ending = "Blosc2, LZ4", ".b2nd"

    def write(self, image: Volume, path: Path) -> None:  # noqa: D102
        import blosc2

        settings = blosc2.CParams(
            codec=blosc2.Codec.LZ4, filters=[blosc2.Filter.BITSHUFFLE], nthreads=1
        )
        path.unlink(missing_ok=True)
        blosc2.asarray(
            np.ascontiguousarray(image.data),
            urlpath=str(path),
            chunks=(CHUNK,) * 3,
            blocks=(BLOCK,) * 3,
            cparams=settings,
        )

    def read(self, path: Path, box: Box) -> np.ndarray:  # noqa: D102
        import blosc2

        return blosc2.open(str(path), mmap_mode="r", dparams=blosc2.DParams(nthreads=1))[box]


FORMATS = (Gzipped(), Mapped(), Blosc2())


def compare(_run: str) -> list[Result]:
    """Measure all contrasts of a synthetic participant on the NAKO's grid."""
    participant = make_nako_participant(RunPaths("bench"))
    labels = load(participant.labels)
    muscles = box_around(labels, labels, MARGIN_MM)
    if muscles is None:
        raise RuntimeError(f"{participant.labels} holds no muscle")
    images = [load(file) for file in sorted(participant.images.iterdir())]
    with tempfile.TemporaryDirectory(dir=participant.images.parent) as folder:
        rows = [measured(each, images, Path(folder), muscles) for each in FORMATS]
    table = pd.DataFrame(rows)
    plain = table.iloc[0]
    table.insert(2, "times_bytes", table["mb"] / plain["mb"])
    for region in ("box", "box_not_cached", "small_box"):
        table[f"{region}_times_faster"] = plain[f"{region}_seconds"] / table[f"{region}_seconds"]
    ours = table.iloc[1]
    bars = [
        Bar("muscles' box, times faster", ours["box_times_faster"], least=LEAST_TIMES),
        Bar(
            "muscles' box not cached, times faster",
            ours["box_not_cached_times_faster"],
            least=LEAST_TIMES,
        ),
        Bar("small box, times faster", ours["small_box_times_faster"], least=LEAST_TIMES),
    ]
    share = np.prod([part.stop - part.start for part in muscles]) / labels.data.size
    return [
        comparison_table("storage", table, HEADS, caption(images, share)),
        bars_table("storage", bars),
    ]


def caption(images: Sequence[Volume], share: float) -> str:
    """Return the caption; `share` is the share of the muscles' box in the volume."""
    shape = " x ".join(map(str, images[0].data.shape))
    return (
        f"The {len(images)} images of one synthetic participant on the NAKO's grid, {shape} voxels "
        f"of {images[0].data.dtype}, on one thread: median of {RUNS} readings. Muscles' box: "
        f"box in which inference segments muscles, {share:.0%} of the volume. Not cached: the "
        "muscles' box after the operating system has dropped the file from memory, which depends "
        f"on the disk. Small box: {SMALL} x {SMALL} x {SMALL} voxels."
    )


def measured(way: Format, images: Sequence[Volume], folder: Path, muscles: Box) -> dict:
    """Store images in a format; return sizes and times."""
    paths = [image_file(folder, str(n)).with_suffix(way.ending) for n in range(len(images))]
    started = time.perf_counter()
    for image, path in zip(images, paths, strict=True):
        way.write(image, path)
    written = time.perf_counter() - started
    small = tuple(
        slice(middle - SMALL // 2, middle + SMALL // 2)
        for middle in ((part.start + part.stop) // 2 for part in muscles)
    )

    def seconds(box: Box, before: Callable[[Path], None] = lambda _: None) -> float:
        return median(_seconds(way, paths, box, before) for _ in range(RUNS))

    return {
        "format": way.name,
        "mb": sum(path.stat().st_size for path in paths) / BYTES_PER_MB,
        "writing_seconds": written,
        "whole_seconds": seconds(WHOLE),
        "box_seconds": seconds(muscles),
        "box_not_cached_seconds": seconds(muscles, forget),
        "small_box_seconds": seconds(small),
    }


def _seconds(way: Format, paths: Sequence[Path], box: Box, before: Callable[[Path], None]) -> float:
    total = 0.0
    for path in paths:
        before(path)
        started = time.perf_counter()
        way.read(path, box)
        total += time.perf_counter() - started
    return total


def forget(path: Path) -> None:
    """Drop a file's content from the cache of the operating system."""
    with path.open("rb") as content:
        os.fsync(content.fileno())
        os.posix_fadvise(content.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
