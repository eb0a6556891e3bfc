"""Eyes, brows and glasses."""

import numpy as np

from lrfr_lightning.datasets.embedded.canvas import Canvas
from lrfr_lightning.datasets.embedded.draw_head import skin_colour
from lrfr_lightning.datasets.embedded.eye_region import Eyes
from lrfr_lightning.datasets.embedded.geometry import (
    Points,
    Projection,
    arc,
    ellipse,
    points,
    smooth,
    tapered,
)
from lrfr_lightning.datasets.embedded.palette import FRAME, HAIR, IRIS, mix, scaled
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Expression

_WHITE = np.array([238, 229, 220.0])
_LASH = np.array([40, 28, 28.0])
_BROW = np.array([44, 32, 30.0])
_BROW_END = 30.5
"""Where the forehead turns to the side, px from the middle."""
_LINER = np.array([0.25, 0.7, 1.0, 1.0, 1.0, 0.95, 0.6])


def draw_eyes(
    canvas: Canvas, view: Projection, face: FaceParameters, expression: Expression
) -> None:
    """Both eyes with lids, lashes and the shade around them."""
    for side in (-1, 1):
        upper, lower = _lids(face.eyes, expression, side)
        _shade_socket(canvas, view, face, side)
        _draw_ball(canvas, view, face, expression, side, np.concatenate([upper, lower[::-1]]))
        _draw_lids(canvas, view, face, upper, lower)


def draw_brows(
    canvas: Canvas, view: Projection, face: FaceParameters, expression: Expression
) -> None:
    """Both brows, tapered outwards."""
    brows = face.brows
    colour = mix(mix(HAIR[face.hair.colour], _BROW, brows.darkness), skin_colour(face), 0.1)
    t = np.linspace(0, 1, 9)
    bump = np.where(t < brows.bend, t / brows.bend, (1 - t) / (1 - brows.bend))
    y = face.eyes.y - brows.gap - expression.brows - brows.tilt * (t - 0.5)
    y = y - brows.arch * np.sin(bump * np.pi / 2) + expression.frown * (1 - t) ** 2
    width = brows.thickness * (1 - brows.taper * t**1.5) * np.minimum(1, 0.6 + 2 * t)
    reach = min(brows.length, _BROW_END - brows.inner)
    for side in (-1, 1):
        spine = arc(side * (brows.inner + reach * t), y)
        canvas.fill(view.on_skin(tapered(spine, width), 2), colour)


def draw_glasses(canvas: Canvas, view: Projection, face: FaceParameters) -> None:
    """Two rims, a bridge and the temples."""
    glasses = face.glasses
    colour, reach = FRAME[glasses.colour], face.eyes.x + glasses.width
    for side in (-1, 1):
        lens = ellipse(
            side * face.eyes.x, face.eyes.y + 1.5, glasses.width, glasses.height, glasses.squareness
        )
        canvas.line(view.on_skin(lens, 5), colour, glasses.rim, closed=True)
        canvas.shade(view.on_skin(lens, 5), -0.05, broad=True)
        arm = points((side * reach, face.eyes.y - 1), (side * 43, face.eyes.y - 3))
        canvas.line(view.at_depth(arm, np.array([12.0, -6.0])), colour, glasses.rim)
    inner = face.eyes.x - glasses.width
    bridge = points((-inner, face.eyes.y - 0.5), (0, face.eyes.y - 2.5), (inner, face.eyes.y - 0.5))
    canvas.line(smooth(view.on_skin(bridge, 6), closed=False), colour, glasses.rim)


def _lids(eyes: Eyes, expression: Expression, side: int) -> tuple[Points, Points]:
    """Upper and lower edge of an eye, each ``(13, 2)``, from the inner to the outer corner."""
    t = np.linspace(-1, 1, 13)
    bent = t - 0.28 * eyes.peak * (1 - t**2)
    x = side * (eyes.x + eyes.width * t)
    line = eyes.y - eyes.tilt * t * 0.5
    upper = line - eyes.height * 1.15 * expression.lids * (1 - bent**2) ** 0.8
    squint = 1 - 0.25 * max(expression.smile, 0)
    lower = line + eyes.height * 0.75 * squint * (1 - (t + 0.1 * (1 - t**2)) ** 2) ** 0.9
    return np.stack([x, upper], axis=1), np.stack([x, lower], axis=1)


def _shade_socket(canvas: Canvas, view: Projection, face: FaceParameters, side: int) -> None:
    eyes, x = face.eyes, side * face.eyes.x
    socket = ellipse(x - side * 2, eyes.y - 3.5, eyes.width + 3, 5.5)
    canvas.shade(view.on_skin(socket), 0.06 + 0.16 * eyes.depth, broad=True)
    corner = ellipse(side * 7.5, eyes.y - 3, 2.2, 5)
    canvas.shade(view.on_skin(corner), 0.08 + 0.14 * eyes.depth, broad=True)
    bag = points((-6.5, 5), (-2, 7.6), (3, 7.4), (6.5, 4.8)) * (side, 1) + (x, eyes.y)
    canvas.shade_line(view.on_skin(smooth(bag, closed=False)), 0.05 + 0.22 * eyes.bag)


def _draw_ball(
    canvas: Canvas,
    view: Projection,
    face: FaceParameters,
    expression: Expression,
    side: int,
    opening: Points,
) -> None:
    eyes = face.eyes
    canvas.fill(view.on_skin(opening), _WHITE)
    upper = opening[:13]
    canvas.fill(view.on_skin(np.concatenate([upper, (upper + (0, 1.9))[::-1]])), _WHITE * 0.74)
    x = side * eyes.x + 1.9 * expression.gaze[0]
    y = eyes.y - 0.5 + 0.9 * expression.gaze[1]
    iris = IRIS[eyes.colour]
    for size, colour in (
        (eyes.iris, scaled(iris, 0.75 - 0.45 * eyes.ring)),
        (eyes.iris * 0.82, iris),
        (eyes.iris * 0.55, scaled(iris, 1.25)),
        (eyes.iris * 0.42, np.array([16, 12, 14.0])),
    ):
        canvas.fill(view.on_skin(ellipse(x, y, size, size)), colour)
    canvas.fill(view.on_skin(ellipse(x - 1.2, y - 1.3, 0.85, 0.85)), np.full(3, 255.0))


def _draw_lids(
    canvas: Canvas, view: Projection, face: FaceParameters, upper: Points, lower: Points
) -> None:
    eyes, skin = face.eyes, skin_colour(face)
    lid = mix(scaled(skin, 0.9), np.array([150, 80, 76.0]), 0.12)
    canvas.fill(view.on_skin(np.concatenate([upper, (upper - (0, 5))[::-1]])), lid)
    canvas.fill(view.on_skin(np.concatenate([lower, (lower + (0, 5))[::-1]])), skin)
    if eyes.crease:
        crease = upper[1:-1] - (0, eyes.crease)
        canvas.line(view.on_skin(crease), scaled(skin, 0.66), 0.7)
    canvas.line(view.on_skin(lower[2:]), scaled(skin, 0.68), 0.5)
    spine = smooth(upper[::2], closed=False)[::6]
    lash = tapered(spine, eyes.lash * 1.5 * _LINER)
    canvas.fill(view.on_skin(lash, 0.5), _LASH)
