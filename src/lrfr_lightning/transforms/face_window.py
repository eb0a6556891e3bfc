"""An augmentation that albumentations lacks: all but a window of the face is taken away."""

from typing import Any

import numpy as np
from albumentations.core.transforms_interface import ImageOnlyTransform

from lrfr_lightning.functional.image import Image

GREY = 127
"""The fill of half of the images; the others get a grey level at random."""


class FaceWindow(ImageOnlyTransform):  # type: ignore[misc]
    """Fill everything outside a random window with one grey level (ours).

    Hair, background and clothes tell photographs of one session from others, and a network learns
    them if it may. In YAML: ``FaceWindow: {p: 0.3}``.

    Args:
        border: widest border that is filled on each side, as a share of the image, 0..0.5; each
            side draws its own width.
        p: probability.
    """

    def __init__(self, border: float = 0.27, p: float = 0.5) -> None:
        if not 0 <= border <= 0.5:
            raise ValueError(f"border: expected a share of 0..0.5, got {border}")
        super().__init__(p=p)
        self.border = border

    def get_params(self) -> dict[str, Any]:
        """Border widths as shares of the image, and the fill."""
        draws = self.random_generator
        fill = GREY if draws.random() < 0.5 else int(draws.integers(256))
        return {"borders": draws.uniform(0, self.border, 4), "fill": fill}

    def apply(self, img: Image, borders: Any, fill: int, **_: Any) -> Image:
        """uint8 ``(H, W, 3)`` in and out."""
        height, width = img.shape[:2]
        top, bottom = (int(share * height) for share in borders[:2])
        left, right = (int(share * width) for share in borders[2:])
        filled = np.full_like(img, fill)
        window = np.s_[top : height - bottom, left : width - right]
        filled[window] = img[window]
        return filled
