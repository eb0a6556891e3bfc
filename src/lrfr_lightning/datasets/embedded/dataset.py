"""The embedded faces as a data set."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import FaceDataset, Image
from lrfr_lightning.datasets.embedded.cache import cache_path, fill_cache, open_cache
from lrfr_lightning.datasets.embedded.population import Population, Split


class EmbeddedFaces(FaceDataset):
    """Drawn faces of invented people: nothing to download, any number of identities.

    Images are uint8 ``(112, 112, 3)`` RGB, in the place of an ArcFace five-point-aligned crop,
    ordered by identity. Each follows from (seed, split, identity, image number) alone. Accuracy
    falls with resolution, because eyes, brows, nose, mouth, hairline and marks make the person.

    With ``cache`` the constructor renders all images once into a memory-mapped file below
    ``$LRFR_CACHE`` (``~/.cache/lrfr_lightning`` if unset); several processes may do so at once.
    In distributed training construct it first on one rank (``prepare_data``), which spares the
    other ranks the rendering.

    Args:
        identities: number of people, at least 2.
        images_per_identity: images of each, at least 1.
        split: train and test people are never the same.
        seed: 0 or above; another seed gives other people.
        cache: render once into a file; otherwise render at each access, about 3 ms per image.

    Raises:
        DataError: an argument lies outside its range.
    """

    def __init__(
        self,
        identities: int = 1000,
        images_per_identity: int = 16,
        split: Split = "train",
        seed: int = 0,
        cache: bool = True,
    ) -> None:
        self.population = Population(identities, images_per_identity, split, seed)
        self.labels = np.repeat(np.arange(identities), images_per_identity).astype(np.int64)
        self.identities = [self.population.name(identity) for identity in range(identities)]
        self.cache = cache_path(self.population) if cache else None
        if self.cache is not None:
            fill_cache(self.population, self.cache)

    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(112, 112, 3)`` RGB, a copy that may be written to.

        Raises:
            IndexError: ``index`` is not in 0..len-1.
            DataError: the cache file was removed since construction.
        """
        self._check(index)
        if self.cache is None:
            return self.population.image(index)
        return np.array(self._pixels[index])

    def describe(self, index: int) -> str:
        """Name, number and stream of image ``index``, e.g. ``embedded face Velo_Tarin 3 ...``."""
        self._check(index)
        name, population = self.identities[self.labels[index]], self.population
        number = index % population.images_per_identity + 1
        return f"embedded face {name} {number} ({population.split}, seed {population.seed})"

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_pixels"}

    @cached_property
    def _pixels(self) -> NDArray[np.uint8]:
        assert self.cache is not None
        return open_cache(self.cache)

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"expected an image index in 0..{len(self) - 1}, got {index}")
