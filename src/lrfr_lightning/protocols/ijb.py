"""IJB-B and IJB-C: verification of templates."""

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.ijb import Benchmark, read_faces, read_pairs
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.functional.subsets import spread
from lrfr_lightning.functional.verification import area_under_curve, equal_error_rate, tar_at_far
from lrfr_lightning.protocols.base import Conditions, Embeddings, Protocol
from lrfr_lightning.protocols.curves import roc_curve
from lrfr_lightning.protocols.ijb_templates import Pooling, side
from lrfr_lightning.protocols.result import ProtocolResult, Resolution

_BLOCK = 2**14
"""Pairs whose embeddings are held at once."""


class IJBVerification(Protocol):
    """TAR at FAR 1e-1 to 1e-6, AUC and EER over pairs of templates.

    Faces are aligned by their five landmarks. A template is the sum over its media of the mean over
    each medium's faces, at length 1.

    Args:
        root: folder that holds ``meta/`` and ``loose_crop/``.
        benchmark: ``ijbb`` or ``ijbc``.
        detector: weigh each face by the detector's confidence, as InsightFace's evaluation does.
        lengths: keep the lengths of embeddings, as there.
        resolutions: sides to degrade to, px.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`; ``deck``
            has the bilinear kernels of the slides, nothing else.

    Raises:
        DataError: root, lists or images are missing or malformed.
    """

    fars: Sequence[float] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    """Where TAR is measured."""

    def __init__(
        self,
        root: str,
        benchmark: Benchmark = "ijbc",
        detector: bool = True,
        lengths: bool = True,
        resolutions: Sequence[Resolution] = (112,),
        **conditions: Unpack[Conditions],
    ) -> None:
        faces = read_faces(root, benchmark)
        images = faces.images
        super().__init__(benchmark, images, resolutions, **conditions)
        first, second, self.same = read_pairs(root, benchmark)
        self.first, self.of_first = side(first, faces)
        self.second, self.of_second = side(second, faces)
        self.pool = Pooling(faces, detector, lengths)

    def sides(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the images in templates that stand first, and second, in a pair."""
        return np.unique(self.first.image), np.unique(self.second.image)

    def reduce(self, share: float) -> None:
        """Keep a share of the genuine and of the impostor pairs, and the templates they name."""
        chosen = spread(self.same.astype(np.int64), share)
        self.same = self.same[chosen]
        self.first, self.of_first = _used(self.first, self.of_first[chosen])
        self.second, self.of_second = _used(self.second, self.of_second[chosen])

    def evaluate(
        self, embeddings: Mapping[Resolution, Embeddings], model: str
    ) -> list[ProtocolResult]:
        """One result per comparison of resolutions."""
        return [self._result(embeddings, model, *shown) for shown in self.comparisons]

    def scores(
        self, embeddings: Mapping[Resolution, Embeddings], first: Resolution, second: Resolution
    ) -> NDArray[np.float64]:
        """Cosine of each pair of templates, float64 ``(N,)``, -1..1; in blocks of pairs."""
        one = self.pool(embeddings[first], self.first)
        other = self.pool(embeddings[second], self.second)
        starts = range(0, len(self.same), _BLOCK)
        parts = [
            np.einsum(
                "nd,nd->n",
                one[self.of_first[start : start + _BLOCK]],
                other[self.of_second[start : start + _BLOCK]],
            )
            for start in starts
        ]
        return np.concatenate(parts)

    def _result(
        self,
        embeddings: Mapping[Resolution, Embeddings],
        model: str,
        first: Resolution,
        second: Resolution,
    ) -> ProtocolResult:
        scores, same = self.scores(embeddings, first, second), self.same
        metrics: dict[str, float | None] = {
            "auc": area_under_curve(scores, same),
            "eer": equal_error_rate(scores, same),
        }
        metrics |= {f"tar@far={far:g}": tar_at_far(scores, same, far) for far in self.fars}
        return ProtocolResult(
            model=model,
            protocol=self.name,
            **self.conditions(first, second),
            metrics=metrics,
            counts=self._counts(),
            curves=roc_curve(scores, same, lowest=min(self.fars)),
        )

    def _counts(self) -> dict[str, int]:
        genuine = int(np.count_nonzero(self.same))
        return {
            "images": len(np.union1d(*self.sides())),
            "pairs": len(self.same),
            "genuine": genuine,
            "impostor": len(self.same) - genuine,
        }


def _used(templates: Templates, row: NDArray[np.int64]) -> tuple[Templates, NDArray[np.int64]]:
    """The templates that some pairs name, and where each pair's is among them."""
    used, place = np.unique(row, return_inverse=True)
    return templates.take(used), place.ravel()
