"""Open-set identification: false alarms of people who are in no gallery, and who is found."""

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.identification import Search
from lrfr_lightning.functional.verification import roc


def tpir_at_fpir(found: Search, fpir: float, k: int = 1) -> tuple[float, float]:
    """Open-set identification: TPIR-k at an FPIR, exact; tied scores stand or fall together.

    A search gives an alarm if the highest score reaches the threshold. FPIR is the share of
    unmated probes with an alarm; TPIR the share of mated probes whose best mate has rank ``k`` or
    better and reaches the threshold. The threshold is the lowest that keeps FPIR at most ``fpir``:
    midway between the highest score that is refused and the next one.

    Source: Grother, Ngan, Hanaoka, "Face Recognition Vendor Test Part 2: Identification",
    NISTIR 8271, 2019, section 3; Cheng et al., "Surveillance Face Recognition Challenge", 2018.

    Returns:
        TPIR in 0..1 and the threshold; NaN where fewer than ``1 / fpir`` probes are unmated, since
        then not even one false alarm could be told from none, or where none is mated.
    """
    alarms = np.sort(found.impostor[~found.mated])[::-1]
    allowed = int(np.floor(fpir * len(alarms) + 1e-9))
    if allowed < 1 or not found.mated.any():
        return float("nan"), float("nan")
    bound = alarms[allowed] if allowed < len(alarms) else -np.inf
    hits = (found.rank <= k) & (found.mate > bound)
    scores = np.concatenate([found.mate[found.mated], alarms])
    return float(np.mean(hits[found.mated])), _just_above(bound, scores)


def _just_above(bound: float, scores: NDArray[np.float64]) -> float:
    """A threshold that parts a bound from the next higher score, midway between them."""
    above = scores[scores > bound]
    if not len(above):
        return float(np.nextafter(bound, np.inf))
    lowest = float(above.min())
    return lowest if bound == -np.inf else (float(bound) + lowest) / 2


def open_set_curve(
    found: Search, k: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Every operating point of open-set identification.

    Returns:
        FPIR rising from 0 to 1, TPIR-k, and the thresholds falling from infinity, float64 ``(N,)``
        each; all empty where no probe is mated or none is unmated.
    """
    alarms, mates = found.impostor[~found.mated], found.mate[found.mated]
    if not len(alarms) or not len(mates):
        return np.empty(0), np.empty(0), np.empty(0)
    lowest = min(alarms.min(), np.nanmin(mates, initial=np.inf)) - 1
    # a probe that is not within the first k is never identified, whatever the threshold
    scores = np.where(found.rank[found.mated] <= k, mates, lowest)
    same = np.repeat([True, False], [len(scores), len(alarms)])
    curve = roc(np.concatenate([scores, alarms]), same)
    kept = curve.threshold > lowest
    return curve.far[kept], curve.tar[kept], curve.threshold[kept]


def open_set_area(found: Search, k: int = 1) -> float:
    """Area under TPIR-k against FPIR, 0..1, the AUC of QMUL-SurvFace's identification.

    Ties between mated and unmated probes count one half; NaN where a kind of probe is missing.
    """
    fpir, tpir, _ = open_set_curve(found, k)
    if not len(fpir):
        return float("nan")
    return float(np.sum(np.diff(fpir) * (tpir[1:] + tpir[:-1]) / 2))
