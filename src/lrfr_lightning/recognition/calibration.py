"""Thresholds for a model from faces of many people, at every resolution of interest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import FaceDataset, Image, ImageSource
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.embedders.extraction import extract
from lrfr_lightning.functional.calibration import (
    alarm_chance,
    far_interval,
    others,
    thresholds_at,
)
from lrfr_lightning.functional.identification_intervals import person_intervals
from lrfr_lightning.functional.templates import inverse_lengths
from lrfr_lightning.protocols.base import FULL_RESOLUTION
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.recognition.faces import check_resolution, face_of
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.recognition.thresholds import RateTable, Thresholds
from lrfr_lightning.utils.errors import ConfigError, DataError

RESOLUTIONS = (112, 80, 56, 40, 28, 20, 14, 10, 7)
"""A factor of 1.4 apart, px: between two of them the threshold is interpolated."""

RATES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 3e-4, 1e-4, 3e-5, 1e-5)
"""Beside the wished one, as far as the counts resolve them."""

SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000)
"""People in the gallery, as far as there are; and all."""

Rows = Mapping[int, NDArray[np.float32]]


@dataclass(frozen=True)
class Wish:
    """What is calibrated.

    Attributes:
        fpir: of open-set identification, 0..1; None: not calibrated.
        far: of verification, 0..1; None: not calibrated.
        resolutions: of the probes, px; 112 is always among them.
        most: people, drawn by seed where there are more: memory is some 25 bytes for each pair.
    """

    fpir: float | None = 0.01
    far: float | None = 0.001
    resolutions: Sequence[int] = RESOLUTIONS
    most: int = 5000

    def check(self, people: int) -> None:
        """Refuse what so many people cannot tell, before anything is embedded.

        Raises:
            ConfigError: nothing is wished, a resolution lies outside 7..112, or a rate outside
                0..1.
            DataError: not one false alarm is expected among so many people.
        """
        for resolution in self.resolutions:
            check_resolution(resolution)
        rates = {"fpir": self.fpir, "far": self.far}
        given = {name: rate for name, rate in rates.items() if rate is not None}
        if not given or not all(0 < rate < 1 for rate in given.values()):
            raise ConfigError(
                f"expected a rate above 0 and below 1 for fpir, far or both, got {rates}"
            )
        counts = {"fpir": people, "far": people * (people - 1) // 2}
        for name, rate in given.items():
            if rate * counts[name] < 1:
                kind = "searches" if name == "fpir" else "impostor pairs"
                raise DataError(
                    f"{name} {rate:g} needs {round(1 / rate):,} {kind}, since else not even one "
                    f"false alarm can be told from none; {people:,} people make "
                    f"{counts[name]:,}: wish for a higher rate or calibrate on more people"
                )


def calibrate(
    recogniser: Recogniser, faces: FaceDataset, name: str, wish: Wish | None = None
) -> Thresholds:
    """Calibrate on one image, the first, of each person of a data set.

    Every person is looked for among all the others, at each resolution, in galleries of 112 px.

    Args:
        recogniser: the model.
        faces: aligned faces of at least 112 px; nobody whom the model was trained on, for such
            people's scores are lower than strangers'.
        name: of the faces, for the file.
        wish: rates and resolutions; by default FPIR 0.01, FAR 0.001 at ``RESOLUTIONS``.

    Raises:
        ConfigError: see :meth:`Wish.check`.
        DataError: likewise; or an image is no cropped face of 112 px.
    """
    wish = wish or Wish()
    _, first = np.unique(faces.labels, return_index=True)
    if len(first) > wish.most:
        first = np.sort(np.random.default_rng(0).choice(first, wish.most, replace=False))
    wish.check(len(first))
    rows = _embed(recogniser, faces, first, wish.resolutions)
    return Thresholds(
        model=recogniser.embedder.name,
        fingerprint=recogniser.fingerprint,
        flip=recogniser.flip,
        faces=name,
        people=len(first),
        search=None if wish.fpir is None else search_table(rows, wish.fpir),
        pairs=None if wish.far is None else pair_table(rows, wish.far),
    )


def search_table(rows: Rows, fpir: float) -> RateTable:
    """FPIR of people ``(P, D)`` at each resolution, each looked for among the others at 112 px."""
    sides, people = sorted(rows), len(rows[FULL_RESOLUTION])
    sizes = [size for size in SIZES if size < people - 1] + [people - 1]
    rates = _rates(fpir, people)
    threshold, interval = [], []
    for side in sides:
        scores = others(rows[side] @ rows[FULL_RESOLUTION].T)
        threshold.append(thresholds_at(scores, sizes, rates))
        own = threshold[-1][:, rates.index(fpir)]
        chances = {str(n): alarm_chance(scores, t, n) for n, t in zip(sizes, own, strict=True)}
        interval.append(list(person_intervals(np.arange(people), chances).values()))
    return _table((sides, sizes, rates), fpir, threshold, interval, people)


def pair_table(rows: Rows, far: float) -> RateTable:
    """FAR of all pairs of people ``(P, D)``, each side at each resolution."""
    sides, people = sorted(rows), len(rows[FULL_RESOLUTION])
    pairs = people * (people - 1) // 2
    rates = _rates(far, pairs)
    threshold = np.empty((len(sides), len(sides), len(rates)))
    interval = np.empty((len(sides), len(sides), 2))
    for i, one in enumerate(sides):
        for j, other in enumerate(sides[: i + 1]):
            scores = rows[one] @ rows[other].T
            found = thresholds_at(others(scores), [1], rates)[0]
            threshold[i, j] = threshold[j, i] = found
            accepted = scores >= found[rates.index(far)]
            interval[i, j] = interval[j, i] = far_interval(accepted)
    return _table((sides, sides, rates), far, threshold, interval, pairs)


def _table(
    axes: tuple[list[int], list[int], list[float]],
    wished: float,
    threshold: list[NDArray[np.float64]] | NDArray[np.float64],
    interval: list[list[list[float]]] | NDArray[np.float64],
    count: int,
) -> RateTable:
    first, second, rates = (tuple(axis) for axis in axes)
    numbers = np.round(np.asarray(threshold), 8).tolist()
    ends = np.asarray(interval).tolist()
    return RateTable(first, second, rates, wished, numbers, ends, count)  # type: ignore[arg-type]


def _rates(wished: float, count: int) -> list[float]:
    return sorted({rate for rate in (*RATES, wished) if rate * count >= 1}, reverse=True)


def _embed(
    recogniser: Recogniser, faces: FaceDataset, chosen: NDArray[np.int64], sides: Sequence[int]
) -> dict[int, NDArray[np.float32]]:
    """Embeddings of length 1 of some images at each resolution."""
    everyone = Templates.single(np.arange(len(chosen)), np.arange(len(chosen)))
    shown = IdentificationProtocol(
        "calibration",
        Whole(faces, chosen),
        everyone,
        everyone,
        sorted({FULL_RESOLUTION, *sides}),
        degraded="first",
        flip=recogniser.flip,
    )
    found = extract(recogniser.embedder, shown)
    rows = {side: e * inverse_lengths(e)[:, None] for side, e in found.items() if side is not None}
    if not all(np.isfinite(own).all() for own in rows.values()):
        raise DataError(f"{recogniser.embedder.name} gives embeddings that are zero or not finite")
    return {side: own.astype(np.float32) for side, own in rows.items()}


class Whole(ImageSource):
    """Some faces of a data set, brought to 112 px.

    Args:
        faces: the data set.
        chosen: int64 ``(N,)``, positions in it.
    """

    def __init__(self, faces: FaceDataset, chosen: NDArray[np.int64]) -> None:
        self.faces = faces
        self.chosen = chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def image(self, index: int) -> Image:
        """uint8 ``(112, 112, 3)`` RGB.

        Raises:
            DataError: no cropped face, or one below 112 px, of which no threshold would hold.
        """
        face = face_of(self.faces.image(int(self.chosen[index])), self.describe(index))
        if face.resolution < FULL_RESOLUTION:
            raise DataError(
                f"{self.describe(index)}: expected a face of at least {FULL_RESOLUTION} px to "
                f"calibrate on, got {face.resolution} px; leave it out"
            )
        return face.image

    def describe(self, index: int) -> str:
        """Where the image comes from."""
        return self.faces.describe(int(self.chosen[index]))
