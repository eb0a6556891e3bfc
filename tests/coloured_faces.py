"""Images for tests, made in no time."""

import numpy as np

from lrfr_lightning.datasets import FaceDataset


class ColouredFaces(FaceDataset):
    """Random images, one base colour per identity."""

    def __init__(self, identities: int = 4, images: int = 8, side: int = 112) -> None:
        self.labels = np.repeat(np.arange(identities), images)
        self.identities = [f"person{i}" for i in range(identities)]
        self.side = side

    def image(self, index: int) -> np.ndarray:
        """Image ``index``."""
        rng = np.random.default_rng(index)
        noise = rng.integers(0, 64, (self.side, self.side, 3))
        colour = np.random.default_rng([9, self.labels[index]]).integers(0, 192, 3)
        return (noise + colour).astype(np.uint8)

    def describe(self, index: int) -> str:
        """Its number."""
        return f"drawn face {index}"
