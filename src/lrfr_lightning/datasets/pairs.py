"""Who is compared with whom in 1:1 verification."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.utils.errors import DataError


@dataclass(frozen=True)
class VerificationPairs:
    """Pairs of images for 1:1 verification.

    Attributes:
        first: int64 ``(N,)``, positions of images.
        second: int64 ``(N,)``, positions of images.
        same: bool ``(N,)``, True for genuine pairs.
        fold: int64 ``(N,)``, the fold of each pair, 0..folds-1.
        people: int32 ``(N, 2)``, a number for the person on each side; None where the list does
            not say who is shown.

    Raises:
        DataError: the people contradict ``same``.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64]
    people: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        if self.people is None:
            return
        wrong = np.flatnonzero((self.people[:, 0] == self.people[:, 1]) != self.same)
        if len(wrong):
            raise DataError(
                f"{len(wrong)} of {len(self)} pairs say the contrary of their people, the first is "
                f"pair {wrong[0]}; expected one person in a genuine pair, two in an impostor pair"
            )

    def __len__(self) -> int:
        return len(self.same)

    def take(self, chosen: NDArray[np.int64]) -> Self:
        """The pairs at some positions, in their order."""
        columns = {column.name: getattr(self, column.name) for column in fields(self)}
        known = {name: rows[chosen] for name, rows in columns.items() if rows is not None}
        return replace(self, **known)


def seeded_pairs(
    labels: NDArray[np.int64], count: int, folds: int = 10, per_identity: int = 60, seed: int = 0
) -> VerificationPairs:
    """Balanced pairs of any labelled images, none twice, people disjoint between folds.

    Args:
        labels: int64 ``(N,)``, the identity of each image.
        count: genuine pairs at most, and as many impostor pairs; fewer if there are no more.
        folds: number of folds.
        per_identity: genuine pairs of one identity at most, so that nobody dominates.
        seed: the same seed gives the same pairs.

    Returns:
        Pairs by fold, genuine ones first.

    Raises:
        DataError: a fold would have fewer than two people or no genuine pair.
    """
    rng = np.random.default_rng([seed, len(labels)])
    groups = _balanced(labels, folds, rng)
    rows = []
    for number, people in enumerate(groups):
        genuine = [pair for who in people for pair in _own_pairs(labels, who, per_identity, rng)]
        genuine = [genuine[i] for i in rng.permutation(len(genuine))[: count // folds]]
        if not genuine or len(people) < 2:
            raise DataError(
                f"{folds} folds of {len(np.unique(labels))} people: fold {number} has "
                f"{len(people)} people and {len(genuine)} genuine pairs; expected at least 2 and 1"
            )
        rows += [(a, b, True, number) for a, b in genuine]
        rows += [(a, b, False, number) for a, b in _strangers(labels, people, len(genuine), rng)]
    first, second, same, fold = (np.asarray(column) for column in zip(*rows, strict=True))
    people = np.stack([labels[first], labels[second]], axis=1)
    return VerificationPairs(first, second, same, fold, np.asarray(people, np.int32))


def _balanced(
    labels: NDArray[np.int64], folds: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """People in ``folds`` groups, those with most images dealt out first."""
    people, images = np.unique(labels, return_counts=True)
    order = np.lexsort((rng.permutation(len(people)), -images))
    return [people[order[start::folds]] for start in range(folds)]


def _own_pairs(
    labels: NDArray[np.int64], who: int, most: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    own = np.flatnonzero(labels == who)
    pairs = [(int(a), int(b)) for n, a in enumerate(own) for b in own[n + 1 :]]
    return [pairs[i] for i in rng.permutation(len(pairs))[:most]]


def _strangers(
    labels: NDArray[np.int64], people: NDArray[np.int64], count: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Impostor pairs: two people at random, one image of each."""
    own = {int(who): np.flatnonzero(labels == who) for who in people}
    possible = (sum(map(len, own.values())) ** 2 - sum(len(i) ** 2 for i in own.values())) // 2
    found: set[tuple[int, int]] = set()
    while len(found) < min(count, possible):
        one, other = sorted(rng.choice(people, 2, replace=False))
        found.add((int(rng.choice(own[one])), int(rng.choice(own[other]))))
    return sorted(found)
