"""What differs between two images of the same embedded person."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from lrfr_lightning.datasets.embedded.palette import BACKDROP, CLOTH


@dataclass(frozen=True)
class Pose:
    """Where the head is and where it looks.

    Attributes:
        yaw, pitch, roll: rad; positive turns right, down, clockwise in the image.
        scale: relative to the aligned size.
        shift: (x, y) in px.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    shift: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A pose at random, as after alignment: mostly frontal."""
        x, y = rng.normal(0.0, 1.3, 2).clip(-3, 3).tolist()
        return cls(
            yaw=_normal(rng, 0.0, 0.2, -0.45, 0.45),
            pitch=_normal(rng, 0.0, 0.12, -0.28, 0.28),
            roll=_normal(rng, 0.0, 0.05, -0.12, 0.12),
            scale=_normal(rng, 1.0, 0.03, 0.93, 1.07),
            shift=(x, y),
        )


@dataclass(frozen=True)
class Expression:
    """What the face does.

    Attributes:
        smile: -0.5 sad .. 1 broad.
        mouth: 0 closed .. 1 open.
        lids: opening of the eyes, relative.
        brows: how far the brows rise, px.
        frown: how far their inner ends fall, px.
        gaze: (x, y) -1..1, where the eyes look.
    """

    smile: float
    mouth: float
    lids: float
    brows: float
    frown: float
    gaze: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """An expression at random, most often mild."""
        x, y = rng.normal(0.0, 0.35, 2).clip(-1, 1).tolist()
        return cls(
            smile=_normal(rng, 0.4, 0.4, -0.4, 1.0),
            mouth=_normal(rng, -0.1, 0.4, 0.0, 1.0),
            lids=rng.uniform(0.75, 1.15),
            brows=_normal(rng, 0.0, 1.0, -1.5, 2.5),
            frown=_normal(rng, 0.2, 0.8, -1.0, 2.0),
            gaze=(x, y),
        )


@dataclass(frozen=True)
class Light:
    """Where light comes from and its colour.

    Attributes:
        direction: (x, y, z) unit vector towards the light; x right, y down, z to the viewer.
        ambient: 0..1, light without direction.
        exposure: factor on all values.
        balance: (r, g, b) factors on the channels.
        rim: 0..1, light on the edge of the head.
    """

    direction: tuple[float, float, float]
    ambient: float
    exposure: float
    balance: tuple[float, float, float]
    rim: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A light at random, mostly from above."""
        x, y, z = rng.normal(0, 0.85), rng.normal(-0.35, 0.4), rng.uniform(0.5, 1.0)
        length = float(np.sqrt(x * x + y * y + z * z))
        warmth, green = _normal(rng, 0.02, 0.05, -0.07, 0.11), _normal(rng, 0.0, 0.02, -0.04, 0.04)
        return cls(
            direction=(x / length, y / length, z / length),
            ambient=rng.uniform(0.35, 0.75),
            exposure=float(np.exp(_normal(rng, -0.03, 0.2, -0.4, 0.25))),
            balance=(1 + warmth, 1 + green, 1 - warmth),
            rim=max(0.0, rng.uniform(-0.5, 1.0)),
        )


@dataclass(frozen=True)
class Camera:
    """What the camera does to the picture.

    Attributes:
        blur: standard deviation, px.
        noise: standard deviation, 0..255 scale.
        quality: of the JPEG, 1..100.
        contrast: factor around mid grey.
        saturation: factor on the distance from grey.
    """

    blur: float
    noise: float
    quality: int
    contrast: float
    saturation: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A camera at random, most often good."""
        return cls(
            blur=max(0.0, rng.normal(0.1, 0.4)),
            noise=min(rng.exponential(1.3), 5.0),
            quality=int(rng.integers(70, 97)),
            contrast=rng.uniform(0.85, 1.12),
            saturation=rng.uniform(0.85, 1.15),
        )


@dataclass(frozen=True)
class Scene:
    """What is around the face.

    Attributes:
        backdrop: two indices into ``BACKDROP``.
        slope: rad, direction in which the backdrop's colours change.
        cloth: index into ``CLOTH``.
        tied: long hair is tied back.
        tousle: how far the hair stands off more than usual, px.
        glasses: glasses are worn by those who own some.
        hat: a knitted hat covers the hair.
    """

    backdrop: tuple[int, int]
    slope: float
    cloth: int
    tied: bool
    tousle: float
    glasses: bool
    hat: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Surroundings at random."""
        first, second = rng.integers(len(BACKDROP), size=2).tolist()
        return cls(
            backdrop=(first, second),
            slope=rng.uniform(0.0, 2 * np.pi),
            cloth=int(rng.integers(len(CLOTH))),
            tied=bool(rng.random() < 0.35),
            tousle=_normal(rng, 0.0, 1.2, -2, 3),
            glasses=bool(rng.random() < 0.65),
            hat=bool(rng.random() < 0.12),
        )


@dataclass(frozen=True)
class Variation:
    """One image of a person: everything that changes from image to image."""

    pose: Pose
    expression: Expression
    light: Light
    camera: Camera
    scene: Scene

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A variation at random, determined by the state of ``rng``."""
        return cls(
            Pose.draw(rng),
            Expression.draw(rng),
            Light.draw(rng),
            Camera.draw(rng),
            Scene.draw(rng),
        )


def _normal(
    rng: np.random.Generator, mean: float, spread: float, least: float, most: float
) -> float:
    return float(np.clip(rng.normal(mean, spread), least, most))
