"""What an identification result shows of its search: curves, outcomes, the hardest comparisons."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.functional.identification import Search, cmc
from lrfr_lightning.functional.open_set import open_set_curve
from lrfr_lightning.protocols.base import Embeddings, Protocol
from lrfr_lightning.protocols.details import PairDetails
from lrfr_lightning.protocols.outcomes import Outcomes, items_hash
from lrfr_lightning.protocols.result import Resolution

_CMC_RANKS = 100
_CURVE_POINTS = np.logspace(-4, 0, 61)


def search_curves(found: Search, gallery: int, within: int) -> dict[str, list[float]]:
    """CMC, and DET where there are unmated probes, at FPIRs even on a log axis."""
    most = min(_CMC_RANKS, gallery)
    drawn = {"rank": list(map(float, range(1, most + 1))), "cmc": cmc(found, most).tolist()}
    fpir, tpir, _ = open_set_curve(found, within)
    if len(fpir):
        kept = np.unique(np.searchsorted(fpir, _CURVE_POINTS, side="right") - 1)
        drawn |= {"fpir": fpir[kept].tolist(), "fnir": (1 - tpir[kept]).tolist()}
    return drawn


def deciding_pairs(
    found: Search, probes: Templates, gallery: Templates
) -> tuple[VerificationPairs, NDArray[np.float64]]:
    """Each probe with its best mate, then each with its best impostor, by their first images.

    Returns:
        The pairs, in one fold, and their scores, float64 ``(N,)``.
    """
    mates, impostors = found.mate_at >= 0, found.impostor_at >= 0
    probe = np.concatenate([found.probe[mates], found.probe[impostors]])
    entry = np.concatenate([found.mate_at[mates], found.impostor_at[impostors]])
    same = np.repeat([True, False], [np.count_nonzero(mates), np.count_nonzero(impostors)])
    pairs = VerificationPairs(
        probes.first_image[probe], gallery.first_image[entry], same, np.zeros(len(same), np.int64)
    )
    return pairs, np.concatenate([found.mate[mates], found.impostor[impostors]])


def search_details(
    protocol: Protocol,
    found: Search,
    sides: tuple[Templates, Templates],
    embeddings: Mapping[Resolution, Embeddings],
    shown: tuple[Resolution, Resolution],
) -> tuple[dict[str, list[float]], list[dict[str, object]]]:
    """Histograms and a sample of the scores that decided, and the hardest of them as pictures.

    Args:
        protocol: whose images are shown.
        found: the search.
        sides: the probes and the gallery.
        embeddings: float ``(len(images), D)`` for each resolution.
        shown: the resolutions of probes and gallery.
    """
    pairs, scores = deciding_pairs(found, *sides)
    if not pairs.same.any() or pairs.same.all():
        return {}, []
    details = PairDetails(protocol, pairs, embeddings, shown)
    return details.curves(scores), details.examples(scores)


def search_outcomes(
    name: str, protocol: Protocol, found: Search, probes: Templates, gallery: Templates
) -> Outcomes:
    """Which mated probes are found first; items are they, looked for in this gallery.

    Args:
        name: the protocol's, or that of its part: it says which probes these are.
        protocol: whose images these are.
        found: the search.
        probes: who was looked for.
        gallery: among whom.
    """
    lines = [name, *_lines(protocol, gallery), *_lines(protocol, probes)]
    mated = found.take(found.mated)
    numbers = [f"{row}\t{who}" for row, who in zip(mated.probe, mated.person, strict=True)]
    people = np.repeat(mated.person[:, None], 2, axis=1).astype(np.int32)
    return Outcomes(
        "identification", items_hash([*lines, *numbers]), "rank1", mated.rank == 1, people
    )


def _lines(protocol: Protocol, templates: Templates) -> Iterator[str]:
    """Image, template and person of every image."""
    rows = zip(templates.image.tolist(), templates.template.tolist(), strict=True)
    for image, template in rows:
        yield f"{protocol.images.name(image)}\t{template}\t{templates.person[template]}"
