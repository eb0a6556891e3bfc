"""How a model and its calibrated thresholds do on people whom neither has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import FaceDataset, Image
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.embedders.cache import CachedEmbedder
from lrfr_lightning.embedders.extraction import extract_shown, signed
from lrfr_lightning.functional.identification_intervals import person_intervals
from lrfr_lightning.protocols.base import Embeddings
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.protocols.result import ProtocolResult, Resolution
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.recognition.thresholds import RateTable
from lrfr_lightning.utils.errors import ConfigError, DataError


class Chosen(FaceDataset):
    """Some people of a data set, with all their images.

    Args:
        faces: the data set.
        people: int64 ``(K,)``, labels in it.
    """

    def __init__(self, faces: FaceDataset, people: NDArray[np.int64]) -> None:
        self.faces = faces
        self._rows = np.flatnonzero(np.isin(faces.labels, people))
        chosen, self.labels = np.unique(faces.labels[self._rows], return_inverse=True)
        self.identities = [faces.identities[label] for label in chosen]

    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(H, W, 3)`` RGB."""
        return self.faces.image(int(self._rows[index]))

    def describe(self, index: int) -> str:
        """Where it comes from."""
        return self.faces.describe(int(self._rows[index]))


def half_enrolled(
    faces: FaceDataset, people: NDArray[np.int64], resolutions: Sequence[int], flip: bool
) -> IdentificationProtocol:
    """Half of the people enrolled with one image, all other images of everybody as probes.

    Args:
        faces: the images.
        people: labels of those who take part, in random order: the first half is enrolled.
        resolutions: of the probes, px.
        flip: add the embedding of the mirrored image.
    """
    enrolled = people[: len(people) // 2]
    everyone = [_images(faces, person) for person in people]
    gallery = np.asarray([images[0] for images in everyone[: len(enrolled)]])
    probes = np.setdiff1d(np.concatenate(everyone), gallery)
    return _protocol("half-enrolled", faces, (gallery, probes), resolutions, flip)


def three_images(
    faces: FaceDataset, people: NDArray[np.int64], resolutions: Sequence[int], flip: bool
) -> IdentificationProtocol:
    """A gallery of 1,000 people with three images each, or as many as they have; others unmated.

    People of four images and more are enrolled first; their further images are the mated probes.
    All images of the people who are not enrolled are unmated probes. Arguments as for
    :func:`half_enrolled`.

    Raises:
        DataError: there are fewer than 1,000 people, or none has four images.
    """
    count = np.bincount(faces.labels)
    order = people[np.argsort(count[people] < 4, kind="stable")]
    if len(order) < 1000 or count[order[0]] < 4:
        raise DataError(
            f"a gallery of 1,000 people needs as many and some with four images, got {len(order)}"
        )
    images = [_images(faces, person) for person in order]
    gallery = np.concatenate([own[:3] for own in images[:1000]])
    further = [own[3:] for own in images[:1000]] + images[1000:]
    return _protocol(
        "three-images-1000", faces, (gallery, np.concatenate(further)), resolutions, flip
    )


def measure(
    recogniser: Recogniser, protocols: Sequence[IdentificationProtocol]
) -> list[ProtocolResult]:
    """The protocols' own results, and what the calibrated thresholds do there.

    Each result has the metrics ``tpir@calibrated`` and ``fpir@calibrated`` beside its own, with
    intervals by a bootstrap over people, and the threshold ``calibrated``.

    Raises:
        ConfigError: the recogniser has no thresholds for searches like these.
    """
    table = recogniser.thresholds.search if recogniser.thresholds else None
    if not table:
        raise ConfigError("expected a recogniser with thresholds for searches, calibrate with fpir")
    results = []
    with TemporaryDirectory() as folder:
        # the protocols share most of their images
        embedder = CachedEmbedder(recogniser.embedder, folder)
        for protocol in protocols:
            protocol.examples = 0  # no faces in the results file
            embeddings, shown = extract_shown(embedder, protocol)
            found = signed(protocol.evaluate(embeddings, embedder.name), embedder, shown)
            results += [at_calibrated(protocol, embeddings, result, table) for result in found]
    return results


def at_calibrated(
    protocol: IdentificationProtocol,
    embeddings: Mapping[Resolution, Embeddings],
    result: ProtocolResult,
    table: RateTable,
) -> ProtocolResult:
    """A result with the rates at the calibrated threshold of its resolution.

    It stays as it is where none was calibrated, as for a gallery larger than the thresholds know.
    """
    people = len(protocol.gallery)
    limit = None if result.resolution is None else table.limit(result.resolution, people)
    if limit is None:
        return result
    found = protocol.look(embeddings, result.model, (result.resolution, protocol.full)).found
    mated, unmated = found.take(found.mated), found.take(~found.mated)
    hits = {"tpir@calibrated": (mated.rank == 1) & (mated.mate >= limit)}
    alarms = {"fpir@calibrated": unmated.impostor >= limit}
    return replace(
        result,
        metrics=result.metrics | {n: float(v.mean()) for n, v in (hits | alarms).items()},
        intervals=result.intervals
        | person_intervals(mated.person, hits)
        | person_intervals(unmated.person, alarms),
        thresholds=result.thresholds | {"calibrated": round(limit, 6)},
    )


def _images(faces: FaceDataset, person: int) -> NDArray[np.int64]:
    return np.flatnonzero(faces.labels == person)


def _protocol(
    name: str,
    faces: FaceDataset,
    sides: tuple[NDArray[np.int64], NDArray[np.int64]],
    resolutions: Sequence[int],
    flip: bool,
) -> IdentificationProtocol:
    gallery, probes = sides
    return IdentificationProtocol(
        name,
        faces,
        gallery=Templates.per_person(gallery, faces.labels[gallery]),
        probes=Templates.single(probes, faces.labels[probes]),
        resolutions=resolutions,
        degraded="first",
        flip=flip,
    )
