"""Lists for the protocols on the embedded faces: verification pairs, gallery and probes.

All images are named by their position in the data set, ``identity * images_per_identity + number``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.utils.errors import DataError

Indices = NDArray[np.int64]
"""int64 ``(N,)``."""


@dataclass(frozen=True)
class SearchLists:
    """Positions of images for 1:N search, closed and open.

    Attributes:
        gallery: int64 ``(G,)``, one image of each enrolled identity.
        mated_probes: int64 ``(M,)``, the other images of the enrolled identities.
        unmated_probes: int64 ``(U,)``, all images of identities that are in no gallery.
        distractors: int64 ``(D,)``, images of further identities, to enlarge the gallery.
    """

    gallery: Indices
    mated_probes: Indices
    unmated_probes: Indices
    distractors: Indices


def verification_pairs(
    identities: int, images_per_identity: int, pairs_per_fold: int, folds: int = 10, seed: int = 0
) -> VerificationPairs:
    """Pairs after the manner of LFW: balanced, people disjoint between folds, none twice.

    Args:
        identities: number of people, at least 2 per fold.
        images_per_identity: images of each, at least 2.
        pairs_per_fold: genuine pairs in each fold, and as many impostor pairs (300 in LFW).
        folds: number of folds.
        seed: the same seed gives the same pairs.

    Returns:
        ``2 * pairs_per_fold * folds`` pairs, by fold, genuine ones first.

    Raises:
        DataError: the people do not have so many different pairs.
    """
    _check(identities, images_per_identity)
    if folds < 1 or pairs_per_fold < 1:
        raise DataError(f"expected at least 1 pair and 1 fold, got {pairs_per_fold} and {folds}")
    rng = np.random.default_rng([seed, identities, images_per_identity])
    people = np.array_split(rng.permutation(identities), folds)
    _check_capacity(len(people[-1]), images_per_identity, pairs_per_fold)
    blocks = []
    for group in people:
        blocks.append(_genuine(rng, group, images_per_identity, pairs_per_fold))
        blocks.append(_impostor(rng, group, images_per_identity, pairs_per_fold))
    first, second = np.concatenate(blocks, axis=1)
    same = np.tile(np.repeat([True, False], pairs_per_fold), folds)
    fold = np.repeat(np.arange(folds, dtype=np.int64), 2 * pairs_per_fold)
    shown = (np.stack([first, second], axis=1) // images_per_identity).astype(np.int32)
    return VerificationPairs(first, second, same, fold, shown)


def gallery_and_probes(
    identities: int,
    images_per_identity: int,
    enrolled: float = 0.5,
    distractors: float = 0.0,
    seed: int = 0,
) -> SearchLists:
    """Split the people into enrolled ones, distractors and strangers.

    Args:
        identities: number of people, at least 2.
        images_per_identity: images of each, at least 2.
        enrolled: share of the people with one image in the gallery, above 0, up to 1.
        distractors: share of the people whose images only enlarge the gallery, 0..1.
        seed: the same seed gives the same lists.

    Returns:
        The lists; ``unmated_probes`` is empty where nobody is left for it.

    Raises:
        DataError: the shares do not fit, or nobody is enrolled.
    """
    _check(identities, images_per_identity)
    rng = np.random.default_rng([seed, identities, images_per_identity])
    counts = round(enrolled * identities), round(distractors * identities)
    if counts[0] < 1 or counts[1] < 0 or sum(counts) > identities:
        raise DataError(
            f"expected shares of the {identities} identities with enrolled > 0, distractors >= 0 "
            f"and a sum up to 1, got enrolled={enrolled}, distractors={distractors}"
        )
    known, extra, strangers = np.split(rng.permutation(identities), np.cumsum(counts))
    images = rng.permuted(_images(known, images_per_identity), axis=1)
    probes, extra = images[:, 1:], _images(extra, images_per_identity)
    unmated = _images(strangers, images_per_identity)
    return SearchLists(images[:, 0], probes.ravel(), unmated.ravel(), extra.ravel())


def _check(identities: int, images_per_identity: int) -> None:
    if identities < 2 or images_per_identity < 2:
        raise DataError(
            "pairs and probes need at least 2 identities with at least 2 images each, "
            f"got {identities} with {images_per_identity}"
        )


def _check_capacity(people: int, images: int, wanted: int) -> None:
    genuine = people * images * (images - 1) // 2
    impostor = people * (people - 1) // 2 * images**2
    if wanted > min(genuine, impostor):
        raise DataError(
            f"a fold of {people} people with {images} images each has {genuine} genuine and "
            f"{impostor} impostor pairs, fewer than the {wanted} asked for; take fewer pairs or "
            "folds, or more identities"
        )


def _images(people: Indices, each: int) -> Indices:
    return np.asarray(people[:, None] * each + np.arange(each))


def _genuine(rng: np.random.Generator, people: Indices, each: int, count: int) -> Indices:
    pairs = each * (each - 1) // 2
    person, pair = np.divmod(rng.choice(len(people) * pairs, count, replace=False), pairs)
    return people[person] * each + _unordered(pair)


def _impostor(rng: np.random.Generator, people: Indices, each: int, count: int) -> Indices:
    pairs = len(people) * (len(people) - 1) // 2
    code, number = np.divmod(rng.choice(pairs * each**2, count, replace=False), each**2)
    return np.asarray(people[_unordered(code)] * each + np.stack(np.divmod(number, each)))


def _unordered(code: Indices) -> Indices:
    """Number the pairs i < j: 0 → (0, 1), 1 → (0, 2), 2 → (1, 2) ...; returns ``(2, N)``."""
    upper = np.floor((1 + np.sqrt(8.0 * code + 1)) / 2).astype(np.int64)
    upper -= upper * (upper - 1) // 2 > code
    return np.stack([code - upper * (upper - 1) // 2, upper])
