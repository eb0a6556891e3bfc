"""The embedded faces as files in the layout of TinyFace."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.datasets.embedded.native import native, write_image
from lrfr_lightning.datasets.mat_lists import write_mat
from lrfr_lightning.datasets.tinyface import TESTING


def write_tinyface_layout(dataset: EmbeddedFaces, root: str | Path, seed: int = 0) -> None:
    """Write ``Testing_Set/`` below ``root``; faces are 14 to 40 px high.

    Of the first two thirds of the people, the first half of their images are probes and the others
    matches; all images of the last third are distractors.

    Args:
        dataset: the faces, at least two of each person.
        root: an existing folder.
        seed: draws the size of each face.
    """
    rng, folder = np.random.default_rng(seed), Path(root) / TESTING
    for part, members in _parts(dataset).items():
        names = np.asarray([f"{dataset.labels[i] + 1}_{i + 1}.jpg" for i in members])
        for name, index in zip(names, members, strict=True):
            write_image(folder / part / name, native(dataset.image(int(index)), rng))
        people = dataset.labels[members] + 1
        if part == "Probe":
            write_mat(folder / "probe_img_ID_pairs.mat", probe_set=names, probe_ids=people)
        elif part == "Gallery_Match":
            path = folder / "gallery_match_img_ID_pairs.mat"
            write_mat(path, gallery_set=names, gallery_ids=people)


def _parts(dataset: EmbeddedFaces) -> dict[str, NDArray[np.int64]]:
    each = dataset.population.images_per_identity
    known = dataset.labels < dataset.num_classes * 2 // 3
    early = np.arange(len(dataset)) % each < each // 2
    return {
        "Probe": np.flatnonzero(known & early),
        "Gallery_Match": np.flatnonzero(known & ~early),
        "Gallery_Distractor": np.flatnonzero(~known),
    }
