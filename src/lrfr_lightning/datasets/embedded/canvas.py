"""What the person is painted on: flat colour with antialiased edges, and soft shade above it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.embedded.geometry import Points
from lrfr_lightning.datasets.embedded.palette import Colour

SIZE = 112
"""Height and width of an image, px."""

_OVERSAMPLING = 2
_FRACTION_BITS = 4
_COARSE = 28
_SOFTNESS = (1.0, 3.2)
"""Standard deviations of fine and broad shade, px."""


class Canvas:
    """Premultiplied colour and cover at twice 112 px; all points are given in px of the image."""

    def __init__(self) -> None:
        size = SIZE * _OVERSAMPLING
        self._pixels = np.zeros((size, size, 4), dtype=np.uint8)
        self._shade = np.zeros((2, SIZE, SIZE), dtype=np.float32)
        self._blush = np.zeros((_COARSE, _COARSE), dtype=np.float32)

    def fill(self, outline: Points, colour: Colour) -> None:
        """Fill a closed outline ``(N, 2)``."""
        places = [_fixed(outline, _OVERSAMPLING)]
        cv2.fillPoly(self._pixels, places, _opaque(colour), cv2.LINE_AA, _FRACTION_BITS)

    def fill_all(self, outlines: Sequence[Points], colour: Colour) -> None:
        """Fill several closed outlines that do not overlap (where they do, they cancel out)."""
        places = [_fixed(outline, _OVERSAMPLING) for outline in outlines]
        cv2.fillPoly(self._pixels, places, _opaque(colour), cv2.LINE_AA, _FRACTION_BITS)

    def line(self, course: Points, colour: Colour, width: float, closed: bool = False) -> None:
        """Draw a line along ``course (N, 2)``, ``width`` in px of the image."""
        self.lines([course], colour, width, closed)

    def lines(
        self, courses: Sequence[Points], colour: Colour, width: float, closed: bool = False
    ) -> None:
        """Draw lines of one colour and width."""
        thick = max(1, round(width * _OVERSAMPLING))
        places = [_fixed(course, _OVERSAMPLING) for course in courses]
        pen = (_opaque(colour), thick, cv2.LINE_AA, _FRACTION_BITS)
        cv2.polylines(self._pixels, places, closed, *pen)

    def shade(self, outline: Points, amount: float, broad: bool = False) -> None:
        """Darken an area by ``amount`` (-1 lighter .. 1 black), with a soft edge."""
        layer = self._shade[int(broad)]
        cv2.fillPoly(layer, [_fixed(outline, 1)], amount, cv2.LINE_8, _FRACTION_BITS)

    def shade_line(self, course: Points, amount: float, width: int = 1) -> None:
        """Darken along a line, ``width`` in px, with a soft edge."""
        pen = (amount, width, cv2.LINE_8, _FRACTION_BITS)
        cv2.polylines(self._shade[0], [_fixed(course, 1)], False, *pen)

    def blush(self, outline: Points, amount: float) -> None:
        """Redden an area by ``amount`` 0..1, with a very soft edge."""
        place = _fixed(outline, 1) // (SIZE // _COARSE)
        cv2.fillPoly(self._blush, [place], amount, cv2.LINE_8, _FRACTION_BITS)

    def colour_and_cover(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Premultiplied colour ``(112, 112, 3)`` 0..255 and cover ``(112, 112)`` 0..1."""
        small = cv2.resize(self._pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        *colour, cover = cv2.split(small.astype(np.float32))
        return cv2.merge(colour), cover * np.float32(1 / 255)

    def redness(self) -> NDArray[np.float32]:
        """The blush with soft edges, float32 ``(112, 112)``."""
        soft = cv2.GaussianBlur(self._blush, (0, 0), 1.1)
        return np.asarray(cv2.resize(soft, (SIZE, SIZE)), dtype=np.float32)

    def darkness(self) -> NDArray[np.float32]:
        """The shade with soft edges, float32 ``(112, 112)``."""
        soft = [
            cv2.GaussianBlur(layer, (0, 0), sigma)
            for layer, sigma in zip(self._shade, _SOFTNESS, strict=True)
        ]
        return np.asarray(soft[0] + soft[1], dtype=np.float32)


def _fixed(places: Points, scale: int) -> NDArray[np.int32]:
    unit = 1 << _FRACTION_BITS
    return (places * (scale * unit) + (scale - 1) * (unit // 2)).astype(np.int32)


def _opaque(colour: Colour) -> tuple[float, float, float, float]:
    red, green, blue = colour.tolist()
    return red, green, blue, 255.0
