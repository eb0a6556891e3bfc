"""Neck, ears, head and what time leaves on the skin."""

import numpy as np

from lrfr_lightning.datasets.embedded.anatomy import Head
from lrfr_lightning.datasets.embedded.canvas import Canvas
from lrfr_lightning.datasets.embedded.geometry import (
    Points,
    Projection,
    ellipse,
    mirrored,
    points,
    smooth,
)
from lrfr_lightning.datasets.embedded.palette import CLOTH, SKIN, Colour, mix, scaled
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Expression, Scene

_OUTLINE_DEPTH = np.array([-10, -8, -4, 0, 4, 8, 17, 23, 17, 8, 4, 0, -4, -8.0])
_RED = np.array([206, 84, 74.0])


def skin_colour(face: FaceParameters) -> Colour:
    """The flat colour of a person's skin."""
    return np.asarray(SKIN[face.head.tone])


def head_outline(head: Head, open_mouth: float = 0.0) -> Points:
    """Control points ``(14, 2)`` of the head's outline, clockwise from the top."""
    jaw_y, chin_y = head.jaw_y + 2 * open_mouth, head.chin_y + 4 * open_mouth
    return mirrored(
        points(
            (0, -60),
            (23 * head.forehead, -54),
            (37 * head.forehead, -34),
            (40.5 * (head.forehead + head.cheek) / 2, -11),
            (40 * head.cheek, 5),
            (34 * head.jaw, 25 + jaw_y),
            (17 * head.chin, 42 + chin_y * 0.9),
            (0, 46.5 + chin_y),
        )
    )


def projected_outline(view: Projection, control: Points) -> Points:
    """The smooth outline of the head in the image; chin and jaw lie deeper than the skull."""
    return smooth(view.at_depth(control, _OUTLINE_DEPTH))


def draw_body(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    """Neck and shoulders."""
    skin, cloth = skin_colour(face), CLOTH[scene.cloth]
    neck = points((-22, 24), (22, 24), (23, 44), (30, 60), (-30, 60), (-23, 44))
    canvas.fill(view.at_depth(neck, -2), scaled(skin, 0.74))
    for side in (-1, 1):
        shoulder = points((21, 47), (34, 42), (52, 41), (95, 50), (95, 64), (18, 64))
        canvas.fill(view.at_depth(shoulder * (side, 1), -6), cloth)
        collar = points((20.5, 46), (23, 52), (18, 62))
        canvas.line(view.at_depth(collar * (side, 1), -6), scaled(cloth, 0.75), 1.2)


def draw_ears(canvas: Canvas, view: Projection, face: FaceParameters) -> None:
    """Both ears."""
    for side in (-1, 1):
        _draw_ear(canvas, view, face.head, skin_colour(face), side)


def draw_head(
    canvas: Canvas, view: Projection, face: FaceParameters, expression: Expression
) -> None:
    """The head, with the soft forms of forehead, cheeks and chin."""
    head, skin = face.head, skin_colour(face)
    outline = projected_outline(view, head_outline(head, expression.mouth))
    canvas.fill(outline, skin)
    canvas.line(outline, scaled(skin, 0.82), 0.5, closed=True)
    _model_cheeks(canvas, view, head, expression)
    forehead = view.on_skin(ellipse(0, -34, 17, 7))
    canvas.shade(forehead, -0.05, broad=True)
    canvas.shade(view.on_skin(ellipse(0, 40 + head.chin_y, 8 * head.chin, 3.5)), -0.05, broad=True)


def draw_marks(canvas: Canvas, view: Projection, face: FaceParameters) -> None:
    """Freckles, moles, scars and lines."""
    marks, skin = face.marks, skin_colour(face)
    for spots, colour in (
        (marks.freckles, mix(scaled(skin, 0.72), _RED, 0.12)),
        (marks.moles, scaled(skin, 0.36)),
    ):
        if spots:
            canvas.fill_all(
                [view.on_skin(ellipse(x, y, size, size)) for x, y, size in spots], colour
            )
    if marks.scar:
        x, y, length, angle = marks.scar
        half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        course = view.on_skin(np.array([(x, y) - half, (x, y) + half * 0.1, (x, y) + half]))
        canvas.line(course, mix(scaled(skin, 1.12), _RED, 0.18), 1.0)
    _draw_lines(canvas, view, face)


def _draw_ear(canvas: Canvas, view: Projection, head: Head, skin: Colour, side: int) -> None:
    x, size = 41 * (head.forehead + head.cheek) / 2, head.ear
    ear = points((-3, -12), (3, -14), (6.5, -8), (5, 3), (2, 11), (-3, 9)) * (size, size)
    placed = (ear + (x, -4)) * (side, 1)
    canvas.fill(smooth(view.at_depth(placed, -8)), scaled(mix(skin, _RED, 0.10), 0.95))
    inner = points((0, -9), (3.4, -8), (3.4, -1), (1, 5)) * (size, size)
    course = view.at_depth((inner + (x, -4)) * (side, 1), -8)
    canvas.line(smooth(course, closed=False), scaled(mix(skin, _RED, 0.15), 0.74), 0.8)


def _model_cheeks(canvas: Canvas, view: Projection, head: Head, expression: Expression) -> None:
    lift = 2.5 * max(expression.smile, 0)
    for side in (-1, 1):
        hollow = points((38, 2), (24, 14), (20, 27), (30, 30), (39, 14)) * (side * head.cheek, 1)
        canvas.shade(view.on_skin(hollow), 0.05 + 0.16 * head.hollow, broad=True)
        cheek = ellipse(side * 22, 8 - lift, 8, 5.5)
        canvas.shade(view.on_skin(cheek), -0.06 - 0.05 * max(expression.smile, 0), broad=True)
        apple = ellipse(side * 24, 10 - lift, 10, 7)
        canvas.blush(view.on_skin(apple), 0.1 + 0.2 * head.blush)
    canvas.blush(view.on_skin(ellipse(0, 8, 5, 5)), 0.15)


def _draw_lines(canvas: Canvas, view: Projection, face: FaceParameters) -> None:
    marks, mouth = face.marks, face.mouth
    for row in range(2 if marks.forehead_lines > 0.25 else 0):
        y = -30 - 5.5 * row
        brow_line = points((-14, y), (-7, y - 1), (0, y + 0.4), (7, y - 1), (14, y))
        canvas.shade_line(view.on_skin(smooth(brow_line, False)), 0.28 * marks.forehead_lines)
    for side in (-1, 1):
        fold = points((11, 12), (16, 18), (mouth.width + 4, mouth.y + 1)) * (side, 1)
        canvas.shade_line(view.on_skin(smooth(fold, False)), 0.06 + 0.3 * marks.smile_lines)
        if marks.crow_feet > 0.2:
            for tilt in (-3, 0, 3):
                foot = points((29.5, -12 + tilt * 0.4), (34, -12 + tilt)) * (side, 1)
                canvas.shade_line(view.on_skin(foot), 0.3 * marks.crow_feet)
    if marks.dimple > 0.1:
        y = 38 + face.head.chin_y
        canvas.shade_line(view.on_skin(points((0, y), (0, y + 4))), 0.5 * marks.dimple)
