"""Identification at several resolutions: probes looked for in a gallery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import ImageSource
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.functional.identification import (
    NOBODY,
    Search,
    mean_average_precision,
    rank_rate,
    search_over_ranks,
)
from lrfr_lightning.functional.identification_intervals import search_intervals
from lrfr_lightning.functional.open_set import open_set_area, tpir_at_fpir
from lrfr_lightning.functional.subsets import some_of, spread
from lrfr_lightning.functional.templates import mean_templates
from lrfr_lightning.protocols.base import Conditions, Embeddings, Protocol
from lrfr_lightning.protocols.result import ProtocolResult, Resolution
from lrfr_lightning.protocols.search_details import (
    search_curves,
    search_details,
    search_outcomes,
)


@dataclass(frozen=True)
class Looked:
    """A search and what it was made of.

    Attributes:
        found: what came of it.
        model: the model's name.
        embeddings: float ``(len(images), D)`` for each resolution.
        shown: the resolutions of probes and gallery.
    """

    found: Search
    model: str
    embeddings: Mapping[Resolution, Embeddings]
    shown: tuple[Resolution, Resolution]


class IdentificationProtocol(Protocol):
    """Look for each probe in the gallery, both as templates of one or more images.

    A template is the normalised mean of its images' normalised embeddings. Ties count against the
    probe, see :mod:`~lrfr_lightning.functional.identification`. Probes whose person is not in the
    gallery are unmated: they measure false alarms alone. The *first* side of a comparison is the
    probe, the *second* the gallery.

    Args:
        name: see :class:`~lrfr_lightning.protocols.base.Protocol`, as all but the templates.
        images: every image of the protocol once.
        gallery: who is enrolled.
        probes: who is looked for.
        resolutions: sides to degrade to, px, or None for native images.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`.

    Raises:
        ConfigError: no resolution, one outside 1..112, or no such control.
    """

    ranks: Sequence[int] = (1, 5, 20)
    """The rank rates that are measured."""

    fpirs: Sequence[float] = (0.3, 0.2, 0.1, 0.01)
    """Where TPIR is measured, if there are unmated probes."""

    within: int = 1
    """The rank that a mate needs in open-set identification."""

    def __init__(
        self,
        name: str,
        images: ImageSource,
        gallery: Templates,
        probes: Templates,
        resolutions: Sequence[Resolution] = (112, 56, 28, 14, 7),
        **conditions: Unpack[Conditions],
    ) -> None:
        super().__init__(name, images, resolutions, **conditions)
        self.gallery = gallery
        self.probes = probes

    def sides(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the probes' images, and of the gallery's."""
        return np.unique(self.probes.image), np.unique(self.gallery.image)

    def reduce(self, share: float) -> None:
        """Keep a share of the enrolled people, of the distractors and of the unmated probes."""
        enrolled = np.unique(self.gallery.person[self.gallery.person != NOBODY])
        people = enrolled[spread(np.zeros(len(enrolled), np.int64), share)]
        # a probe's person may have a number, and yet stand in no gallery
        wanted = np.where(np.isin(self.probes.person, enrolled), self.probes.person, NOBODY)
        self.gallery = self.gallery.take(some_of(self.gallery.person, people, share))
        self.probes = self.probes.take(some_of(wanted, people, share))

    def evaluate(
        self, embeddings: Mapping[Resolution, Embeddings], model: str
    ) -> list[ProtocolResult]:
        """One result per comparison of resolutions."""
        return [
            result
            for shown in self.comparisons
            for result in self.results(self.look(embeddings, model, shown))
        ]

    def look(
        self,
        embeddings: Mapping[Resolution, Embeddings],
        model: str,
        shown: tuple[Resolution, Resolution],
    ) -> Looked:
        """Look for every probe, probes and gallery each at its resolution.

        Raises:
            DataError: an embedding is zero or not finite.
        """
        probes = self.pool(embeddings[shown[0]], self.probes)
        gallery = self.pool(embeddings[shown[1]], self.gallery)
        found = search_over_ranks(probes, self.probes.person, gallery, self.gallery.person)
        return Looked(found, model, embeddings, shown)

    def pool(self, embeddings: Embeddings, templates: Templates) -> NDArray[np.float64]:
        """Embeddings of images ``(len(images), D)`` → those of templates, float64 ``(T, D)``."""
        return mean_templates(embeddings[templates.image], templates.template, len(templates))

    def results(self, looked: Looked) -> list[ProtocolResult]:
        """What a search is worth; one result, unless a protocol tells kinds of probes apart."""
        return [self.result(self.name, looked)]

    def result(self, name: str, looked: Looked) -> ProtocolResult:
        """All that is measured on a search, under a protocol's name."""
        found = looked.found
        metrics, thresholds = self.measure(found)
        sides = self.probes, self.gallery
        curves, examples = search_details(self, found, sides, looked.embeddings, looked.shown)
        return ProtocolResult(
            model=looked.model,
            protocol=name,
            **self.conditions(*looked.shown),
            metrics=metrics,
            counts=self.counts(found),
            thresholds=thresholds,
            curves=search_curves(found, len(self.gallery), self.within) | curves,
            intervals=search_intervals(found, self.ranks, self.intervals),
            outcomes=search_outcomes(name, self, found, *sides).to_json(),
            examples=examples,
        )

    def measure(self, found: Search) -> tuple[dict[str, float | None], dict[str, float]]:
        """Metrics by name, and the thresholds behind those that have one."""
        metrics: dict[str, float | None] = {f"rank{k}": rank_rate(found, k) for k in self.ranks}
        metrics["map"] = mean_average_precision(found)
        if found.mated.all():
            return metrics, {}
        name = "tpir" if self.within == 1 else f"tpir{self.within}"
        open_set = {f"{name}@fpir={f:g}": tpir_at_fpir(found, f, self.within) for f in self.fpirs}
        metrics |= {key: tpir for key, (tpir, _) in open_set.items()}
        metrics["auc"] = open_set_area(found, self.within)
        # beyond six digits a float32 cosine says nothing
        limits = {key: round(t, 6) for key, (_, t) in open_set.items() if np.isfinite(t)}
        return metrics, limits

    def counts(self, found: Search) -> dict[str, int]:
        """How much was measured."""
        mated = int(np.count_nonzero(found.mated))
        return {
            "images": len(np.union1d(*self.sides())),
            "probes": len(found),
            "mated": mated,
            "unmated": len(found) - mated,
            "gallery": len(self.gallery),
            "people": len(np.unique(self.gallery.person[self.gallery.person >= 0])),
            "distractors": int(np.count_nonzero(self.gallery.person < 0)),
        }
