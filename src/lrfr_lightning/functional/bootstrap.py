"""Bootstrap over people: 95 % intervals of verification metrics.

Pairs of a list share people, so they are not independent draws; people are. Each replicate draws
as many people as the list has, with replacement, and counts how often each was drawn. An impostor
pair weighs the product of its two people's counts: a person drawn twice meets every stranger twice.
A genuine pair weighs its person's count, not its square: a person drawn twice brings his pairs
twice, and pairs between his two copies would be images of him that nobody took.

Products make the intervals wide rather than narrow where people stand in few impostor pairs each.
At the limit, lists in which nobody stands in two, the impostors' part of an interval is up to 1.7
times (the root of 3) as wide as it need be; where everybody meets everybody it is right.

Source: the bootstrap of a two-way array by products of weights, Owen, "The pigeonhole bootstrap",
Annals of Applied Statistics 2007; for faces see Fogliato et al., "Confidence Intervals for Error
Rates in 1:1 Matching Tasks", 2023. The intervals are the 2.5 and 97.5 percentiles.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.verification import (
    Flags,
    Scores,
    area,
    crossing,
    highest_tar,
)

People = NDArray[np.int32]
"""int32 ``(N, 2)``, a number for the person on each side of a pair."""

_BLOCK = 400_000
"""Weights that are held at once: they stay in the processor's cache."""


def pair_weights(
    count: int, people: People | None, replicates: int, seed: int = 0
) -> Iterator[NDArray[np.float64]]:
    """How often each pair stands in each replicate, in blocks of replicates.

    Args:
        count: pairs.
        people: who stands in each pair; None where that is unknown: then the pairs themselves are
            drawn, as if no two had a person in common.
        replicates: how many in all.
        seed: the same seed gives the same weights.

    Yields:
        float64 ``(B, count)``, whole numbers of mean about 1.
    """
    rng = np.random.default_rng(seed)
    members = _members(count, people)
    numbers, index = np.unique(members, return_inverse=True)
    first, second = index.reshape(members.shape).T
    step = max(1, _BLOCK // max(count, len(numbers)))
    for start in range(0, replicates, step):
        drawn = _counts(len(numbers), min(step, replicates - start), rng)
        yield np.where(first == second, 1, drawn[:, second]) * drawn[:, first]


def _members(count: int, people: People | None) -> NDArray[np.int32]:
    """The people; where they are unknown every pair stands for itself."""
    return np.arange(count, dtype=np.int32)[:, None].repeat(2, 1) if people is None else people


def _counts(people: int, replicates: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each person is drawn, float64 ``(replicates, people)``; each row sums to people."""
    row = np.arange(replicates)[:, None] * people
    drawn = row + rng.integers(0, people, (replicates, people))
    counted = np.bincount(drawn.ravel(), minlength=replicates * people)
    return counted.reshape(replicates, people).astype(np.float64)


def verification_intervals(
    scores: Scores,
    same: Flags,
    correct: Flags,
    fold: NDArray[np.int64],
    people: People | None,
    fars: Sequence[float],
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, list[float]]:
    """``[low, high]`` that holds each metric with 95 % confidence.

    Args:
        scores: float ``(N,)``, higher for more alike.
        same: bool ``(N,)``.
        correct: bool ``(N,)``, the decision of each pair at its fold's threshold; thresholds stay
            where the whole list put them.
        fold: int64 ``(N,)``.
        people: see :func:`pair_weights`.
        fars: false-accept rates at which the true-accept rate is wanted.
        replicates: how many.
        seed: the same seed gives the same intervals.

    Returns:
        For ``accuracy``, ``auc``, ``eer`` and each ``tar@far=F``, 0..1.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    ranked, members = same[order], _members(len(scores), people)[order]
    importance = fold_importance(fold)[order]
    found: dict[str, list[NDArray[np.float64]]] = {}
    for weights in pair_weights(len(scores), members, replicates, seed):
        far, tar = _rates(weights, ~ranked, last), _rates(weights, ranked, last)
        block = {
            "accuracy": class_mean(weights, correct[order], ranked, importance),
            "auc": area(far, tar),
            "eer": crossing(far, tar),
        }
        block |= {f"tar@far={rate:g}": highest_tar(far, tar, rate) for rate in fars}
        for name, values in block.items():
            found.setdefault(name, []).append(values)
    return {name: interval(np.concatenate(values)) for name, values in found.items()}


def interval(values: NDArray[np.float64]) -> list[float]:
    """The 2.5 and 97.5 percentiles of the replicates; those without a class are left out."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def fold_importance(fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of each pair in the mean of fold accuracies, float64 ``(N,)``, with sum 1."""
    _, index, sizes = np.unique(fold, return_inverse=True, return_counts=True)
    return np.asarray(1 / (len(sizes) * sizes[index]))


def class_mean(
    weights: NDArray[np.float64],
    values: NDArray[np.bool_ | np.float64],
    same: Flags,
    importance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weighted mean per replicate, genuine and impostor pairs keeping their share of the list.

    Args:
        weights: float64 ``(B, N)``.
        values: bool or float64 ``(N,)``.
        same: bool ``(N,)``.
        importance: float64 ``(N,)``, with sum 1.

    Returns:
        float64 ``(B,)``; with weights of 1, ``sum(importance * values)``. NaN where a class of the
        list was not drawn at all.
    """
    total = np.zeros(len(weights))
    for kind in (same, ~same):
        if kind.any():
            part = weights[:, kind]
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = part @ (importance * values)[kind] / (part @ importance[kind])
            total += importance[kind].sum() * mean
    return total


def _rates(
    weights: NDArray[np.float64], kind: Flags, last: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Accepted share of one class at each operating point, from 0 to 1, ``(B, P)``."""
    accepted = np.cumsum(np.where(kind, weights, 0), axis=1)[:, last]
    with np.errstate(invalid="ignore"):
        return np.insert(accepted / accepted[:, -1:], 0, 0.0, axis=1)
