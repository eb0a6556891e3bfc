"""The hardest comparisons of a verification result, with the pictures the network saw.

Each is ``{"kind": "genuine" | "impostor", "score": cosine, "first": name, "second": name,
"first_png": ..., "second_png": ...}``. A picture is a PNG (base64) at the resolution of its side,
before it was enlarged for the network; native images are shown as the network saw them.
"""

import base64
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.verification import Flags, Scores


def hardest_pairs(scores: Scores, same: Flags, count: int) -> list[int]:
    """Genuine pairs of the lowest and then impostor pairs of the highest scores, hardest first.

    Of equal scores the pair that stands first in the list comes first.
    """
    genuine, impostor = np.flatnonzero(same), np.flatnonzero(~same)
    low = genuine[np.argsort(scores[genuine], kind="stable")[:count]]
    high = impostor[np.argsort(-scores[impostor], kind="stable")[:count]]
    return [int(pair) for pair in (*low, *high)]


def pair_examples(
    scores: Scores,
    same: Flags,
    count: int,
    names: Callable[[int], list[str]],
    pictures: Callable[[int], list[Image]],
) -> list[dict[str, Any]]:
    """Up to ``count`` genuine and ``count`` impostor pairs.

    Args:
        scores: float ``(N,)``.
        same: bool ``(N,)``.
        count: of each kind, at least 0.
        names: what a pair's two images are called.
        pictures: a pair's two images, uint8 ``(H, W, 3)`` RGB.
    """
    return [
        {
            "kind": "genuine" if same[pair] else "impostor",
            "score": round(float(scores[pair]), 6),
            **dict(zip(("first", "second"), names(pair), strict=True)),
            **dict(zip(("first_png", "second_png"), map(png, pictures(pair)), strict=True)),
        }
        for pair in hardest_pairs(scores, same, count)
    ]


def png(image: Image) -> str:
    """A uint8 ``(H, W, 3)`` RGB image as PNG, base64."""
    _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return base64.b64encode(data.tobytes()).decode()
