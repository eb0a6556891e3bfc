"""Every layout that is known; the first that lies at a path is what it is taken for.

A data set is added here with a :class:`~lrfr_lightning.datasets.inspection.Layout`.
"""

from pathlib import Path

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.bin_file import BinImages
from lrfr_lightning.datasets.encoded import EncodedFaces
from lrfr_lightning.datasets.image_folder import ImageFolder
from lrfr_lightning.datasets.inspection.benchmarks import BENCHMARKS
from lrfr_lightning.datasets.inspection.inventory import Inventory, Layout
from lrfr_lightning.datasets.inspection.lfw import is_lfw, take_lfw
from lrfr_lightning.datasets.parquet import ParquetFaces
from lrfr_lightning.datasets.recordio import RecordIO
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import existing


def recognise(path: str | Path) -> Layout:
    """The layout of a data set.

    Raises:
        DataError: nothing lies there, or none of the layouts that are known.
    """
    root = existing(path, "data set")
    for layout in LAYOUTS:
        if layout.lies_at(root):
            return layout
    raise DataError(
        f"{root} has none of the layouts {', '.join(layout.name for layout in LAYOUTS)}; "
        "give the folder that holds a data set's own folders and lists"
    )


def _take_bin(path: Path) -> Inventory:
    images = BinImages(path)
    counts = {
        "images": 2 * len(images.same),
        "different images": len(images),
        "pairs": len(images.same),
        "genuine pairs": int(images.same.sum()),
    }
    return Inventory(images, found=counts)


def _take_training(faces: EncodedFaces) -> Inventory:
    return Inventory(faces, people=_people(faces), found=_counts(faces))


def _people(faces: FaceDataset) -> list[str]:
    return [faces.identities[label] for label in faces.labels]


def _counts(faces: FaceDataset) -> dict[str, int]:
    return {"images": len(faces), "people": faces.num_classes}


LAYOUTS = [
    Layout("LFW", is_lfw, take_lfw),
    *BENCHMARKS,
    Layout(".bin verification set", lambda path: path.suffix == ".bin", _take_bin),
    Layout(
        "InsightFace RecordIO",
        lambda path: (path / "train.rec").exists(),
        lambda path: _take_training(RecordIO(path)),
    ),
    Layout(
        "Parquet",
        lambda path: path.suffix == ".parquet" or any(path.glob("*.parquet")),
        lambda path: _take_training(ParquetFaces(path)),
    ),
    Layout(
        "folder per person",
        lambda path: path.is_dir() and any(entry.is_dir() for entry in path.iterdir()),
        lambda path: _take_training(ImageFolder(path)),
    ),
]
"""In the order in which they are tried."""
