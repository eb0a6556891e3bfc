"""Hair behind and above the face."""

import numpy as np

from lrfr_lightning.datasets.embedded.canvas import Canvas
from lrfr_lightning.datasets.embedded.draw_head import skin_colour
from lrfr_lightning.datasets.embedded.geometry import Points, Projection, depth, ellipse, smooth
from lrfr_lightning.datasets.embedded.hair_shape import (
    ACROSS,
    covers_ears,
    crown,
    fall,
    hairline,
    lock,
)
from lrfr_lightning.datasets.embedded.palette import HAIR, Colour, mix, scaled
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Scene

_CROWN_DEPTH = -2 - 8 * (1 - ACROSS**2)


def draw_back_hair(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    """Hair that is seen behind the head."""
    hair = face.hair
    colour = scaled(HAIR[hair.colour], 0.66)
    if hair.cut not in ("bald", "cropped") and not scene.hat:
        canvas.fill(view.at_depth(crown(face, scene), _CROWN_DEPTH), colour)
    if covers_ears(hair, scene):
        canvas.fill(smooth(view.at_depth(fall(hair, scene), -12)), colour)


def draw_front_hair(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    """Hair above the forehead and beside the face; a gleam where there is none."""
    hair = face.hair
    if hair.cut == "bald":
        canvas.shade(view.on_skin(ellipse(8, -46, 9, 4)), -0.2, broad=True)
        return
    if covers_ears(hair, scene):
        draw_side_locks(canvas, view, face, scene)
    inner = hairline(hair, scene)
    low = view.at_depth(inner, (depth(inner) + 1.5) * (1 - np.abs(ACROSS) ** 5))
    high = view.at_depth(crown(face, scene), _CROWN_DEPTH)
    _draw_cap(canvas, face, low, high)


def draw_side_locks(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    """Hair that hangs down in front of the ears."""
    colour = HAIR[face.hair.colour]
    outer, inner = lock(face.hair, scene)
    for side in (-1, 1):
        rim = view.at_depth(outer * (side, 1), -4)
        edge = view.at_depth(inner * (side, 1), 2)
        canvas.fill(smooth(np.concatenate([rim, edge[::-1]])), colour)
        strands = [smooth(edge + (rim - edge) * share, closed=False) for share in (0.25, 0.5, 0.75)]
        canvas.lines(strands[::2], scaled(colour, 0.84), 0.5)
        canvas.lines(strands[1:2], scaled(colour, 1.16), 0.5)


def _draw_cap(canvas: Canvas, face: FaceParameters, low: Points, high: Points) -> None:
    colour = HAIR[face.hair.colour]
    if face.hair.cut == "cropped":
        colour = mix(colour, skin_colour(face), 0.35)
    canvas.shade(np.concatenate([low[2:-2], low[-3:1:-1] + (0, 3.5)]), 0.16)
    canvas.fill(np.concatenate([high, low[::-1]]), colour)
    if face.hair.cut == "curly":
        _draw_curls(canvas, low, high, colour)
    else:
        _draw_strands(canvas, low, high, colour, toward=1 if face.hair.part > 0 else -1)


def _draw_strands(canvas: Canvas, low: Points, high: Points, colour: Colour, toward: int) -> None:
    t = np.linspace(0.06, 1, 5)[:, None, None]
    bent = (low + high) * t * (1 - t)
    courses = np.roll(low, toward, axis=0) * (1 - t) ** 2 + bent + high * t**2
    strands = list(courses.transpose(1, 0, 2)[1:-1])
    canvas.lines(strands[::2], scaled(colour, 0.88), 0.4)
    canvas.lines(strands[1::4], scaled(colour, 1.16), 0.4)
    gleam = np.concatenate([low + (high - low) * 0.35, (low + (high - low) * 0.6)[::-1]])
    canvas.shade(gleam, -0.16, broad=True)


def _draw_curls(canvas: Canvas, low: Points, high: Points, colour: Colour) -> None:
    curl = ellipse(0, 0, 4.6, 4.2)
    for row, share in enumerate((0.0, 0.3, 0.62, 0.95)):
        centres = (low + (high - low) * share)[row % 2 :: 2, None]
        for outline in centres + curl:
            canvas.fill(outline, scaled(colour, 0.92 + 0.1 * (row % 2)))
        canvas.lines(list(centres + curl[12:20] * 0.85), scaled(colour, 1.25), 0.6)
