"""Faces at low resolution, what resolvers make of them, and the originals, side by side."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from lrfr_lightning.functional.alignment import SIDE
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import BICUBIC, Kernel, degrade, resize
from lrfr_lightning.preprocessing.super_resolver import SuperResolver
from lrfr_lightning.reports.styles import RC
from lrfr_lightning.utils.errors import DataError

_INCHES = 1.3


def restoration_columns(
    faces: Sequence[Image], resolution: int, resolvers: Sequence[SuperResolver]
) -> dict[str, list[Image]]:
    """The columns of the picture: small faces, each resolver's, originals.

    Args:
        faces: uint8 ``(112, 112, 3)`` each.
        resolution: side that they are shrunk to, px, bicubic as in the ``standard`` protocols.
        resolvers: what restores them, each by its own name.

    Returns:
        By title, one uint8 ``(112, 112, 3)`` for each face; the small ones enlarged in squares.

    Raises:
        DataError: a face is not of 112x112 px.
        ConfigError: the resolution lies outside 1..112.
    """
    sizes = [face.shape for face in faces if face.shape != (SIDE, SIDE, 3)]
    if sizes:
        raise DataError(
            f"expected aligned faces of {SIDE}x{SIDE} px, got {sizes[0][1]}x{sizes[0][0]}; "
            "align the images first"
        )
    enlarged = [degrade(face, resolution, BICUBIC, BICUBIC) for face in faces]
    batch = torch.from_numpy(np.stack(enlarged)).permute(0, 3, 1, 2)
    squares = Kernel("nearest")
    return {
        f"{resolution} px": [
            resize(resize(face, resolution, resolution, BICUBIC), SIDE, SIDE, squares)
            for face in faces
        ],
        **{resolver.name: _images(resolver.restore(batch)) for resolver in resolvers},
        f"{SIDE} px": list(faces),
    }


def restoration_figure(columns: dict[str, list[Image]]) -> Figure:
    """One row for each face, one titled column for each way to see it."""
    rows = len(next(iter(columns.values())))
    with mpl.rc_context(RC):
        size = (_INCHES * len(columns), _INCHES * rows + 0.3)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(rows, len(columns), squeeze=False)
        for column, (title, images) in zip(axes.T, columns.items(), strict=True):
            column[0].set_title(title, fontsize=9)
            for place, image in zip(column, images, strict=True):
                place.imshow(image, interpolation="nearest")
                place.set_axis_off()
    return figure


def _images(restored: torch.Tensor) -> list[Image]:
    pixels = restored.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return list(pixels)
