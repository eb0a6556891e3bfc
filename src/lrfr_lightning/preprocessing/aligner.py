"""One photograph to one aligned face, or the reason why there is none."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from lrfr_lightning.functional.alignment import SIDE, align, resolution
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import BICUBIC, resize
from lrfr_lightning.preprocessing.detector import Detection, Detector
from lrfr_lightning.utils.errors import ConfigError

Face = Literal["largest", "centre"]
"""Which of several faces: the one with the largest box, or nearest to the image's centre."""

TooSmall = Literal["fail", "whole", "upscale"]
"""What to do where no face is found."""

Outcome = Literal["aligned", "upscaled", "whole", "failed"]
"""Found; found in the enlarged picture; taken as a whole; no crop."""

ENLARGED = 3
"""How many times larger the picture is that ``upscale`` looks at, at most."""


@dataclass(frozen=True)
class Alignment:
    """What became of a photograph.

    Attributes:
        crop: uint8 ``(112, 112, 3)`` RGB; None where it failed.
        outcome: see :data:`Outcome`.
        reason: why there is no crop, or none by landmarks; empty where a face was found at once.
        detection: the face, in px of the photograph; None for ``whole`` and ``failed``.
    """

    crop: Image | None
    outcome: Outcome
    reason: str = ""
    detection: Detection | None = None

    @property
    def resolution(self) -> float | None:
        """Side of the aligned square without margin in the photograph, px; None without a face."""
        return resolution(self.detection.landmarks) if self.detection else None


class FaceAligner:
    """Detects a face and brings its landmarks to the ArcFace template.

    Photographs with a side above the detector's ``longest_side`` are shrunk for detection only.
    Where no face is found, ``too_small`` decides: ``fail`` gives none; ``upscale`` looks again in
    the picture enlarged 3 times (less where a side would pass twice ``longest_side``), and fails
    if that does not help; ``whole`` takes the whole image as the face, resized to 112x112.

    Args:
        detector: such as :class:`~lrfr_lightning.preprocessing.MTCNN`.
        face: which of several faces.
        margin: by what share of its side each edge of the aligned square moves outwards, 0..1; the
            crop of 112 px then shows ``1 + 2 margin`` sides. Recognisers expect 0.
        too_small: what to do where no face is found.

    Raises:
        ConfigError: an argument lies outside its range.
    """

    def __init__(
        self,
        detector: Detector,
        face: Face = "largest",
        margin: float = 0.0,
        too_small: TooSmall = "fail",
    ) -> None:
        if not 0 <= margin <= 1:
            raise ConfigError(f"margin: expected a share of the side, 0..1, got {margin}")
        _check_choice("face", face, Face)
        _check_choice("too_small", too_small, TooSmall)
        self.detector, self.face = detector, face
        self.margin, self.too_small = float(margin), too_small

    def __call__(self, image: Image) -> Alignment:
        """Align one photograph.

        Args:
            image: uint8 ``(H, W, 3)`` RGB.

        Raises:
            ValueError: the array is no such image.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"expected uint8 (H, W, 3), got {image.dtype} {image.shape}")
        bound = self.detector.longest_side / max(image.shape[:2])
        found = self._find(image, min(1, bound))
        if found:
            return self._aligned(image, found, "aligned", "")
        if self.too_small == "whole":
            return Alignment(resize(image, SIDE, SIDE, BICUBIC), "whole", "no face found")
        if self.too_small == "fail":
            return Alignment(None, "failed", "no face found")
        factor = min(ENLARGED, 2 * bound)
        found = self._find(image, factor)
        if found:
            return self._aligned(image, found, "upscaled", f"found at {factor:.3g} times the size")
        return Alignment(None, "failed", f"no face found, nor at {factor:.3g} times the size")

    def settings(self) -> dict[str, Any]:
        """What the crops depend on, as plain data."""
        return {
            "detector": {"name": self.detector.name, **self.detector.settings()},
            "face": self.face,
            "margin": self.margin,
            "too_small": self.too_small,
        }

    def _aligned(self, image: Image, face: Detection, outcome: Outcome, reason: str) -> Alignment:
        crop = align(image, face.landmarks, self.margin, antialias=True)
        return Alignment(crop, outcome, reason, face)

    def _find(self, image: Image, factor: float) -> Detection | None:
        """The face wanted, in px of the image, looked for at ``factor`` times its size."""
        height, width = image.shape[:2]
        rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
        seen = resize(image, rows, columns, BICUBIC)
        x, y = width / seen.shape[1], height / seen.shape[0]
        faces = [face.scaled(x, y) for face in self.detector.detect(seen)]
        faces = [face for face in faces if _usable(face)]
        if not faces:
            return None
        if self.face == "largest":
            return max(faces, key=lambda face: face.area)
        return min(faces, key=lambda face: _distance(face, width / 2, height / 2))


def _usable(face: Detection) -> bool:
    """Whether the landmarks are points of a face and not all in one place."""
    apart = np.linalg.norm(face.landmarks[0] - face.landmarks[1])
    return bool(np.isfinite(face.landmarks).all() and apart >= 1)


def _distance(face: Detection, x: float, y: float) -> float:
    """From the centre of the box to a point, px."""
    left, top, right, bottom = face.box
    return float(np.hypot((left + right) / 2 - x, (top + bottom) / 2 - y))


def _check_choice(name: str, value: str, choices: Any) -> None:
    if value not in get_args(choices):
        raise ConfigError(f"{name}: expected one of {', '.join(get_args(choices))}, got {value!r}")
