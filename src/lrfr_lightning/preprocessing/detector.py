"""What a face detector is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.image import Image


@dataclass(frozen=True)
class Detection:
    """A face found in an image.

    Attributes:
        box: left, top, right, bottom, px; it may reach beyond the image.
        score: the detector's own confidence, 0..1.
        landmarks: float32 ``(5, 2)``, x and y in px of the image: eyes, nose, corners of the mouth,
            the left one in the image first.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float32]

    @property
    def area(self) -> float:
        """Area of the box, px²."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    def scaled(self, x: float, y: float) -> "Detection":
        """The same face in the image resized by the factors ``x`` and ``y``.

        Pixel centres lie at whole numbers in landmarks; the edges of the box are edges of pixels.
        """
        left, top, right, bottom = self.box
        landmarks = (self.landmarks + 0.5) * np.array([x, y], np.float32) - 0.5
        return Detection((left * x, top * y, right * x, bottom * y), self.score, landmarks)


class Detector(ABC):
    """Finds faces and five landmarks.

    The network is opened at the first use, as ``_network``, and left behind when the detector is
    pickled: worker processes open their own.

    Attributes:
        name: what it is called on the command line.
        longest_side: px; the images it is given should be no larger.
    """

    name: str
    longest_side: int

    @abstractmethod
    def detect(self, image: Image) -> list[Detection]:
        """All faces in an image.

        Args:
            image: uint8 ``(H, W, 3)`` RGB, of any size.
        """

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What the detections depend on, as plain data."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_network"}
