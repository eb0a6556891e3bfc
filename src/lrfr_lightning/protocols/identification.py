"""Identification at several resolutions: probes looked for in a gallery."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import ImageSource
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.functional.controls import Control
from lrfr_lightning.functional.identification import (
    NOBODY,
    Search,
    cmc,
    open_set_area,
    open_set_curve,
    rank_rate,
    search,
    tpir_at_fpir,
)
from lrfr_lightning.functional.resize import Kernel
from lrfr_lightning.functional.subsets import spread
from lrfr_lightning.functional.templates import mean_templates
from lrfr_lightning.protocols.base import Embeddings, Protocol
from lrfr_lightning.protocols.result import ProtocolResult, Resolution, Setting, Side

_CMC_RANKS = 100
_CURVE_POINTS = np.logspace(-4, 0, 61)


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
        setting: ``standard`` or ``deck``.
        degraded: which side is degraded.
        down: kernel that shrinks.
        up: kernel that enlarges.
        flip: add the embedding of the mirrored image.
        control: what is taken from each face before it is degraded.

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
        setting: Setting = "standard",
        degraded: Side = "both",
        down: Kernel | None = None,
        up: Kernel | None = None,
        flip: bool = False,
        control: Control = "none",
    ) -> None:
        super().__init__(name, images, resolutions, setting, degraded, down, up, flip, control)
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
        self.gallery = self.gallery.take(_kept(self.gallery.person, people, share))
        self.probes = self.probes.take(_kept(wanted, people, share))

    def evaluate(
        self, embeddings: Mapping[Resolution, Embeddings], model: str
    ) -> list[ProtocolResult]:
        """One result per comparison of resolutions."""
        return [
            result
            for probe, gallery in self.comparisons
            for result in self.results(
                self.search(embeddings[probe], embeddings[gallery]), model, probe, gallery
            )
        ]

    def search(self, probes: Embeddings, gallery: Embeddings) -> Search:
        """Look for every probe.

        Args:
            probes: float ``(len(images), D)`` at the probes' resolution.
            gallery: float ``(len(images), D)`` at the gallery's.

        Raises:
            DataError: an embedding is zero or not finite.
        """
        return search(
            self.pool(probes, self.probes),
            self.probes.person,
            self.pool(gallery, self.gallery),
            self.gallery.person,
        )

    def pool(self, embeddings: Embeddings, templates: Templates) -> NDArray[np.float64]:
        """Embeddings of images ``(len(images), D)`` → those of templates, float64 ``(T, D)``."""
        return mean_templates(embeddings[templates.image], templates.template, len(templates))

    def results(
        self, found: Search, model: str, probe: Resolution, gallery: Resolution
    ) -> list[ProtocolResult]:
        """What a search is worth; one result, unless a protocol tells kinds of probes apart."""
        return [self.result(self.name, found, model, probe, gallery)]

    def result(
        self, name: str, found: Search, model: str, probe: Resolution, gallery: Resolution
    ) -> ProtocolResult:
        """All metrics of a search, under a protocol's name."""
        metrics, thresholds = self.measure(found)
        return ProtocolResult(
            model=model,
            protocol=name,
            setting=self.setting,
            resolution=gallery if self.degraded == "second" else probe,
            gallery_resolution=gallery if self.degraded == "matrix" else None,
            degraded=self.degraded,
            down=str(self.down),
            up=str(self.up),
            flip=self.flip,
            control=self.control,
            metrics=metrics,
            counts=self.counts(found),
            thresholds=thresholds,
            curves=curves(found, len(self.gallery), self.within),
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


def _kept(person: NDArray[np.int64], people: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Positions of all templates of some people, and of a share of nobody's."""
    nobody = np.flatnonzero(person == NOBODY)
    strangers = nobody[spread(np.zeros(len(nobody), np.int64), share)]
    return np.union1d(np.flatnonzero(np.isin(person, people)), strangers)


def mean_average_precision(found: Search) -> float:
    """Mean of the average precision over mated probes, 0..1; NaN without any."""
    own = found.precision[found.mated]
    return float(np.mean(own)) if len(own) else float("nan")


def curves(found: Search, gallery: int, within: int) -> dict[str, list[float]]:
    """CMC of a search, and its DET where there are unmated probes, at FPIRs even on a log axis."""
    most = min(_CMC_RANKS, gallery)
    drawn = {"rank": list(map(float, range(1, most + 1))), "cmc": cmc(found, most).tolist()}
    fpir, tpir, _ = open_set_curve(found, within)
    if len(fpir):
        kept = np.unique(np.searchsorted(fpir, _CURVE_POINTS, side="right") - 1)
        drawn |= {"fpir": fpir[kept].tolist(), "fnir": (1 - tpir[kept]).tolist()}
    return drawn
