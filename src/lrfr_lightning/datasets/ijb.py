"""IJB-B and IJB-C with the lists that InsightFace publishes: faces, templates, pairs, galleries.

Source: Whitelam et al., "IARPA Janus Benchmark-B Face Dataset", CVPRW 2017; Maze et al., "IARPA
Janus Benchmark - C", ICB 2018.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.listed import ListedImages
from lrfr_lightning.functional.alignment import align
from lrfr_lightning.utils.errors import DataError, first_few
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.reading import read_lines

if TYPE_CHECKING:
    from pandas import DataFrame

Benchmark = Literal["ijbb", "ijbc"]

_LARGEST = 2**53  # numbers beyond are none: NaN and infinity are not below either

GALLERIES = {"ijbb": ("S1", "S2"), "ijbc": ("G1", "G2")}


class IJBImages(ListedImages):
    """The loose crops, aligned by their five landmarks when they are read.

    Args:
        folder: ``loose_crop``.
        names: name of each image.
        landmarks: float ``(N, 5, 2)``, px.

    Raises:
        DataError: images are missing.
    """

    def __init__(self, folder: Path, names: Sequence[str], landmarks: NDArray[np.float64]) -> None:
        super().__init__(folder, names)
        self.landmarks = landmarks

    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(112, 112, 3)`` RGB."""
        return align(super().image(index), self.landmarks[index])


@dataclass(frozen=True)
class IJBFaces:
    """All faces of a benchmark.

    Attributes:
        images: the aligned faces.
        template: int64 ``(N,)``, number of the template that each belongs to, as published.
        media: int64 ``(N,)``, the photograph or video it is from.
        score: float64 ``(N,)``, the detector's confidence, 0..1.
    """

    images: IJBImages
    template: NDArray[np.int64]
    media: NDArray[np.int64]
    score: NDArray[np.float64]


def read_faces(root: str, benchmark: Benchmark) -> IJBFaces:
    """``meta/<benchmark>_face_tid_mid.txt`` and ``meta/<benchmark>_name_5pts_score.txt``.

    The former has lines ``image template media``, the latter ``image x1 y1 ... x5 y5 score``, both
    in one order.

    Args:
        root: folder that holds ``meta/`` and ``loose_crop/``.
        benchmark: ``ijbb`` or ``ijbc``.

    Raises:
        DataError: root, lists or images are missing or malformed, or the lists name other images.
    """
    folder = existing(root, f"{benchmark} root")
    meta = folder / "meta"
    names, grouped = _named(meta / f"{benchmark}_face_tid_mid.txt", 3, np.int64)
    others, points = _named(meta / f"{benchmark}_name_5pts_score.txt", 12, np.float64)
    if names != others:
        raise DataError(
            f"{meta}: expected both lists to name the same images in one order, got {len(names)} "
            f"and {len(others)}, of which {len(set(names) ^ set(others))} are in one list only"
        )
    images = IJBImages(folder / "loose_crop", names, points[:, :10].reshape(-1, 5, 2))
    template, media = grouped.T
    return IJBFaces(images, template, media, points[:, 10])


def read_pairs(
    root: str, benchmark: Benchmark
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """``meta/<benchmark>_template_pair_label.txt``: lines ``template template 1|0``.

    Returns:
        The first and the second template's number, int64 ``(N,)``, and whether both are of one
        person, bool ``(N,)``.

    Raises:
        DataError: the list is missing or malformed.
    """
    path = existing(root, f"{benchmark} root") / "meta" / f"{benchmark}_template_pair_label.txt"
    first, second, label = _numbers(path, _table(path, 3, sep=" ", header=None), np.int64).T
    return first, second, label == 1


def read_search(root: str, benchmark: Benchmark, part: str) -> dict[int, int]:
    """``meta/<benchmark>_1N_<part>.csv``: its first columns are template and person.

    The other columns, one line per image, are passed over: the template's images are those of
    ``face_tid_mid``.

    Args:
        root: folder that holds ``meta/``.
        benchmark: ``ijbb`` or ``ijbc``.
        part: ``gallery_G1``, ``gallery_G2`` (IJB-B: ``S1``, ``S2``) or ``probe_mixed``.

    Returns:
        The person of each template, templates in the order of the list.

    Raises:
        DataError: the list is missing or malformed.
    """
    path = existing(root, f"{benchmark} root") / "meta" / f"{benchmark}_1N_{part}.csv"
    table = _table(path, 2, sep=",", header=0, usecols=[0, 1])
    template, person = _numbers(path, table, np.int64).T
    return dict(zip(template.tolist(), person.tolist(), strict=True))


def known_templates(wanted: NDArray[np.int64], faces: IJBFaces) -> None:
    """Refuse templates without a face.

    Raises:
        DataError: there are some; the message has their number and the first five.
    """
    unknown = np.setdiff1d(wanted, faces.template)
    if len(unknown):
        raise DataError(
            f"{len(unknown)} of {len(np.unique(wanted))} templates have no face in face_tid_mid: "
            f"{first_few([str(number) for number in unknown])}"
        )


def _named(path: Path, columns: int, dtype: type) -> tuple[list[str], NDArray[Any]]:
    """A list of lines ``name number number ...``."""
    table = _table(path, columns, sep=" ", header=None, dtype={0: str})
    if table[0].isna().any():
        raise DataError(
            f"{path}: expected a name in every line, got {table[0].isna().sum()} without"
        )
    return table[0].tolist(), _numbers(path, table.iloc[:, 1:], dtype)


def _table(path: Path, columns: int, **options: Any) -> "DataFrame":
    import pandas as pd  # takes half a second

    # pandas makes as many columns as the first line has, and fills them up in all others
    lines = read_lines(existing(path, "list"), "list")
    first = next((line for line in lines if line.strip()), "")
    found = len(first.split(options["sep"]))
    if first and found != columns and not ("usecols" in options and found > columns):
        raise DataError(f"{path}: expected {columns} columns, got {found}")
    try:
        table: DataFrame = pd.read_csv(path, quoting=csv.QUOTE_NONE, **options)
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    return table


def _numbers(path: Path, table: "DataFrame", dtype: type) -> NDArray[Any]:
    """A table's columns, which have to be numbers; whole ones for an integer ``dtype``."""
    kinds = "i" if dtype is np.int64 else "if"
    wrong = [column for column in table if table[column].dtype.kind not in kinds]
    values = table.to_numpy()
    if wrong or not ((values >= -_LARGEST) & (values <= _LARGEST)).all():
        what = "whole numbers" if kinds == "i" else "numbers"
        raise DataError(f"{path}: expected {what}, one in every column; got others in {wrong}")
    return table.to_numpy(dtype)
