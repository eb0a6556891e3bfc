import numpy as np

from lrfr_lightning.datasets.base import FaceDataset


class DrawnFaces(FaceDataset):
    """Random images in memory, two per identity; nothing of it is stored encoded."""

    def __init__(self, identities, side=8):
        self.identities = identities
        self.labels = np.repeat(np.arange(len(identities)), 2)
        shape = (len(self.labels), side, side, 3)
        self.pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    def image(self, index):
        return self.pixels[index]

    def describe(self, index):
        return f"drawn face {index}"
