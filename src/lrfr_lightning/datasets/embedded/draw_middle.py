"""Nose and mouth."""

import numpy as np

from lrfr_lightning.datasets.embedded.anatomy import Mouth
from lrfr_lightning.datasets.embedded.canvas import Canvas
from lrfr_lightning.datasets.embedded.draw_head import skin_colour
from lrfr_lightning.datasets.embedded.geometry import Points, Projection, ellipse, points, smooth
from lrfr_lightning.datasets.embedded.palette import Colour, mix, scaled
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Expression, Light

_LIP = np.array([186, 66, 70.0])
_INSIDE = np.array([74, 26, 30.0])
_TEETH = np.array([246, 240, 228.0])
_LIP_SHADE = (1.0, 1.0, 0.97, 0.88, 0.8)
_TIP_LIFT = 9.0


def draw_nose(canvas: Canvas, view: Projection, face: FaceParameters, light: Light) -> None:
    """The nose: a lit ridge, a shaded side and underside, nostrils and wings."""
    nose, skin = face.nose, skin_colour(face)
    away = -1 if light.direction[0] > 0 else 1
    side = points(
        (nose.bridge * 0.9, -12),
        (nose.bridge + 2.5, -10),
        (nose.bridge + 1.5, nose.y - 10),
        (nose.wings, nose.y - 3),
        (nose.tip * 0.8, nose.y - 4),
        (nose.bridge * 0.6, nose.y - 12),
    )
    canvas.shade(view.on_skin(side * (away, 1), 3), 0.16 + 0.2 * nose.relief)
    canvas.shade(view.on_skin(side * (-away, 1), 3), 0.05 + 0.08 * nose.relief)
    under = points((-nose.wings, nose.y), (0, nose.y + 4.5), (nose.wings, nose.y))
    canvas.shade(view.on_skin(under, 3), 0.12 + 0.18 * nose.relief)
    ridge = points((-0.9, -10), (0.9, -10), (1.5, nose.y - 5), (-1.5, nose.y - 5))
    canvas.shade(view.on_skin(ridge, _TIP_LIFT * 0.7), -0.12)
    _draw_base(canvas, view, face, skin)
    glow = ellipse(-0.25 * away * nose.tip, nose.y - 4.5, nose.tip * 0.5, nose.tip * 0.42)
    canvas.shade(view.on_skin(glow, _TIP_LIFT), -0.22)


def draw_mouth(
    canvas: Canvas, view: Projection, face: FaceParameters, expression: Expression
) -> None:
    """The lips, parted over teeth where the mouth is open."""
    skin, mouth = skin_colour(face), face.mouth
    upper_line, lower_line = _parting(mouth, expression)
    lip = mix(scaled(skin, 0.86), _LIP, 0.25 + 0.55 * mouth.redness)
    lip = scaled(lip, _LIP_SHADE[face.head.tone])
    top, bottom = _edges(mouth, upper_line, lower_line)
    if expression.mouth > 0.08:
        _draw_inside(canvas, view, upper_line, lower_line)
    canvas.fill(view.on_skin(np.concatenate([top, upper_line[::-1]]), 2), scaled(lip, 0.86))
    canvas.fill(view.on_skin(np.concatenate([lower_line, bottom[::-1]]), 2), lip)
    canvas.line(view.on_skin(upper_line, 2), scaled(lip, 0.48), 0.7)
    _shade_mouth(canvas, view, mouth, bottom)


def _draw_base(canvas: Canvas, view: Projection, face: FaceParameters, skin: Colour) -> None:
    nose, dark = face.nose, scaled(skin, 0.62)
    for side in (-1, 1):
        hole = ellipse(side * nose.wings * 0.5, nose.y - 0.4, nose.wings * 0.24, 0.7 + nose.upturn)
        canvas.fill(view.on_skin(hole, 5), scaled(skin, 0.38))
        wing = points(
            (nose.wings * 0.72, nose.y + 0.6),
            (nose.wings, nose.y - 0.6),
            (nose.wings * 1.04, nose.y - 3.6),
            (nose.wings * 0.84, nose.y - 6.2),
        )
        canvas.line(smooth(view.on_skin(wing * (side, 1), 4), closed=False), dark, 0.8)
    tip = points(
        (-nose.wings * 0.3, nose.y + 0.4), (0, nose.y + 1.5), (nose.wings * 0.3, nose.y + 0.4)
    )
    canvas.line(smooth(view.on_skin(tip, 7), closed=False), dark, 0.8)


def _parting(mouth: Mouth, expression: Expression) -> tuple[Points, Points]:
    smile, gape = expression.smile, expression.mouth
    width = mouth.width * (1 + 0.16 * smile - 0.08 * gape)
    x = np.linspace(-1, 1, 15)
    rise = (mouth.corner + 3.4 * smile) * (np.abs(x) ** 1.6 - 0.35)
    dip = 0.35 * mouth.bow * np.cos(3 * np.pi * x / 2)
    gap = gape * 7.5 * np.sqrt(1 - x**2)
    upper = np.stack([x * width, mouth.y - rise + dip - 0.3 * gap], axis=1)
    lower = np.stack([x * width, mouth.y - rise + dip + 0.7 * gap], axis=1)
    return upper, lower


def _edges(mouth: Mouth, upper_line: Points, lower_line: Points) -> tuple[Points, Points]:
    x = np.linspace(-1, 1, 15)
    full = (1 - x**2) ** 0.75
    bow = mouth.bow * (np.exp(-((x / 0.16) ** 2)) - 0.6 * np.exp(-(((np.abs(x) - 0.3) / 0.2) ** 2)))
    top = upper_line - np.stack([0 * x, mouth.upper * full - bow], axis=1)
    bottom = lower_line + np.stack([0 * x, mouth.lower * (1 - x**2) ** 0.6], axis=1)
    return top, bottom


def _draw_inside(canvas: Canvas, view: Projection, upper: Points, lower: Points) -> None:
    canvas.fill(view.on_skin(np.concatenate([upper, lower[::-1]]), 1), _INSIDE)
    edge = upper + (lower - upper) * 0.5
    canvas.fill(view.on_skin(np.concatenate([upper, edge[::-1]])[2:-2], 1), _TEETH)


def _shade_mouth(canvas: Canvas, view: Projection, mouth: Mouth, bottom: Points) -> None:
    below = bottom[3:-3]
    canvas.shade(view.on_skin(np.concatenate([below + (0, 0.6), below[::-1] + (0, 3.4)])), 0.16)
    gloss = bottom[5:-5] - (0, mouth.lower * 0.45)
    canvas.shade_line(view.on_skin(gloss, 2), -0.35)
    groove = points(
        (-1.2, mouth.y - mouth.upper - 6),
        (1.2, mouth.y - mouth.upper - 6),
        (0, mouth.y - mouth.upper),
    )
    canvas.shade(view.on_skin(groove), 0.08)
