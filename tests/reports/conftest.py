"""Hand-made results of two models."""

from dataclasses import replace

import pytest

from lrfr_lightning.protocols.result import ProtocolResult

COUNTS = {"images": 1720, "pairs": 1000, "genuine": 500, "impostor": 500, "folds": 10}


def result(
    model: str = "base",
    resolution: int = 112,
    accuracy: float | None = 0.9,
    std: float | None = 0.012,
) -> ProtocolResult:
    """A result whose other metrics follow from nothing; tests replace what they look at."""
    return ProtocolResult(
        model=model,
        protocol="lfw-devtest",
        setting="standard",
        resolution=resolution,
        degraded="both",
        down="bicubic, antialias",
        up="bicubic",
        flip=True,
        metrics={
            "accuracy": accuracy,
            "accuracy_std": std,
            "auc": 0.98765,
            "eer": 0.05432,
            "tar@far=0.01": 0.8125,
            "tar@far=0.001": None,
        },
        counts=dict(COUNTS),
        thresholds={"accuracy": 0.24681, "tar@far=0.01": 0.31},
        curves={"far": [0.0, 0.002, 0.01, 0.1, 1.0], "tar": [0.1, 0.5, 0.8, 0.95, 1.0]},
    )


@pytest.fixture
def results() -> list[ProtocolResult]:
    """Two models at three resolutions; ``tuned`` loses at 112 px, ties at 28 and wins at 7."""
    base = [("base", 28, 0.912), ("base", 112, 0.9963), ("base", 7, 0.5571)]
    tuned = [("tuned", 7, 0.701), ("tuned", 28, 0.9124), ("tuned", 112, 0.9899)]
    return [result(name, size, accuracy) for name, size, accuracy in base + tuned]


@pytest.fixture
def two_blocks(results: list[ProtocolResult]) -> list[ProtocolResult]:
    """The same once more, as the slides measured."""
    return results + [replace(r, setting="deck", flip=False) for r in results]
