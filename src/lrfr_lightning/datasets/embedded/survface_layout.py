"""The embedded faces as files in the layout of QMUL-SurvFace."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.datasets.embedded.native import native, write_image
from lrfr_lightning.datasets.mat_lists import write_mat
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.datasets.survface import IDENTIFICATION, IMAGES, VERIFICATION


def write_survface_layout(
    dataset: EmbeddedFaces, root: str | Path, pairs: VerificationPairs, seed: int = 0
) -> None:
    """Write both test sets below ``root``; faces are 14 to 40 px high.

    Verification has the pairs. In identification the first half of the people is in the gallery
    with the first half of their images, the other half of these are mated probes; all images of the
    other people are unmated.

    Args:
        dataset: the faces, at least two of each person.
        root: an existing folder.
        pairs: pairs of them.
        seed: draws the size of each face.
    """
    rng, root = np.random.default_rng(seed), Path(root)
    faces = [native(dataset.image(index), rng) for index in range(len(dataset))]
    names = np.asarray([_name(dataset, index) for index in range(len(dataset))])
    folder = root / VERIFICATION
    for index in np.unique([pairs.first, pairs.second]):
        write_image(folder / IMAGES / names[index], faces[index])
    listed = names[np.stack([pairs.first, pairs.second], axis=1)]
    write_mat(folder / "positive_pairs_names.mat", positive_pairs_names=listed[pairs.same])
    write_mat(folder / "negative_pairs_names.mat", negative_pairs_names=listed[~pairs.same])
    folder = root / IDENTIFICATION
    for part, members in _parts(dataset).items():
        for index in members:
            write_image(folder / part / names[index], faces[index])
        if part != "unmated_probe":
            lists = {f"{part}_set": names[members], f"{part}_ids": dataset.labels[members] + 1}
            write_mat(folder / f"{part}_img_ID_pairs.mat", **lists)


def _parts(dataset: EmbeddedFaces) -> dict[str, NDArray[np.int64]]:
    each = dataset.population.images_per_identity
    number, enrolled = np.arange(len(dataset)) % each, dataset.labels < dataset.num_classes // 2
    early = number < each // 2
    return {
        "gallery": np.flatnonzero(enrolled & early),
        "mated_probe": np.flatnonzero(enrolled & ~early),
        "unmated_probe": np.flatnonzero(~enrolled),
    }


def _name(dataset: EmbeddedFaces, index: int) -> str:
    person, number = divmod(index, dataset.population.images_per_identity)
    return f"{person + 1}_cam{number % 3 + 1}_{number + 1}.jpg"
