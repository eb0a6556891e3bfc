"""What every source of training images looks like to the rest of the library."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.image import Image as Image


class ImageSource(ABC):
    """Face images, read by position."""

    @abstractmethod
    def __len__(self) -> int:
        """How many images there are."""

    @abstractmethod
    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(H, W, 3)`` RGB.

        Raises:
            DataError: the image cannot be read or decoded; the message names it.
        """

    @abstractmethod
    def describe(self, index: int) -> str:
        """Where image ``index`` comes from, for error messages."""

    def name(self, index: int) -> str:
        """What image ``index`` is called within its data set, on every machine alike.

        Paired tests know by it whether two models were measured on the same images: a source whose
        description holds a path has to say the part below the data set's folder.
        """
        return self.describe(index)

    def person(self, index: int) -> str | None:
        """The name of the person on image ``index``; None where the source does not say."""
        return None


class FaceDataset(ImageSource):
    """Labelled face images, a source to train on.

    Attributes:
        labels: int64 ``(N,)``, the identity of each image, 0..num_classes-1.
        identities: the name of each identity; ``identities[labels[i]]`` names image ``i``.
    """

    labels: NDArray[np.int64]
    identities: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def person(self, index: int) -> str:
        """The name of the person on image ``index``."""
        return self.identities[int(self.labels[index])]

    @property
    def num_classes(self) -> int:
        """How many identities the data set has."""
        return len(self.identities)
