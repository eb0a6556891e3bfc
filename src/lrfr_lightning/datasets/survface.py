"""QMUL-SurvFace: native surveillance faces, its verification and identification lists.

Source: Cheng, Zhu, Gong, "Surveillance Face Recognition Challenge", arXiv:1804.09691, 2018.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.listed import ListedImages, images_in
from lrfr_lightning.datasets.mat_lists import mat_names, mat_numbers
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.datasets.search import Templates, check_enrolled
from lrfr_lightning.functional.folds import stratified_folds
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import existing

VERIFICATION = "Face_Verification_Test_Set"
IDENTIFICATION = "Face_Identification_Test_Set"
IMAGES = "verification_images"
_KINDS = ("positive", "negative")


def read_verification(
    root: str, list_order: bool = False
) -> tuple[ListedImages, VerificationPairs]:
    """The verification set: positive pairs, then negative ones, in the order of the lists.

    Args:
        root: folder that holds ``Face_Verification_Test_Set/``.
        list_order: ten folds are tenths of the whole list, as in the slides' run: positive pairs
            alone or negative ones alone; by default each fold has both.

    Returns:
        All images; the pairs, with their people where the names of the images agree with the lists.

    Raises:
        DataError: root, lists or images are missing or malformed.
    """
    folder = existing(root, "QMUL-SurvFace root") / VERIFICATION
    kinds = [mat_names(folder / f"{k}_pairs_names.mat", f"{k}_pairs_names", 2) for k in _KINDS]
    same = np.repeat([True, False], [len(kind) for kind in kinds])
    names, position = np.unique(np.concatenate(kinds), return_inverse=True)
    first, second = position.reshape(-1, 2).T.astype(np.int64)
    fold = np.arange(len(same)) * 10 // len(same) if list_order else stratified_folds(same)
    images = ListedImages(folder / IMAGES, [str(name) for name in names])
    people = _people(names)
    pairs = VerificationPairs(first, second, same, fold)
    if people is None or ((people[first] == people[second]) != same).any():
        return images, pairs
    return images, replace(pairs, people=np.stack([people[first], people[second]], axis=1))


def _people(names: NDArray[np.str_]) -> NDArray[np.int32] | None:
    """The number that each name begins with, as the published ones do; None if one has none."""
    found = [re.match("[0-9]{1,9}(?=_)", name) for name in names]
    numbers = [int(match[0]) for match in found if match]
    return np.asarray(numbers, np.int32) if len(numbers) == len(names) else None


def read_identification(root: str) -> tuple[ListedImages, Templates, Templates]:
    """The open-set identification set.

    Args:
        root: folder that holds ``Face_Identification_Test_Set/``.

    Returns:
        All images; the gallery, one template per person of all the person's gallery images; the
        probes, one image each: mated ones in list order, then unmated ones by name.

    Raises:
        DataError: root, lists or images are missing or malformed, or a mated probe is of nobody in
            the gallery.
    """
    folder = existing(root, "QMUL-SurvFace root") / IDENTIFICATION
    gallery, people = read_people(folder, "gallery", "gallery")
    mated, wanted = read_people(folder, "mated_probe", "mated_probe")
    unmated = [f"unmated_probe/{name}" for name in images_in(folder / "unmated_probe")]
    check_enrolled(wanted, people)
    images = ListedImages(folder, [*gallery, *mated, *unmated])
    starts = np.cumsum([0, len(gallery), len(mated), len(unmated)])
    ranges = [np.arange(*bounds) for bounds in np.stack([starts[:-1], starts[1:]], axis=1)]
    probes = Templates.single(ranges[1], wanted).and_nobody(ranges[2])
    return images, Templates.per_person(ranges[0], people), probes


def read_people(
    folder: Path, part: str, key: str, file: str | None = None
) -> tuple[list[str], NDArray[np.int64]]:
    """A list ``<file>_img_ID_pairs.mat`` with ``<key>_set`` and ``<key>_ids``.

    Args:
        folder: where the list lies, and the folder ``part`` with its images.
        part: the folder of the images.
        key: how the variables' names begin.
        file: how the file's name begins, by default as the folder is called.

    Returns:
        ``part/name`` of each image, and the person in it, int64 ``(N,)``.

    Raises:
        DataError: the list is missing or malformed.
    """
    path = folder / f"{file or part}_img_ID_pairs.mat"
    names, people = mat_names(path, f"{key}_set")[:, 0], mat_numbers(path, f"{key}_ids")
    if len(names) != len(people):
        raise DataError(f"{path}: expected a number per name, got {len(people)} for {len(names)}")
    return [f"{part}/{name}" for name in names], people
