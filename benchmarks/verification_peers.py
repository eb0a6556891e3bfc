"""Ten-fold verification as others do it; arguments and results as ``kfold_accuracy`` has them."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def grid_kfold(
    scores: Numbers, same: Flags, fold: NDArray[np.int64]
) -> tuple[Numbers, Numbers, Numbers]:
    """The field's usual way: 400 thresholds of the squared distance, 0, 0.01 ... 3.99.

    Returns:
        Per fold: accuracy, threshold as a cosine, and accuracy on the training folds.
    """
    thresholds = np.arange(0, 4, 0.01)
    distance = 2 - 2 * scores
    accuracies, chosen, training = [], [], []
    for number in np.unique(fold):
        train = fold != number
        tried = [_accuracy(t, distance[train], same[train]) for t in thresholds]
        best = int(np.argmax(tried))
        # the usual evaluation measures the test fold at every threshold, for its ROC
        tested = [_accuracy(t, distance[~train], same[~train]) for t in thresholds]
        accuracies.append(tested[best])
        chosen.append(1 - thresholds[best] / 2)
        training.append(tried[best])
    return np.asarray(accuracies), np.asarray(chosen), np.asarray(training)


def _accuracy(threshold: float, distance: Numbers, same: Flags) -> float:
    """Share of right decisions, from the four counts."""
    accepted = np.less(distance, threshold)
    true_accepts = np.sum(np.logical_and(accepted, same))
    false_accepts = np.sum(np.logical_and(accepted, np.logical_not(same)))
    true_rejects = np.sum(np.logical_and(np.logical_not(accepted), np.logical_not(same)))
    false_rejects = np.sum(np.logical_and(np.logical_not(accepted), same))
    total = true_accepts + false_accepts + true_rejects + false_rejects
    return float((true_accepts + true_rejects) / total)


def sklearn_kfold(scores: Numbers, same: Flags, fold: NDArray[np.int64]) -> Numbers:
    """The most accurate threshold from scikit-learn's ROC; accuracy of each fold."""
    from sklearn.metrics import roc_curve

    accuracies = []
    for number in np.unique(fold):
        train = fold != number
        far, tar, thresholds = roc_curve(same[train], scores[train], drop_intermediate=False)
        genuine = np.count_nonzero(same[train])
        correct = tar * genuine + (1 - far) * (np.count_nonzero(train) - genuine)
        threshold = thresholds[int(np.argmax(correct))]
        accuracies.append(np.mean((scores[~train] >= threshold) == same[~train]))
    return np.asarray(accuracies)
