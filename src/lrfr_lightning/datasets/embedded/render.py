"""One image of one person."""

import numpy as np

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.embedded.canvas import SIZE, Canvas
from lrfr_lightning.datasets.embedded.draw_beard import draw_beard
from lrfr_lightning.datasets.embedded.draw_eyes import draw_brows, draw_eyes, draw_glasses
from lrfr_lightning.datasets.embedded.draw_hair import draw_back_hair, draw_front_hair
from lrfr_lightning.datasets.embedded.draw_hat import draw_hat
from lrfr_lightning.datasets.embedded.draw_head import draw_body, draw_ears, draw_head, draw_marks
from lrfr_lightning.datasets.embedded.draw_middle import draw_mouth, draw_nose
from lrfr_lightning.datasets.embedded.geometry import Projection
from lrfr_lightning.datasets.embedded.hair_shape import covers_ears
from lrfr_lightning.datasets.embedded.light import develop, illuminate
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Variation

__all__ = ["RENDERER_VERSION", "SIZE", "render"]

RENDERER_VERSION = 3
"""Part of the cache's file name; raise it whenever pixels change."""


def render(face: FaceParameters, variation: Variation, rng: np.random.Generator) -> Image:
    """Paint, light and photograph a face; ``rng`` gives the camera's noise.

    Returns:
        uint8 ``(112, 112, 3)`` RGB.
    """
    canvas = Canvas()
    paint(canvas, face, variation)
    return develop(illuminate(canvas, variation), variation, rng)


def paint(canvas: Canvas, face: FaceParameters, variation: Variation) -> None:
    """Put the person on the canvas, from back to front."""
    view = Projection(variation.pose)
    expression, scene = variation.expression, variation.scene
    draw_back_hair(canvas, view, face, scene)
    draw_body(canvas, view, face, scene)
    if not covers_ears(face.hair, scene):
        draw_ears(canvas, view, face)
    draw_head(canvas, view, face, expression)
    draw_beard(canvas, view, face)
    draw_marks(canvas, view, face)
    draw_mouth(canvas, view, face, expression)
    draw_nose(canvas, view, face, variation.light)
    draw_eyes(canvas, view, face, expression)
    draw_brows(canvas, view, face, expression)
    if scene.hat:
        draw_hat(canvas, view, face, scene)
    else:
        draw_front_hair(canvas, view, face, scene)
    if scene.glasses and face.glasses.owned:
        draw_glasses(canvas, view, face)
