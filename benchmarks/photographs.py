"""Photographs with a face at a known place, made from aligned faces and a seed."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.codec import decode_image, encode_jpeg
from lrfr_lightning.functional.alignment import ARCFACE_TEMPLATE, SIDE
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import BICUBIC, resize

SIZES = (16, 20, 24, 28, 32, 40, 48, 64, 96, 160)
"""Side of the aligned square in the photograph, px; taken in turn."""

HEIGHT, WIDTH, LARGEST_TURN = 300, 400, 30
_CELL, _CORNER = 80, 24


@dataclass(frozen=True)
class Placed:
    """Where the face of a photograph is.

    Attributes:
        path: of the photograph, relative to its folder.
        person: whose face it is, by the name of the folder it came from.
        size: side of the aligned square, px.
        landmarks: float64 ``(5, 2)``, the template's in the photograph, px.
    """

    path: str
    person: str
    size: int
    landmarks: NDArray[np.float64]


def make_photographs(faces: Path, target: Path, count: int, seed: int = 0) -> list[Placed]:
    """Write ``count`` JPEGs of 400x300 px, each with one face turned by up to 30 degrees.

    Args:
        faces: folder with a folder of aligned 112x112 JPEGs per person; one image of each of
            ``count`` people is used.
        target: folder for the photographs, ten to a folder below it.
        count: how many.
        seed: of everything drawn.
    """
    rng = np.random.default_rng(seed)
    people = rng.permutation(sorted(path for path in faces.iterdir() if path.is_dir()))
    people = people[:count]
    images = [_read(sorted(person.iterdir())[0]) for person in people]
    placed = []
    for number, (person, face) in enumerate(zip(people, images, strict=True)):
        size = SIZES[number % len(SIZES)]
        scenery = [images[i] for i in rng.integers(len(images), size=20)]
        photograph, landmarks = _paste(_background(scenery, rng), face, size, rng)
        path = f"{number // 10:02d}/{number:03d}.jpg"
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(encode_jpeg(photograph, 90))
        placed.append(Placed(path, person.name, size, landmarks))
    return placed


def _read(path: Path) -> Image:
    return decode_image(path.read_bytes(), str(path))


def _background(images: list[Image], rng: np.random.Generator) -> NDArray[np.float64]:
    """Upper corners of photographs, where there is no face, enlarged side by side and softened."""
    corners = [image[:_CORNER, :_CORNER] for image in images]
    cells = iter([resize(corner, _CELL, _CELL, BICUBIC) for corner in corners])
    columns, rows = WIDTH // _CELL, -(-HEIGHT // _CELL)
    quilt = np.concatenate(
        [np.concatenate([next(cells) for _ in range(columns)], axis=1) for _ in range(rows)]
    )
    soft = cv2.GaussianBlur(quilt[:HEIGHT].astype(np.float64), (0, 0), 4)
    return np.asarray(soft + rng.normal(0, 3, soft.shape))


def _paste(
    background: NDArray[np.float64], face: Image, size: int, rng: np.random.Generator
) -> tuple[Image, NDArray[np.float64]]:
    """The face shrunk, mirrored outwards by a third of its side, where it fades, and turned."""
    edge = size // 3
    small = resize(face, size, size, BICUBIC)
    wide = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REFLECT)
    ramp = np.minimum(1, np.minimum(np.arange(len(wide)), np.arange(len(wide))[::-1]) / edge)
    middle = (len(wide) - 1) / 2
    room = 0.75 * size
    x, y = rng.uniform(room, WIDTH - room), rng.uniform(room, HEIGHT - room)
    transform = cv2.getRotationMatrix2D(
        (middle, middle), rng.uniform(-LARGEST_TURN, LARGEST_TURN), 1.0
    )
    transform[:, 2] += np.array([x, y]) - middle
    area = (WIDTH, HEIGHT)
    moved = cv2.warpAffine(wide.astype(np.float64), transform, area, flags=cv2.INTER_CUBIC)
    opacity = cv2.warpAffine(np.outer(ramp, ramp), transform, area)[..., None]
    photograph = background * (1 - opacity) + moved * opacity
    points = (ARCFACE_TEMPLATE + 0.5) * size / SIDE - 0.5 + edge
    landmarks = points @ transform[:, :2].T + transform[:, 2]
    return np.clip(photograph.round(), 0, 255).astype(np.uint8), landmarks
