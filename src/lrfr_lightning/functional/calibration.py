"""Thresholds at a wished error rate, from the scores of people who are all different.

Everywhere ``scores`` is float ``(P, M)``: each of P probes against M people, none of whom it shows;
a search gives a false alarm if the highest score of the gallery reaches the threshold.

FPIR grows with the gallery. For a gallery of N of the M people, the chance that a probe gives an
alarm is that of a draw without replacement: ``1 - C(M - n, N) / C(M, N)``, n of its M scores
reaching the threshold. The mean over probes is exactly what all draws of galleries would give on
average, without drawing one; a probe whose scores are high against many people counts as such,
which the usual ``1 - (1 - FMR)^N`` (Grother, Ngan, NISTIR 8009, 2014) does not see. A gallery of
one person gives the false accept rate of verification.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from lrfr_lightning.functional.bootstrap import interval
from lrfr_lightning.utils.errors import ConfigError

Scores = NDArray[np.floating]


def others(scores: Scores) -> Scores:
    """Scores of P people against themselves ``(P, P)`` → against all others, ``(P, P - 1)``."""
    count = len(scores)
    return np.asarray(scores[~np.eye(count, dtype=bool)].reshape(count, count - 1))


def thresholds_at(
    scores: Scores, sizes: Sequence[int], rates: Sequence[float]
) -> NDArray[np.float64]:
    """The lowest thresholds that keep the false alarms at most at each rate.

    Each lies midway between the highest score that is refused and the next one; tied scores stand
    or fall together.

    Args:
        scores: float ``(P, M)``.
        sizes: people in the gallery, 1..M each.
        rates: FPIR, or FAR where the size is 1, above 0 and below 1.

    Returns:
        float64 ``(len(sizes), len(rates))``.

    Raises:
        ConfigError: a size or a rate lies outside its range.
    """
    probes, people = scores.shape
    _check(people, sizes, rates)
    ranked = np.sort(scores, axis=1)[:, ::-1].ravel()
    # whatever the gallery, no more than this share of the scores reaches the threshold
    most = min(len(ranked), int(max(rates) * len(ranked)) + 2)
    place = np.argpartition(ranked, -most)[-most:]
    place = place[np.argsort(-ranked[place], kind="stable")]
    value, rank = ranked[place].astype(np.float64), place % people
    found = np.empty((len(sizes), len(rates)))
    for row, size in enumerate(sizes):
        alarms = np.cumsum(_best_of_gallery(people, size)[rank]) / probes
        first_refused = np.searchsorted(alarms, np.asarray(rates) + 1e-12, side="right")
        found[row] = [_just_above(value, min(int(at), most - 1)) for at in first_refused]
    return found


def alarm_chance(scores: Scores, threshold: float, size: int) -> NDArray[np.float64]:
    """Chance of each probe to give a false alarm in a gallery of ``size`` people, ``(P,)``, 0..1.

    Args:
        scores: float ``(P, M)``.
        threshold: scores that reach it are accepted.
        size: people in the gallery, 1..M.
    """
    people = scores.shape[1]
    reached = np.count_nonzero(scores >= threshold, axis=1)
    left = people - reached
    none = np.where(
        left >= size,
        np.exp(_log_choose(np.maximum(left, size), size) - _log_choose(people, size)),
        0.0,
    )
    return np.asarray(1 - none)


def far_interval(accepted: NDArray[np.bool_], replicates: int = 200, seed: int = 0) -> list[float]:
    """``[low, high]`` that holds the false accept rate with 95 % confidence.

    The bootstrap over people of :mod:`~lrfr_lightning.functional.bootstrap`, where everybody meets
    everybody.

    Args:
        accepted: bool ``(P, P)``, whether the person of a row is taken for that of a column; the
            diagonal is not looked at.
        replicates: how many.
        seed: the same seed gives the same interval.
    """
    count = len(accepted)
    rng = np.random.default_rng(seed)
    weight = rng.multinomial(count, np.full(count, 1 / count), replicates).astype(np.float32)
    wrong = accepted.astype(np.float32)
    np.fill_diagonal(wrong, 0)
    pairs = weight.sum(1, dtype=np.float64) ** 2 - np.square(weight).sum(1, dtype=np.float64)
    return interval(np.sum((weight @ wrong) * weight, axis=1, dtype=np.float64) / pairs)


def _best_of_gallery(people: int, size: int) -> NDArray[np.float64]:
    """Chance that the j-th highest score of a probe is the highest of its gallery, ``(M,)``."""
    worse = people - 1 - np.arange(people)
    chance = np.exp(_log_choose(np.maximum(worse, size - 1), size - 1) - _log_choose(people, size))
    return np.where(worse >= size - 1, chance, 0.0)


def _log_choose(n: int | NDArray[np.int64], k: int) -> NDArray[np.float64]:
    n = np.asarray(n, np.float64)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _just_above(value: NDArray[np.float64], refused: int) -> float:
    """Midway between a refused score of a falling list and the next higher one."""
    bound = value[refused]
    higher = int(np.searchsorted(-value, -bound)) - 1
    if higher < 0:
        return float(np.nextafter(bound, np.inf))
    return float((value[higher] + bound) / 2)


def _check(people: int, sizes: Sequence[int], rates: Sequence[float]) -> None:
    if not all(1 <= size <= people for size in sizes):
        raise ConfigError(f"expected galleries of 1..{people} people, got {list(sizes)}")
    if not all(0 < rate < 1 for rate in rates):
        raise ConfigError(f"expected error rates above 0 and below 1, got {list(rates)}")
