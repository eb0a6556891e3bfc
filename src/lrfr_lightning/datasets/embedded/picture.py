"""The embedded faces at a glance."""

import numpy as np

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.utils.errors import DataError


def grid(dataset: EmbeddedFaces, rows: int, columns: int) -> Image:
    """The first ``rows`` people, one per row, with their first ``columns`` images.

    Returns:
        uint8 ``(rows * 112, columns * 112, 3)`` RGB.

    Raises:
        DataError: the data set has fewer people or fewer images of each.
    """
    each = dataset.population.images_per_identity
    if not (1 <= rows <= dataset.num_classes and 1 <= columns <= each):
        raise DataError(
            f"grid of {rows} people with {columns} images each: the data set has "
            f"{dataset.num_classes} people with {each}; ask for 1 up to that"
        )
    lines = [
        np.hstack([dataset.image(row * each + column) for column in range(columns)])
        for row in range(rows)
    ]
    return np.vstack(lines)
