"""The arithmetic between MTCNN's networks.

Boxes are float64 ``(N, 4)``: first column, first row, last column, last row, counted from 1, as in
the authors' MATLAB code, which the networks were trained with.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]

STRIDE, CELL = 2, 12
"""The proposal network looks at squares of 12 px, 2 px apart."""


def pyramid(height: int, width: int, min_face: int, factor: float = 0.709) -> list[float]:
    """Scales of the image at which the proposal network's 12 px are ``min_face`` px and more.

    >>> [round(scale, 3) for scale in pyramid(48, 60, min_face=20)]
    [0.6, 0.425, 0.302]
    """
    scales, scale = [], CELL / min_face
    while min(height, width) * scale >= CELL:
        scales.append(scale)
        scale *= factor
    return scales


def proposals(
    scores: NDArray[np.floating], offsets: NDArray[np.floating], scale: float, threshold: float
) -> tuple[Boxes, NDArray[np.float64], NDArray[np.float64]]:
    """Boxes, scores ``(N,)`` and offsets ``(N, 4)`` where the map ``(W, H)`` passes the threshold.

    Args:
        scores: float ``(W, H)``, 0..1.
        offsets: float ``(W, H, 4)``, in widths and heights of the box.
        scale: of the image that the map belongs to.
        threshold: of the scores.
    """
    found = np.nonzero(scores >= threshold)
    corner = STRIDE * np.stack(found, axis=1)
    boxes: Boxes = np.trunc(np.concatenate([corner + 1, corner + CELL], axis=1) / scale)
    return boxes, scores[found].astype(np.float64), offsets[found].astype(np.float64)


def sizes(boxes: Boxes) -> Boxes:
    """Widths and heights, ``(N, 2)``."""
    return boxes[:, 2:] - boxes[:, :2] + 1


def moved(boxes: Boxes, offsets: NDArray[np.floating], size: Boxes) -> Boxes:
    """Each edge moved by its offset, in units of the size ``(N, 2)``."""
    return boxes + offsets * np.tile(size, 2)


def squared(boxes: Boxes) -> Boxes:
    """The smallest squares with the same centres that hold the boxes."""
    extent = boxes[:, 2:] - boxes[:, :2]
    side = extent.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + (extent - side) / 2
    return np.concatenate([corner, corner + side], axis=1)


def best_of_overlapping(
    boxes: Boxes, scores: NDArray[np.float64], threshold: float, of_smaller: bool = False
) -> NDArray[np.int64]:
    """Non-maximum suppression: the boxes that no better one covers, best first.

    Args:
        boxes: of all faces.
        scores: float64 ``(N,)``.
        threshold: shared area from which the worse box goes, 0..1.
        of_smaller: measure it as share of the smaller box, otherwise of the union.
    """
    area = sizes(boxes).prod(axis=1)
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        first, order = order[0], order[1:]
        kept.append(first)
        start = np.maximum(boxes[first, :2], boxes[order, :2])
        end = np.minimum(boxes[first, 2:], boxes[order, 2:])
        shared = np.maximum(end - start + 1, 0).prod(axis=1)
        whole = (
            np.minimum(area[first], area[order])
            if of_smaller
            else area[first] + area[order] - shared
        )
        order = order[shared <= threshold * whole]
    return np.array(kept, np.int64)


def cut(image: NDArray[np.float32], boxes: Boxes, side: int) -> NDArray[np.float32]:
    """Boxes of an image as squares ``(N, side, side, 3)``, grey-level 0 beyond the image.

    Args:
        image: float32 ``(H, W, 3)``.
        boxes: with whole numbers, at least 1 px wide and high.
        side: px.
    """
    height, width = image.shape[:2]
    squares = np.zeros((len(boxes), side, side, 3), np.float32)
    for square, (left, top, right, bottom) in zip(squares, boxes.astype(int), strict=True):
        piece = np.zeros((bottom - top + 1, right - left + 1, 3), np.float32)
        x1, y1, x2, y2 = max(left, 1), max(top, 1), min(right, width), min(bottom, height)
        if x1 <= x2 and y1 <= y2:
            inside = image[y1 - 1 : y2, x1 - 1 : x2]
            piece[y1 - top : y2 - top + 1, x1 - left : x2 - left + 1] = inside
        square[:] = cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA)
    return squares
