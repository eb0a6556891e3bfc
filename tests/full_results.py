"""Hand-made results that have everything a results file may hold."""

import io
from base64 import b64encode
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from lrfr_lightning.protocols.result import ProtocolResult, Resolution

SIZES = (112, 7)


def png(side: int, seed: int) -> str:
    """A picture of one colour but for a corner, as base64."""
    pixels = np.full((side, side, 3), 40 + seed, np.uint8)
    pixels[: side // 2, : side // 2] = 255 - seed
    with io.BytesIO() as buffer:
        Image.fromarray(pixels).save(buffer, "PNG")
        return b64encode(buffer.getvalue()).decode()


def example(kind: str, number: int, side: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "score": (0.1 if kind == "genuine" else 0.6) + number / 100,
        "first": f"person{number}/0001.jpg",
        "second": f"person{number + 1}/0002.jpg",
        "first_png": png(side, number),
        "second_png": png(side, number + 100),
    }


def curves(quality: float) -> dict[str, list[float]]:
    rng = np.random.default_rng(int(100 * quality))
    far = np.logspace(-3, 0, 20)
    edges = np.linspace(-1, 1, 41)
    genuine = rng.normal(quality / 2, 0.2, 400).clip(-1, 1)
    impostor = rng.normal(0, 0.2, 400).clip(-1, 1)
    scores = np.concatenate((genuine[:60], impostor[:60]))
    return {
        "far": [0.0, *far.tolist()],
        "tar": [0.0, *(far ** (1 - quality)).tolist()],
        "score_edges": edges.tolist(),
        "genuine_density": (np.histogram(genuine, edges)[0] / 400).tolist(),
        "impostor_density": (np.histogram(impostor, edges)[0] / 400).tolist(),
        "sample_score": scores.tolist(),
        "sample_norm": rng.uniform(5, 30, 120).tolist(),
        "sample_sharpness": rng.uniform(0.5, 14, 120).tolist(),
        "sample_genuine": [1] * 60 + [0] * 60,
    }


def verification(model: str, px: Resolution, accuracy: float, **changes: Any) -> ProtocolResult:
    whole = ProtocolResult(
        model=model,
        protocol="lfw-devtest",
        setting="standard",
        resolution=px,
        degraded="both",
        down="bicubic, antialias",
        up="bicubic, antialias",
        flip=False,
        metrics={"accuracy": accuracy, "accuracy_std": 0.01, "auc": accuracy, "eer": 1 - accuracy},
        counts={"images": 1549, "pairs": 1000, "people": 900},
        thresholds={"accuracy": 0.25},
        curves=curves(accuracy),
        intervals={"accuracy": [accuracy - 0.02, accuracy + 0.01]},
        examples=[
            example(kind, number, px or 112)
            for kind in ("genuine", "impostor")
            for number in (0, 1)
        ],
    )
    return replace(whole, **changes)


def identification(model: str, rate: float) -> ProtocolResult:
    fpir = np.logspace(-3, 0, 20)
    return verification(
        model,
        None,
        rate,
        protocol="survface-open",
        degraded="first",
        metrics={"rank1": rate, "rank5": rate, "map": rate, "tpir20@fpir=0.01": rate / 4},
        counts={"gallery": 300, "probes": 600, "unmated": 120},
        thresholds={"tpir20@fpir=0.01": 0.4},
        curves={
            "rank": list(range(1, 21)),
            "cmc": np.linspace(rate, 1, 20).tolist(),
            "fpir": fpir.tolist(),
            "fnir": ((1 - rate) * (1 - fpir / 2)).tolist(),
        },
        intervals={"rank1": [rate - 0.03, rate + 0.03]},
    )


def full_results() -> list[ProtocolResult]:
    """Verification with a control, a matrix, and identification; two models and a bare floor."""
    results = []
    for model, gain in (("base", 0.0), ("tuned", 0.08), ("raw-pixels", -0.2)):
        for px, accuracy in zip(SIZES, (0.9, 0.72), strict=True):
            own = accuracy + gain
            results.append(verification(model, px, own))
            results.append(verification(model, px, own - 0.05, control="grey"))
            results += [
                verification(model, px, own - n / 50, degraded="matrix", gallery_resolution=gallery)
                for n, gallery in enumerate(SIZES)
            ]
        results.append(identification(model, 0.4 + gain))
    return [_bare(result) if result.model == "raw-pixels" else result for result in results]


def _bare(result: ProtocolResult) -> ProtocolResult:
    """As in a results file of an older version."""
    return replace(result, curves={}, intervals={}, examples=[])
