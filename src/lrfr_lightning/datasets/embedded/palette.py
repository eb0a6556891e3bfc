"""The few colours embedded people share, RGB 0..255: colour alone must not name a person."""

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]
"""float64 ``(3,)``, RGB 0..255."""

SKIN = np.array(
    [
        (247, 213, 190),
        (231, 186, 152),
        (208, 156, 117),
        (168, 114, 82),
        (124, 83, 63),
    ],
    dtype=np.float64,
)
HAIR = np.array(
    [
        (44, 36, 38),
        (70, 49, 40),
        (112, 76, 50),
        (172, 94, 50),
        (214, 174, 110),
        (188, 183, 178),
    ],
    dtype=np.float64,
)
IRIS = np.array(
    [(62, 40, 28), (98, 62, 36), (134, 102, 52), (96, 126, 82), (86, 130, 168), (124, 138, 148)],
    dtype=np.float64,
)
FRAME = np.array(
    [(38, 36, 42), (96, 58, 36), (150, 110, 60), (132, 138, 146), (120, 40, 48)], float
)
CLOTH = np.array(
    [
        (196, 92, 74),
        (58, 84, 112),
        (224, 180, 96),
        (96, 128, 108),
        (236, 226, 210),
        (70, 62, 74),
        (150, 110, 140),
        (110, 160, 170),
    ],
    dtype=np.float64,
)
BACKDROP = np.array(
    [
        (232, 214, 190),
        (178, 196, 194),
        (120, 146, 160),
        (206, 170, 150),
        (150, 160, 130),
        (84, 92, 110),
        (226, 200, 120),
        (190, 180, 206),
        (70, 76, 72),
        (240, 234, 226),
    ],
    dtype=np.float64,
)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """``colour`` with a ``share`` (0..1) of ``other`` in it."""
    return colour + (other - colour) * share


def scaled(colour: Colour, factor: float) -> Colour:
    """``colour`` made brighter or darker, kept in 0..255."""
    return np.clip(colour * factor, 0, 255)
