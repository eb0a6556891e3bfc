"""The embedded faces as files in the layout of SCface."""

from pathlib import Path

import cv2
import numpy as np

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.datasets.embedded.native import native, write_image
from lrfr_lightning.datasets.scface import CAMERAS, DAY, DISTANCES, mugshot_name, probe_name
from lrfr_lightning.utils.errors import DataError

HEIGHTS = {1: (14, 22), 2: (24, 34), 3: (44, 60)}
"""Heights of a face at each distance, px."""


def write_scface_layout(dataset: EmbeddedFaces, root: str | Path, seed: int = 0) -> None:
    """Write mugshots, and probes of every person at every distance and camera, below ``root``.

    A person's first image is the mugshot, the others in turn are what the cameras see; those of
    night see in grey.

    Args:
        dataset: the faces, at least two of each person, 999 people at most.
        root: an existing folder.
        seed: draws the size of each face.

    Raises:
        DataError: there are more people than the names have numbers.
    """
    if dataset.num_classes > 999:
        raise DataError(f"SCface's names number 999 people at most, got {dataset.num_classes}")
    rng, each = np.random.default_rng(seed), dataset.population.images_per_identity
    for person in range(dataset.num_classes):
        start = person * each
        write_image(Path(root) / mugshot_name(person + 1), dataset.image(start))
        for distance in DISTANCES:
            for camera in CAMERAS:
                number = 1 + (distance * len(CAMERAS) + camera) % (each - 1)
                face = native(dataset.image(start + number), rng, *HEIGHTS[distance])
                path = Path(root) / probe_name(person + 1, distance, camera)
                write_image(path, face if camera in DAY else _by_night(face))


def _by_night(image: Image) -> Image:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))
