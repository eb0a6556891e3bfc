"""Who is in the embedded faces, and how each of their images follows from numbers alone."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.embedded.names import invented_name
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.render import render
from lrfr_lightning.datasets.embedded.variation import Variation
from lrfr_lightning.utils.errors import DataError

Split = Literal["train", "test"]
"""Train and test people are drawn from different random streams: no identity is in both."""


@dataclass(frozen=True)
class Population:
    """The people of one data set and how many images each of them has.

    Attributes:
        identities: number of people, at least 2.
        images_per_identity: number of images of each, at least 1.
        split: which people.
        seed: 0 or above; another seed gives other people.

    Raises:
        DataError: a value lies outside these ranges.
    """

    identities: int
    images_per_identity: int
    split: Split
    seed: int

    def __post_init__(self) -> None:
        _at_least(self.identities, 2, "identities")
        _at_least(self.images_per_identity, 1, "images_per_identity")
        _at_least(self.seed, 0, "seed")
        if self.split not in get_args(Split):
            raise DataError(f"split: expected 'train' or 'test', got {self.split!r}")

    def __len__(self) -> int:
        return self.identities * self.images_per_identity

    def name(self, identity: int) -> str:
        """The invented name of a person, different for every identity of both splits."""
        return invented_name(2 * identity + self._stream() + 7919 * self.seed)

    def face(self, identity: int) -> FaceParameters:
        """What a person looks like."""
        return FaceParameters.draw(self._generator(identity, 0))

    def image(self, index: int) -> Image:
        """Render image ``index`` (identity-major): uint8 ``(112, 112, 3)`` RGB."""
        identity, number = divmod(index, self.images_per_identity)
        rng = self._generator(identity, 1 + number)
        return render(self.face(identity), Variation.draw(rng), rng)

    def _stream(self) -> int:
        return get_args(Split).index(self.split)

    def _generator(self, identity: int, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self._stream(), identity, stream])


def _at_least(value: int, least: int, name: str) -> None:
    if value < least:
        raise DataError(f"embedded faces: expected {name} of at least {least}, got {value}")
