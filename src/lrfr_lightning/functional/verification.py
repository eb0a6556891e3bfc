"""Verification metrics from scores, exact: one sort, no threshold grid, no interpolated ties.

Everywhere ``scores`` is float ``(N,)``, higher for more alike, ``same`` is bool ``(N,)``, and a
pair is accepted when ``score >= threshold``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.utils.errors import DataError

Scores = NDArray[np.floating]
Flags = NDArray[np.bool_]
Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Roc:
    """Every distinct operating point of a set of scores, from "accept none" to "accept all".

    Attributes:
        threshold: float64 ``(P,)``, the lowest accepted score, descending; the first is infinity.
        far: float64 ``(P,)``, accepted share of impostor pairs, rising from 0 to 1.
        tar: float64 ``(P,)``, accepted share of genuine pairs, rising from 0 to 1.
    """

    threshold: NDArray[np.float64]
    far: NDArray[np.float64]
    tar: NDArray[np.float64]


def check_scores(scores: Scores, same: Flags) -> None:
    """Refuse scores that no metric can be computed from.

    Raises:
        DataError: lengths differ, a score is not finite, or one of the two classes is missing.
    """
    if scores.shape != same.shape or scores.ndim != 1:
        raise DataError(
            f"expected scores and same of one length, got {scores.shape} and {same.shape}"
        )
    if not np.isfinite(scores).all():
        raise DataError(
            f"{np.count_nonzero(~np.isfinite(scores))} of {len(scores)} scores are not finite; "
            "the embeddings behind them hold NaN or are zero"
        )
    if same.all() or not same.any():
        raise DataError(
            f"expected genuine and impostor pairs, got {np.count_nonzero(same)} genuine of "
            f"{len(same)}"
        )


def roc(scores: Scores, same: Flags) -> Roc:
    """All operating points; tied scores are accepted together."""
    threshold, genuine, impostor = _accepted(scores, same)
    return Roc(threshold, far=impostor / impostor[-1], tar=genuine / genuine[-1])


def best_threshold(scores: Scores, same: Flags) -> float:
    """The threshold of highest accuracy, midway between the two scores it parts.

    Of several equally good ones the lowest is taken.
    """
    threshold, genuine, impostor = _accepted(scores, same)
    lead = genuine - impostor
    return _midway(threshold, len(lead) - 1 - int(np.argmax(lead[::-1])))


def youden_threshold(scores: Scores, same: Flags) -> float:
    """The score at which TPR - FPR is largest, the rule of the slides' run (``deck``)."""
    curve = roc(scores, same)
    return float(curve.threshold[1:][np.argmax((curve.tar - curve.far)[1:])])


def grid_threshold(scores: Scores, same: Flags) -> float:
    """The most accurate of 400 squared distances, the rule of InsightFace's evaluation.

    Scores are cosines. Pairs whose squared distance ``2 - 2 cos θ`` is below 0, 0.01 ... 3.99 are
    accepted; of several equally good ones the smallest distance is taken.
    """
    check_scores(scores, same)
    grid = np.arange(0, 4, 0.01)
    distance = 2 - 2 * np.asarray(scores, np.float64)
    genuine, impostor = (
        np.searchsorted(np.sort(distance[kind]), grid, side="left") for kind in (same, ~same)
    )
    chosen = grid[np.argmax(genuine - impostor)]
    # "below" the distance is "above" the cosine; ours accepts a score that equals the threshold
    return float(np.nextafter(1 - chosen / 2, 2))


Counts = NDArray[np.int64]


def _accepted(scores: Scores, same: Flags) -> tuple[NDArray[np.float64], Counts, Counts]:
    """Every threshold, descending from infinity, and how many of each class it accepts, ``(P,)``.

    Scores that fall already, as those of training folds do, are not sorted again.
    """
    check_scores(scores, same)
    if (scores[1:] > scores[:-1]).any():
        order = np.argsort(-scores, kind="stable")
        scores, same = scores[order], same[order]
    ranked, genuine = scores.astype(np.float64), np.cumsum(same)
    last_of_tie = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    threshold = np.concatenate([[np.inf], ranked[last_of_tie]])
    accepted = np.concatenate([[0], genuine[last_of_tie]])
    return threshold, accepted, np.concatenate([[0], last_of_tie + 1]) - accepted


def _midway(threshold: NDArray[np.float64], point: int) -> float:
    """Between the lowest accepted and the highest rejected score of an operating point."""
    if point == 0:
        return float(np.nextafter(threshold[1], np.inf))
    if point == len(threshold) - 1:
        return float(threshold[-1])
    return float((threshold[point] + threshold[point + 1]) / 2)


def accuracy_at(scores: Scores, same: Flags, threshold: float) -> float:
    """Share of pairs that are decided rightly at a threshold, 0..1."""
    return float(np.mean((scores >= threshold) == same))


def tar_at_far(scores: Scores, same: Flags, far: float) -> float:
    """The highest TAR whose FAR is at most ``far``; exact, tied scores stand or fall together.

    Returns:
        TAR in 0..1; NaN where fewer than ``1 / far`` impostor pairs exist, since then not even
        one false accept could be told from none.
    """
    limit = rejected_at_far(scores, same, far)
    return limit if np.isnan(limit) else float(np.mean(scores[same] > limit))


def rejected_at_far(scores: Scores, same: Flags, far: float) -> float:
    """The highest score that is rejected where the FAR is at most ``far``; exact.

    Returns:
        NaN where fewer than ``1 / far`` impostor pairs exist, see :func:`tar_at_far`; minus
        infinity where all may be accepted.
    """
    check_scores(scores, same)
    impostors = np.sort(scores[~same])[::-1]
    allowed = int(np.floor(far * len(impostors) + 1e-9))
    if allowed < 1:
        return float("nan")
    return float(impostors[allowed]) if allowed < len(impostors) else float("-inf")


def equal_error_rate(scores: Scores, same: Flags) -> float:
    """The rate at which FAR equals FRR, on the ROC drawn with straight lines, 0..1."""
    curve = roc(scores, same)
    return float(crossing(curve.far, curve.tar))


def area_under_curve(scores: Scores, same: Flags) -> float:
    """Area under the ROC, 0..1; a tie between a genuine and an impostor pair counts one half."""
    curve = roc(scores, same)
    return float(area(curve.far, curve.tar))


def crossing(far: Rates, tar: Rates) -> Rates:
    """Where FAR equals FRR on ROCs drawn with straight lines.

    Args:
        far: float64 ``(..., P)``, rising from 0 to 1.
        tar: float64 ``(..., P)``, rising from 0 to 1.

    Returns:
        float64 ``(...)``, 0..1.
    """
    gap = far - (1 - tar)
    # the first point accepts nothing: its gap is -1
    after = np.maximum(np.argmax(gap >= 0, axis=-1, keepdims=True), 1)
    low, high = (np.take_along_axis(gap, point, axis=-1) for point in (after - 1, after))
    start, end = (np.take_along_axis(far, point, axis=-1) for point in (after - 1, after))
    return np.asarray((start - low / (high - low) * (end - start))[..., 0])


def area(far: Rates, tar: Rates) -> Rates:
    """Area under ROCs drawn with straight lines; arguments as for :func:`crossing`."""
    return np.asarray(np.sum(np.diff(far) * (tar[..., 1:] + tar[..., :-1]) / 2, axis=-1))


def highest_tar(far: Rates, tar: Rates, limit: float) -> Rates:
    """The highest TAR whose FAR is at most ``limit``; arguments as for :func:`crossing`."""
    point = np.count_nonzero(far <= limit + 1e-12, axis=-1, keepdims=True) - 1
    return np.asarray(np.take_along_axis(tar, np.maximum(point, 0), axis=-1)[..., 0])
