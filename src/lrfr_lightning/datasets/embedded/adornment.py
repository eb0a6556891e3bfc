"""What people wear on their faces for good: hair, beard, marks and glasses."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from lrfr_lightning.datasets.embedded.palette import FRAME

HairCut = Literal["bald", "cropped", "back", "parted", "fringe", "curly"]
HairLength = Literal["short", "bob", "long"]
BeardCut = Literal["none", "stubble", "moustache", "goatee", "full"]

_CUTS: tuple[HairCut, ...] = ("bald", "cropped", "back", "parted", "fringe", "curly")
_LENGTHS: tuple[HairLength, ...] = ("short", "bob", "long")
_BEARDS: tuple[BeardCut, ...] = ("none", "stubble", "moustache", "goatee", "full")


@dataclass(frozen=True)
class Hair:
    """Hair of the head.

    Attributes:
        cut: how the hair falls above the forehead.
        length: how far it falls behind the face.
        colour: index into ``HAIR``.
        line: height of the hairline, px above the mean one.
        recess: how far it recedes beside the middle, px.
        peak: how far its middle comes down, px.
        part: -1..1, where the hair parts.
        volume: how far it stands off the head, px.
        wave: 0..1, how wavy its edge is.
        jags: lengths of the locks of a fringe, 0..1 each.
    """

    cut: HairCut
    length: HairLength
    colour: int
    line: float
    recess: float
    peak: float
    part: float
    volume: float
    wave: float
    jags: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, tone: int, age: float) -> Self:
        """Hair at random that goes with the skin's ``tone`` and with ``age`` 0..1."""
        grey = rng.random() < 1.6 * (age - 0.45)
        shades = (5, 5, 4, 2, 2)[tone]
        cut = _CUTS[rng.choice(6, p=[0.06, 0.12, 0.24, 0.24, 0.2, 0.14])]
        tied = cut in ("bald", "cropped")
        return cls(
            cut=cut,
            length="short" if tied else _LENGTHS[rng.choice(3, p=[0.5, 0.2, 0.3])],
            colour=5 if grey else int(rng.integers(shades)),
            line=rng.uniform(-5.0, 5.0),
            recess=rng.uniform(0.0, 8.0),
            peak=rng.uniform(-1.0, 6.0),
            part=rng.uniform(-0.7, 0.7),
            volume=rng.uniform(2.0, 10.0),
            wave=rng.uniform(0.0, 1.0),
            jags=tuple(rng.uniform(size=7).tolist()),
        )


@dataclass(frozen=True)
class Beard:
    """Hair of the face.

    Attributes:
        cut: its style.
        height: how far it climbs the cheeks, px.
        length: how far it hangs below the chin, px.
    """

    cut: BeardCut
    height: float
    length: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A beard at random, most often none."""
        return cls(
            cut=_BEARDS[rng.choice(5, p=[0.68, 0.1, 0.06, 0.06, 0.1])],
            height=rng.uniform(-4.0, 5.0),
            length=rng.uniform(0.0, 5.0),
        )


@dataclass(frozen=True)
class Marks:
    """Moles, freckles, scars and lines of the skin.

    Attributes:
        moles: (x, y, radius) of each, px in the face.
        freckles: (x, y, radius) of each, px in the face.
        scar: (x, y, length, angle) in px and rad, or none.
        forehead_lines: 0..1, how deep.
        smile_lines: 0..1, how deep.
        crow_feet: 0..1, how deep.
        dimple: 0..1, depth of the one in the chin.
    """

    moles: tuple[tuple[float, float, float], ...]
    freckles: tuple[tuple[float, float, float], ...]
    scar: tuple[float, float, float, float] | None
    forehead_lines: float
    smile_lines: float
    crow_feet: float
    dimple: float

    @classmethod
    def draw(cls, rng: np.random.Generator, age: float) -> Self:
        """Marks at random; lines deepen with ``age`` 0..1."""
        freckled = rng.random() < 0.25
        scarred = rng.random() < 0.12
        moles = _spots(rng, int(rng.integers(0, 4)), 30.0, (0.6, 1.1))
        freckles = _spots(rng, int(rng.integers(14, 32)), 26.0, (0.3, 0.6)) if freckled else ()
        x, y = rng.uniform((-28, -30), (28, 30))
        scar = (x, y, rng.uniform(5, 11), rng.uniform(0, np.pi)) if scarred else None
        forehead, smile, eyes = np.clip(
            age * 1.5 - 0.3 + rng.uniform(-0.25, 0.25, 3), 0, 1
        ).tolist()
        dimple = max(0.0, rng.uniform(-1.5, 1.0))
        return cls(moles, freckles, scar, forehead, smile, eyes, dimple)


@dataclass(frozen=True)
class Glasses:
    """The glasses of a person; they do not wear them in every image.

    Attributes:
        owned: whether they have any.
        width: half width of a lens, px.
        height: half height of a lens, px.
        squareness: 2 ellipse .. 6 almost a rectangle.
        rim: width of the rim, px.
        colour: index into ``FRAME``.
    """

    owned: bool
    width: float
    height: float
    squareness: float
    rim: float
    colour: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Glasses at random; one person in five owns some."""
        return cls(
            owned=bool(rng.random() < 0.2),
            width=rng.uniform(11.5, 14.5),
            height=rng.uniform(8.0, 12.0),
            squareness=rng.uniform(2.0, 5.0),
            rim=rng.uniform(0.8, 2.2),
            colour=int(rng.integers(len(FRAME))),
        )


def _spots(
    rng: np.random.Generator, count: int, spread: float, radius: tuple[float, float]
) -> tuple[tuple[float, float, float], ...]:
    x = rng.uniform(-spread, spread, count)
    y = rng.uniform(-4.0 - 0.3 * spread, 24.0, count)
    return tuple(zip(x.tolist(), y.tolist(), rng.uniform(*radius, count).tolist(), strict=True))
