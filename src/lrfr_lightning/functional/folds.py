"""Cross-validated verification accuracy: the threshold of a fold comes from the other folds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.verification import Flags, Scores, accuracy_at, check_scores
from lrfr_lightning.utils.errors import DataError

ThresholdRule = Callable[[Scores, Flags], float]


@dataclass(frozen=True)
class FoldAccuracy:
    """Accuracy and threshold of each fold, float64 ``(K,)``."""

    accuracy: NDArray[np.float64]
    threshold: NDArray[np.float64]


def kfold_accuracy(
    scores: Scores,
    same: Flags,
    fold: NDArray[np.int64],
    rule: ThresholdRule,
    single_class: bool = False,
) -> FoldAccuracy:
    """Per fold: the rule's threshold on all other folds, the accuracy on this one.

    Args:
        scores: float ``(N,)``.
        same: bool ``(N,)``.
        fold: int64 ``(N,)``, the fold of each pair.
        rule: threshold from the training pairs' scores.
        single_class: allow folds of genuine or impostor pairs alone, as the slides had them on
            QMUL-SurvFace; the mean over folds then depends on the order of the list.

    Raises:
        DataError: fewer than two folds, or a fold holds one class only.
    """
    check_scores(scores, same)
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise DataError(f"expected at least 2 folds, got {len(numbers)}")
    # sorted once: what is left after a fold is taken away is sorted still
    order = np.argsort(-scores, kind="stable")
    scores, same, fold = scores[order], same[order], fold[order]
    tests = [fold == n for n in numbers]
    single = [
        int(n)
        for n, test in zip(numbers, tests, strict=True)
        if np.count_nonzero(same[test]) in (0, np.count_nonzero(test))
    ]
    if single and not single_class:
        raise DataError(f"folds {single} hold only genuine or only impostor pairs; stratify them")
    thresholds = [rule(scores[~test], same[~test]) for test in tests]
    accuracies = [
        accuracy_at(scores[test], same[test], threshold)
        for test, threshold in zip(tests, thresholds, strict=True)
    ]
    return FoldAccuracy(np.asarray(accuracies), np.asarray(thresholds))


def decided_rightly(
    scores: Scores, same: Flags, fold: NDArray[np.int64], folds: FoldAccuracy
) -> Flags:
    """Whether each pair is decided rightly at its own fold's threshold, bool ``(N,)``."""
    index = np.unique(fold, return_inverse=True)[1]
    return np.asarray((scores >= folds.threshold[index]) == same)


def stratified_folds(same: Flags, folds: int = 10) -> NDArray[np.int64]:
    """Cut genuine and impostor pairs each, in list order, into ``folds`` equal runs.

    Neighbouring pairs of a list share people, so runs keep most people within one fold.

    Returns:
        int64 ``(N,)``, the fold of each pair, 0..folds-1.

    Raises:
        DataError: fewer pairs of a class than folds.
    """
    fold = np.empty(len(same), np.int64)
    for kind in (True, False):
        members = np.flatnonzero(same == kind)
        if len(members) < folds:
            name = "genuine" if kind else "impostor"
            raise DataError(f"{folds} folds need at least {folds} {name} pairs, got {len(members)}")
        fold[members] = np.arange(len(members)) * folds // len(members)
    return fold
