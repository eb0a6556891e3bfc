"""The exact metrics as torchmetrics classes, for any Lightning module."""

from lrfr_lightning.metrics.identification import MeanAveragePrecision, RankK, TpirAtFpir
from lrfr_lightning.metrics.verification import (
    AreaUnderROC,
    EqualErrorRate,
    TarAtFar,
    VerificationAccuracy,
    VerificationROC,
)

__all__ = [
    "AreaUnderROC",
    "EqualErrorRate",
    "MeanAveragePrecision",
    "RankK",
    "TarAtFar",
    "TpirAtFpir",
    "VerificationAccuracy",
    "VerificationROC",
]
