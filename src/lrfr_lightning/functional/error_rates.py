"""Error rates of a part of the pairs, with intervals that hold when no error was seen."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from lrfr_lightning.functional.bootstrap import People, interval, pair_weights

LEAST = 30
"""Pairs below which no rate is given (ours)."""


def error_rate(errors: NDArray[np.bool_], least: int = LEAST) -> float | None:
    """Share of errors, 0..1; None for fewer than ``least`` pairs.

    Args:
        errors: bool ``(N,)``.
        least: pairs that are needed; at a rate of F, 1 / F.
    """
    return float(np.mean(errors)) if len(errors) >= least else None


def error_interval(
    errors: NDArray[np.bool_], people: People | None, replicates: int = 1000
) -> list[float]:
    """``[low, high]`` that holds the share of errors with at least 95 % confidence.

    It spans two intervals: that of a bootstrap over people, which knows that pairs share people,
    and the exact binomial one (Clopper and Pearson, Biometrika 1934), which knows that no error in
    N pairs is not a rate of 0.

    Args:
        errors: bool ``(N,)``, at least one pair.
        people: see :func:`~lrfr_lightning.functional.bootstrap.pair_weights`.
        replicates: of the bootstrap.
    """
    low, high = exact_interval(int(np.count_nonzero(errors)), len(errors))
    with np.errstate(invalid="ignore"):
        shares = [w @ errors / w.sum(axis=1) for w in pair_weights(len(errors), people, replicates)]
    drawn = interval(np.concatenate(shares))
    return [min(low, drawn[0]), max(high, drawn[1])]


def exact_interval(errors: int, count: int) -> tuple[float, float]:
    """The exact binomial interval of 95 %.

    >>> [round(end, 3) for end in exact_interval(0, 100)]
    [0.0, 0.036]
    """
    low = float(betaincinv(errors, count - errors + 1, 0.025)) if errors else 0.0
    high = float(betaincinv(errors + 1, count - errors, 0.975)) if errors < count else 1.0
    return low, high
