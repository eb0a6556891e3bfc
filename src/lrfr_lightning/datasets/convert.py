"""From any source of training images to any of the forms they are kept in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.encoded import image_suffix, positions, stored_bytes
from lrfr_lightning.datasets.new_folder import new_folder
from lrfr_lightning.datasets.parquet import write_parquet
from lrfr_lightning.datasets.recordio import write_recordio
from lrfr_lightning.utils.errors import ConfigError, DataError, first_few

Form = Literal["recordio", "parquet", "folder"]
"""How training images are kept: InsightFace's RecordIO, Parquet, or a folder per identity."""


@dataclass(frozen=True)
class Converted:
    """What a conversion has written.

    Attributes:
        images: how many images.
        identities: how many identities.
    """

    images: int
    identities: int


def convert(source: FaceDataset, target: str | Path, form: Form) -> Converted:
    """Write ``source`` in another form; ``target`` appears when it is whole.

    Stored image bytes are kept, except that RecordIO makes everything JPEG. Labels stay the same;
    names of identities stay in Parquet and folders, RecordIO knows only numbers.

    Args:
        source: images and labels.
        target: a new or empty folder.
        form: ``"recordio"``, ``"parquet"`` or ``"folder"``.

    Raises:
        ConfigError: ``form`` is none of these, or pyarrow is missing for ``"parquet"``.
        DataError: the target has files in it, or the source has no or damaged images.
        DiskError: the disk cannot hold it.
    """
    if form == "recordio":
        write_recordio(source, target)
    elif form == "parquet":
        write_parquet(source, target)
    elif form == "folder":
        write_folder(source, target)
    else:
        raise ConfigError(f"expected the form recordio, parquet or folder, got {form!r}")
    return Converted(len(source), source.num_classes)


def write_folder(dataset: FaceDataset, folder: str | Path) -> None:
    """Write a folder per identity, named like it, with files named by position in the data set.

    The folder appears when it is whole. Stored bytes are kept in any encoding; images that are
    not stored encoded become JPEG of quality 95.

    Raises:
        DataError: the folder has files in it, there are no images, one is in no known encoding,
            or the name of an identity cannot be that of a folder.
    """
    _check_names(dataset.identities)
    rows = positions(dataset, "write folders")
    with new_folder(folder) as partial:
        for identity in dataset.identities:
            (partial / identity).mkdir()
        for i in rows:
            data = stored_bytes(dataset, i)
            suffix = image_suffix(data)
            if suffix is None:
                raise DataError(f"{dataset.describe(i)} is no JPEG, PNG, BMP or WebP; remove it")
            name = dataset.identities[dataset.labels[i]]
            (partial / name / f"{i:08d}{suffix}").write_bytes(data)


def _check_names(names: list[str]) -> None:
    bad = [name for name in names if not _is_folder_name(name)]
    if bad:
        raise DataError(
            f"{len(bad)} names of identities cannot name a folder: {first_few(bad)}; "
            "expected names without slash, not starting with a dot, up to 255 bytes; "
            "convert to Parquet instead"
        )


def _is_folder_name(name: str) -> bool:
    if not name or name.startswith(".") or len(name.encode(errors="surrogateescape")) > 255:
        return False
    return not any(character in name for character in "/\\\0")
