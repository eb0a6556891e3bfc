"""A smaller version of a list that keeps its make-up."""

import math

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.identification import NOBODY
from lrfr_lightning.utils.errors import ConfigError


def spread(groups: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Positions of a share of each group, evenly over the list, at least one of each.

    Args:
        groups: int64 ``(N,)``, the group of each entry.
        share: above 0, up to 1.

    Returns:
        int64 ``(M,)``, rising; always the same ones.

    Raises:
        ConfigError: the share lies outside its range.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"subset: expected a share above 0, up to 1, got {share}")
    chosen = [np.empty(0, np.int64)]
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        count = math.ceil(share * len(members))
        chosen.append(members[np.arange(count) * len(members) // count])
    return np.sort(np.concatenate(chosen))


def some_of(
    person: NDArray[np.int64], people: NDArray[np.int64], share: float
) -> NDArray[np.int64]:
    """Positions of all that show some people, and of a share of those that show nobody known.

    Args:
        person: int64 ``(N,)``, ``NOBODY`` among them.
        people: int64 ``(K,)``.
        share: above 0, up to 1.

    Returns:
        int64 ``(M,)``, rising.
    """
    nobody = np.flatnonzero(person == NOBODY)
    strangers = nobody[spread(np.zeros(len(nobody), np.int64), share)]
    return np.union1d(np.flatnonzero(np.isin(person, people)), strangers)
