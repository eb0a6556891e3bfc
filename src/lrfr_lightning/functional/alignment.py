"""Faces brought to one place by five landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.image import Image

ARCFACE_TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Eyes, nose and corners of the mouth in an aligned face of 112x112 px; x, y in px."""

SIDE = 112
"""Of an aligned face, px."""


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rotation, scale and shift that bring points onto others with the least squared distance.

    Without reflection the problem is linear in ``(s cos, s sin, shift)``, and its solution that of
    Umeyama, "Least-squares estimation of transformation parameters", TPAMI 1991.

    Args:
        source: float ``(N, 2)``, x and y, at least two different points.
        target: float ``(N, 2)``.

    Returns:
        float64 ``(2, 3)``, to be applied to ``(x, y, 1)``.
    """
    x, y = np.asarray(source, np.float64).T
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    wanted = np.asarray(target, np.float64).T.ravel()
    (a, b, right, down), *_ = np.linalg.lstsq(rows, wanted, rcond=None)
    return np.array([[a, -b, right], [b, a, down]])


def resolution(landmarks: NDArray[np.floating]) -> float:
    """Side of the square in the image that becomes the aligned face of 112x112, px."""
    (a, _, _), (b, _, _) = similarity(landmarks, ARCFACE_TEMPLATE)
    return SIDE / max(float(np.hypot(a, b)), 1e-9)


def align(
    image: Image,
    landmarks: NDArray[np.floating],
    margin: float = 0.0,
    antialias: bool = False,
) -> Image:
    """The face of five landmarks as an aligned one, bilinear, black outside the image.

    Args:
        image: uint8 ``(H, W, 3)``.
        landmarks: float ``(5, 2)``, x and y in px: eyes, nose, corners of the mouth, the left one
            in the image first.
        margin: by what share of its side each edge of the aligned square moves outwards, 0 or
            more; the 112 px then show ``1 + 2 margin`` sides.
        antialias: average pixels where the square has twice the 112 px and more; the field's
            scripts do not, and skip some.

    Returns:
        uint8 ``(112, 112, 3)``.
    """
    middle = (SIDE - 1) / 2
    # without a margin the template itself, to the last bit
    template = ARCFACE_TEMPLATE + (middle - ARCFACE_TEMPLATE) * (2 * margin / (1 + 2 * margin))
    factor = int(resolution(landmarks) * (1 + 2 * margin) / SIDE)
    if antialias and factor > 1:
        image = _averaged(image, factor)
        landmarks = (landmarks + 0.5) / factor - 0.5
    transform = similarity(landmarks, template)
    return np.asarray(cv2.warpAffine(image, transform, (SIDE, SIDE), flags=cv2.INTER_LINEAR))


def _averaged(image: Image, factor: int) -> Image:
    """Squares of ``factor`` px become one; what is left at the right and below goes."""
    height, width = (max(1, side // factor) for side in image.shape[:2])
    whole = image[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))
