"""SCface: rank-1 of surveillance images among mugshots, by distance, light and camera."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.scface import (
    CAMERAS,
    DAY,
    DISTANCES,
    Failures,
    Subjects,
    SurveillanceProbes,
    read_scface,
)
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.functional.identification import Search, rank_rate
from lrfr_lightning.protocols.base import Conditions
from lrfr_lightning.protocols.identification import IdentificationProtocol, Looked
from lrfr_lightning.protocols.result import ProtocolResult, Resolution


class SCfaceIdentification(IdentificationProtocol):
    """One result per distance, ``scface-d1`` (4.20 m) to ``scface-d3`` (1.00 m).

    Metrics: ``rank1`` over all cameras, ``rank1/day`` (cameras 1 to 5), ``rank1/night`` (6 and 7),
    ``rank1/cam1`` to ``rank1/cam7``, and ``rank5``, ``map`` over all. Papers measure all 130
    people, or 80 that fine-tuning has not seen; the slides all, and left out, without a word, some
    144 of 2,730 probes in which no face was found.

    Args:
        root: folder that holds ``mugshot_frontal_cropped_all/`` and
            ``surveillance_cameras_distance_1/`` to ``_3/``, with faces cut out or aligned.
        subjects: ``all`` with a mugshot, or ``test``: those from number 51 (``scface-test-d1``).
        failures: what a probe without an image, in which no face was found, is: an ``error``;
            ``count_as_miss``: not recognised at any rank; ``drop``: left out. ``failed`` in the
            counts says how many there are.
        resolutions: None shows all as they are, enlarged to 112 px; px need aligned faces of
            112x112 px.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`; ``deck``
            has the bilinear kernels of the slides, nothing else; they
            dropped failures.

    Raises:
        ConfigError: no such subjects, policy or resolution.
        DataError: mugshots are missing, or probes are with ``error``.
    """

    ranks = (1, 5)

    def __init__(
        self,
        root: str,
        subjects: Subjects = "all",
        failures: Failures = "error",
        resolutions: Sequence[Resolution] = (None,),
        **conditions: Unpack[Conditions],
    ) -> None:
        images, people, self.wanted = read_scface(root, subjects, failures)
        self.failures: Failures = failures
        there = self.wanted.image >= 0
        super().__init__(
            "scface" if subjects == "all" else f"scface-{subjects}",
            images,
            gallery=Templates.single(np.arange(len(people)), people),
            probes=Templates.single(self.wanted.image[there], self.wanted.person[there]),
            resolutions=resolutions,
            **conditions,
        )

    def reduce(self, share: float) -> None:
        """Keep a share of the people, with all their probes."""
        super().reduce(share)
        self.wanted = self.wanted.take(np.isin(self.wanted.person, self.gallery.person))

    def results(self, looked: Looked) -> list[ProtocolResult]:
        """One result per distance."""
        found, there = looked.found, self.wanted.image >= 0
        if self.failures == "count_as_miss":
            found, there = found.with_missed(self.wanted.person, there), np.ones_like(there)
        distance, camera = self.wanted.distance[there], self.wanted.camera[there]
        made = []
        for number in DISTANCES:
            own = found.take(distance == number)
            result = self.result(f"{self.name}-d{number}", replace(looked, found=own))
            result.metrics.update(by_camera(own, camera[distance == number]))
            result.counts["failed"] = failed(self.wanted, number)
            made.append(result)
        return made


def by_camera(found: Search, camera: NDArray[np.int64]) -> dict[str, float | None]:
    """Rank-1 by day, by night and of each camera; None where a camera has no probe."""
    day = np.isin(camera, DAY)
    parts = {"day": day, "night": ~day} | {f"cam{c}": camera == c for c in CAMERAS}
    rates = {name: rank_rate(found.take(own), 1) for name, own in parts.items()}
    return {f"rank1/{name}": None if np.isnan(rate) else rate for name, rate in rates.items()}


def failed(wanted: SurveillanceProbes, distance: int) -> int:
    """Probes of a distance that have no image."""
    return int(np.count_nonzero((wanted.image < 0) & (wanted.distance == distance)))
