"""95 % intervals of closed-set identification, by a bootstrap over people."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.bootstrap import interval
from lrfr_lightning.functional.identification import Search


def person_intervals(
    person: NDArray[np.int64],
    values: Mapping[str, NDArray[np.floating | np.bool_]],
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, list[float]]:
    """``[low, high]`` that holds the mean over probes of each value with 95 % confidence.

    Each replicate draws as many people as there are, with replacement, each with all their probes,
    which are not independent of each other. The gallery stays as it is.

    Args:
        person: int64 ``(P,)``, who each probe shows.
        values: what is averaged over the probes, ``(P,)`` each, by the metric's name.
        replicates: how many, at least 1.
        seed: the same seed gives the same intervals.
    """
    _, index = np.unique(person, return_inverse=True)
    probes = np.bincount(index)
    sums = [np.bincount(index, weights=own) for own in values.values()]
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(probes), np.full(len(probes), 1 / len(probes)), replicates)
    means = drawn @ np.stack(sums, axis=1) / (drawn @ probes)[:, None]
    return {name: interval(means[:, column]) for column, name in enumerate(values)}


def search_intervals(
    found: Search, ranks: Sequence[int], replicates: int = 1000
) -> dict[str, list[float]]:
    """Intervals of ``rank<k>`` and ``map``; none where no probe is mated.

    TPIR has none: its threshold rests on the unmated probes, whose people are mostly unknown.
    """
    mated = found.take(found.mated)
    if not len(mated) or not replicates:
        return {}
    values = {f"rank{k}": mated.rank <= k for k in ranks} | {"map": mated.precision}
    return person_intervals(mated.person, values, replicates)
