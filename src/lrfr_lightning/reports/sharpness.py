"""The slides' figure of a face, its Laplacian and the margin that follows from it."""

import math

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from lrfr_lightning.functional.adaptive import laplacian_margin
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import Kernel, degrade
from lrfr_lightning.functional.sharpness import image_sharpness, laplacian
from lrfr_lightning.reports.styles import RC

KERNEL = Kernel("bilinear", antialias=False)
"""The slides' kernel, both ways."""


def degraded(image: Image, resolution: int) -> Image:
    """The image as the slides' run had it: shrunk to ``resolution`` px and brought back."""
    return degrade(image, resolution, KERNEL, KERNEL)


def describe(image: Image, side: int) -> str:
    """``112 px: q = 14.10 grey levels, margin 1/q = 0.071 rad``; ``side`` before upscaling."""
    q = image_sharpness(image)
    margin = laplacian_margin(torch.tensor(q), math.pi / 2).item()
    bound = " (bound)" if margin * q < 0.999 else ""
    return f"{side} px: q = {q:.2f} grey levels, margin 1/q = {margin:.3f} rad{bound}"


def sharpness_figure(image: Image, resolution: int) -> Figure:
    """A face and its low-resolution version, each beside its absolute Laplacian.

    Args:
        image: uint8 ``(H, W, 3)`` RGB.
        resolution: side of the low-resolution version, px.

    Returns:
        Two rows that share one grey scale for the Laplacians, so that they can be compared.

    Raises:
        ConfigError: ``resolution`` does not fit the image.
    """
    sides = (min(image.shape[:2]), resolution)
    views = (image, degraded(image, resolution))
    strengths = [np.abs(laplacian(view)).mean(axis=2) for view in views]
    brightest = max(float(np.percentile(strengths[0], 99)), 1.0)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(6, 6.3), layout="constrained")
        figure.suptitle(
            "Sharpness q: mean |Laplacian| over pixels and channels, grey levels 0..255\n"
            f"degraded as in the slides: {KERNEL}, both ways",
            fontsize=10,
        )
        rows = figure.subfigures(2, 1, squeeze=False).ravel()
        for row, side, view, strength in zip(rows, sides, views, strengths, strict=True):
            row.suptitle(describe(view, side), fontsize=10, fontweight="bold")
            shown = _draw(row, view, strength, brightest)
            row.colorbar(shown, ax=row.axes, shrink=0.8, extend="max", label="|Laplacian|")
    return figure


def _draw(row: SubFigure, view: Image, strength: np.ndarray, brightest: float) -> AxesImage:
    face, map_ = row.subplots(1, 2)
    face.imshow(view, interpolation="nearest")
    shown: AxesImage = map_.imshow(
        strength, cmap="gray", vmin=0, vmax=brightest, interpolation="nearest"
    )
    for axes in (face, map_):
        axes.set_axis_off()
    return shown
