"""Faces of five coloured dots, and a detector that knows nothing else."""

from typing import Any

import cv2
import numpy as np

from lrfr_lightning.preprocessing import Detection, Detector

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255)]


def draw_dots(landmarks: np.ndarray, height: int, width: int, radius: int = 3) -> np.ndarray:
    """A grey image with a dot at each landmark."""
    image = np.full((height, width, 3), 128, np.uint8)
    for (x, y), colour in zip(landmarks, COLOURS, strict=True):
        cv2.circle(image, (round(x), round(y)), radius, colour, -1)
    return image


class Dots(Detector):
    """Finds the five dots if they are far enough apart."""

    name = "dots"
    longest_side = 400

    def __init__(self, least: float = 12) -> None:
        self.least = least
        self.seen: list[tuple[int, ...]] = []

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Mean place of each colour."""
        self.seen.append(image.shape)
        places = []
        for colour in COLOURS:
            y, x = np.nonzero((np.abs(image.astype(int) - colour) < 60).all(axis=2))
            if len(x) == 0:
                return []
            places.append((x.mean(), y.mean()))
        landmarks = np.array(places, np.float32)
        if np.linalg.norm(landmarks[0] - landmarks[1]) < self.least:
            return []
        (left, top), (right, bottom) = landmarks.min(0), landmarks.max(0)
        return [Detection((left, top, right, bottom), 0.9, landmarks)]

    def settings(self) -> dict[str, Any]:
        """Least distance of the eyes."""
        return {"least": self.least}


class Fixed(Detector):
    """Always finds the same."""

    name, longest_side = "fixed", 400

    def __init__(self, *found: Detection) -> None:
        self.found = list(found)

    def detect(self, image: np.ndarray) -> list[Detection]:
        """What it was given."""
        return self.found

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}
