"""What a verification result shows of its pairs: curves, and the hardest ones as pictures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.functional.sharpness import image_sharpness
from lrfr_lightning.protocols.base import Embeddings, Protocol
from lrfr_lightning.protocols.curves import score_histograms, score_sample
from lrfr_lightning.protocols.examples import pair_examples
from lrfr_lightning.protocols.outcomes import items_hash
from lrfr_lightning.protocols.result import Resolution


class PairDetails:
    """The pairs of a protocol with their embeddings, each side at its resolution.

    Args:
        protocol: whose images are shown.
        pairs: positions of its images.
        embeddings: float ``(len(images), D)`` for each resolution.
        shown: the resolutions of the first and of the second side.
    """

    def __init__(
        self,
        protocol: Protocol,
        pairs: VerificationPairs,
        embeddings: Mapping[Resolution, Embeddings],
        shown: tuple[Resolution, Resolution],
    ) -> None:
        self.protocol = protocol
        self.pairs = pairs
        self.embeddings = embeddings
        self.shown = shown

    def curves(self, scores: Embeddings) -> dict[str, list[float]]:
        """Histograms of the scores, and the sample if images are read again."""
        histograms = score_histograms(scores, self.pairs.same)
        if not self._pictured:
            return histograms
        return histograms | score_sample(scores, self.pairs.same, self._norm, self._sharpness)

    def examples(self, scores: Embeddings) -> list[dict[str, Any]]:
        """The hardest pairs of each kind."""
        if not self._pictured:
            return []
        return pair_examples(
            scores,
            self.pairs.same,
            self.protocol.examples,
            lambda pair: [self.protocol.images.name(i) for i, _ in self._sides(pair)],
            lambda pair: [self.protocol.picture(i, r) for i, r in self._sides(pair)],
        )

    @property
    def _pictured(self) -> bool:
        """A matrix shows no pictures: they are those of its single resolutions."""
        return self.protocol.examples > 0 and self.protocol.degraded != "matrix"

    def _sides(self, pair: int) -> list[tuple[int, Resolution]]:
        positions = int(self.pairs.first[pair]), int(self.pairs.second[pair])
        return list(zip(positions, self.shown, strict=True))

    def _norm(self, pair: int) -> float:
        return min(float(np.linalg.norm(self.embeddings[r][i])) for i, r in self._sides(pair))

    def _sharpness(self, pair: int) -> float:
        return min(image_sharpness(self.protocol.view(i, r)) for i, r in self._sides(pair))


def pair_items(protocol: Protocol, pairs: VerificationPairs) -> str:
    """The hash that says which pairs were compared, in which order, and which are genuine."""
    name = protocol.images.name
    sides = zip(pairs.first, pairs.second, pairs.same, strict=True)
    return items_hash(f"{name(int(a))}\t{name(int(b))}\t{int(same)}" for a, b, same in sides)
