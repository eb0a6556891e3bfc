"""What plots of a verification result are drawn from, thinned out to stay small in JSON."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.verification import Flags, Scores, roc

Curves = dict[str, list[float]]

_BINS = 40
_SAMPLE = 100
_DIGITS = 6
"""Beyond six digits a float32 cosine says nothing."""


def roc_curve(scores: Scores, same: Flags, lowest: float = 1e-4) -> Curves:
    """The ROC as ``far`` and ``tar``: the exact TAR at FARs even on a log axis from ``lowest``."""
    curve = roc(scores, same)
    last = np.searchsorted(curve.far, np.geomspace(lowest, 1, 61), side="right") - 1
    kept = np.unique(last)
    return {"far": curve.far[kept].tolist(), "tar": curve.tar[kept].tolist()}


def score_histograms(scores: Scores, same: Flags) -> Curves:
    """Histograms of the scores of both classes over the same bins.

    Returns:
        ``score_edges``: 41 edges from the lowest to the highest score; ``genuine_density`` and
        ``impostor_density``: the share of the class in each of the 40 bins, each summing to 1.
    """
    edges = np.histogram_bin_edges(scores, _BINS)
    kinds = {"genuine_density": scores[same], "impostor_density": scores[~same]}
    shares = {name: np.histogram(kind, edges)[0] / len(kind) for name, kind in kinds.items()}
    return {"score_edges": _short(edges)} | {name: _short(own) for name, own in shares.items()}


def sampled_pairs(same: Flags) -> NDArray[np.int64]:
    """Up to 100 pairs of each class, the same ones for every model, int64 ``(S,)``."""
    rng = np.random.default_rng(0)
    kinds = [np.flatnonzero(same), np.flatnonzero(~same)]
    return np.concatenate([np.sort(rng.permutation(kind)[:_SAMPLE]) for kind in kinds])


def score_sample(
    scores: Scores,
    same: Flags,
    norm: Callable[[int], float],
    sharpness: Callable[[int], float],
) -> Curves:
    """Score, norm and sharpness of :func:`sampled_pairs`.

    Args:
        scores: float ``(N,)``.
        same: bool ``(N,)``.
        norm: the smaller norm of a pair's two embeddings, before they are normalised.
        sharpness: the smaller sharpness of a pair's two views, in grey levels.

    Returns:
        ``sample_score``, ``sample_norm``, ``sample_sharpness`` and ``sample_genuine`` (1 or 0).
    """
    chosen = sampled_pairs(same)
    return {
        "sample_score": _short(scores[chosen]),
        "sample_norm": _short(np.asarray([norm(int(pair)) for pair in chosen])),
        "sample_sharpness": _short(np.asarray([sharpness(int(pair)) for pair in chosen])),
        "sample_genuine": _short(same[chosen].astype(np.float64)),
    }


def _short(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
