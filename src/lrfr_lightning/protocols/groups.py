"""Errors of verification by group of people, at the thresholds of all pairs.

FNMR: the share of genuine pairs that are rejected; FMR: that of impostor pairs that are accepted.
One threshold for everybody, as in use: it shows whom it serves worse. Impostor pairs across two
groups stand apart; within a group they are accepted more often.
Sources: Grother et al., "Face Recognition Vendor Test Part 3: Demographic Effects", NISTIR 8280,
2019; ISO/IEC 19795-10:2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.functional.error_rates import LEAST, error_interval, error_rate
from lrfr_lightning.functional.verification import Flags, Scores, rejected_at_far

EVERYBODY = "all"
"""Name of the entry of all pairs, whether their groups are known or not."""


@dataclass(frozen=True)
class Decisions:
    """All pairs, decided at one threshold.

    Attributes:
        at: the metric whose threshold it is.
        threshold: the cosine; of the accuracy the mean over folds.
        accepted: bool ``(N,)``.
        least: impostor pairs that are needed to measure an FMR there.
    """

    at: str
    threshold: float
    accepted: Flags
    least: int = LEAST


def decisions(
    scores: Scores, same: Flags, correct: Flags, threshold: float, fars: Sequence[float]
) -> list[Decisions]:
    """At the folds' thresholds, and where the FAR of all pairs is at most each of ``fars``.

    Args:
        scores: float ``(N,)``.
        same: bool ``(N,)``.
        correct: bool ``(N,)``, decided rightly at the fold's threshold.
        threshold: mean of the folds'.
        fars: those that there are too few impostor pairs for are left out.
    """
    limits = {far: rejected_at_far(scores, same, far) for far in fars}
    return [
        Decisions("accuracy", threshold, correct == same),
        *(
            Decisions(f"tar@far={far:g}", limit, scores > limit, max(LEAST, ceil(1 / far)))
            for far, limit in limits.items()
            if not np.isnan(limit)
        ),
    ]


def group_rates(
    decided: Sequence[Decisions],
    pairs: VerificationPairs,
    groups: NDArray[np.str_],
    replicates: int,
) -> list[dict[str, Any]]:
    """Error rates of everybody, of each group, and of each two groups, at each threshold.

    Args:
        decided: see :func:`decisions`.
        pairs: the pairs.
        groups: str ``(len(images),)``, empty where the group is not known.
        replicates: of the intervals' bootstrap; 0: none.

    Returns:
        ``at``, ``threshold``, ``group``, ``cross`` (of two groups), ``genuine`` and ``impostor``
        (counts), ``fnmr``, ``fmr`` (0..1; None where the pairs are too few), and, with
        replicates, ``fnmr_interval``, ``fmr_interval``.
    """
    names = pair_groups(groups[pairs.first], groups[pairs.second])
    parts = {EVERYBODY: np.arange(len(pairs))}
    found = sorted(set(names[names != ""]), key=lambda name: (_CROSS in name, name))
    parts |= {str(name): np.flatnonzero(names == name) for name in found}
    return [
        _entry(one, name, part, pairs, replicates)
        for one in decided
        for name, part in parts.items()
    ]


_CROSS = " x "


def pair_groups(first: NDArray[np.str_], second: NDArray[np.str_]) -> NDArray[np.str_]:
    """The group of each pair, ``one x other`` of two; empty where a side's is not known."""
    sides = map(sorted, zip(first.tolist(), second.tolist(), strict=True))
    names = [
        one if one == other else f"{one}{_CROSS}{other}" if one else "" for one, other in sides
    ]
    return np.asarray(names, np.str_)


def _entry(
    decided: Decisions,
    name: str,
    part: NDArray[np.int64],
    pairs: VerificationPairs,
    replicates: int,
) -> dict[str, Any]:
    same, accepted = pairs.same[part], decided.accepted[part]
    people = None if pairs.people is None else pairs.people[part]
    entry = {
        "at": decided.at,
        "threshold": round(float(decided.threshold), 6),
        "group": name,
        "cross": _CROSS in name,
        "genuine": int(np.count_nonzero(same)),
        "impostor": int(np.count_nonzero(~same)),
    }
    kinds = {"fnmr": (same, ~accepted, LEAST), "fmr": (~same, accepted, decided.least)}
    for rate, (kind, errors, least) in kinds.items():
        value = error_rate(errors[kind], least)
        entry[rate] = value
        if value is not None and replicates:
            own = None if people is None else people[kind]
            entry[f"{rate}_interval"] = error_interval(errors[kind], own, replicates)
    return entry
