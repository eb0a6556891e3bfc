"""The hardest comparisons of a result, as pictures at the resolution the network saw."""

import io
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from lrfr_lightning.functional.image import Image
from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.utils.errors import DataError

KINDS = {"genuine": "lowest scores", "impostor": "highest scores"}
"""Which comparisons of a kind are the hardest."""

_LARGEST_SIDE, _LARGEST_FILE = 256, 400_000
_BROKEN = (KeyError, TypeError, ValueError, OSError, PillowImage.DecompressionBombError)


@dataclass(frozen=True)
class Picture:
    """One image of a comparison.

    Attributes:
        name: which image of the data set it is.
        png: the file.
        size: width and height, px.
    """

    name: str
    png: bytes
    size: tuple[int, int]


@dataclass(frozen=True)
class HardPair:
    """One of the hardest comparisons: its two images and their score."""

    score: float
    first: Picture
    second: Picture


def hardest(result: ProtocolResult, kind: str) -> list[HardPair]:
    """The hardest comparisons of a kind, in the order of the results file.

    Args:
        result: whose ``examples`` hold them.
        kind: ``genuine`` or ``impostor``.

    Raises:
        DataError: an example lacks something, or a picture is no PNG of at most 256x256 px.
    """
    try:
        return [_pair(example) for example in result.examples if example["kind"] == kind]
    except _BROKEN as error:
        raise DataError(
            f"{result.model} on {result.protocol}: expected examples with kind, score, names and "
            f"pictures as PNG of at most {_LARGEST_SIDE} px, got {type(error).__name__}: {error}; "
            "make the results file anew with lrfr evaluate"
        ) from None


def pairs_grid(pairs: Sequence[HardPair], side: int = 112) -> Image:
    """Pairs above each other, each image enlarged without smoothing, uint8 ``(n·side, 2·side, 3)``.

    Args:
        pairs: at least one.
        side: of each image in the grid, px.
    """
    rows = [np.hstack([_enlarged(p.first, side), _enlarged(p.second, side)]) for p in pairs]
    return np.vstack(rows)


def _pair(example: dict[str, Any]) -> HardPair:
    first, second = (
        _picture(example[side], example[f"{side}_png"]) for side in ("first", "second")
    )
    return HardPair(float(example["score"]), first, second)


def _picture(name: str, encoded: str) -> Picture:
    if len(encoded) > _LARGEST_FILE:
        raise ValueError(f"a picture of {len(encoded)} characters")
    png = b64decode(encoded, validate=True)
    with PillowImage.open(io.BytesIO(png), formats=("PNG",)) as image:
        size = image.size
    if max(size) > _LARGEST_SIDE:
        raise ValueError(f"a picture of {size[0]}x{size[1]} px")
    return Picture(str(name), png, size)


def _enlarged(picture: Picture, side: int) -> Image:
    with PillowImage.open(io.BytesIO(picture.png), formats=("PNG",)) as image:
        nearest = PillowImage.Resampling.NEAREST
        return np.asarray(image.convert("RGB").resize((side, side), nearest))
