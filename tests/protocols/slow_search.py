"""Slow, independent references for identification and verification."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from lrfr_lightning.cli.main import main
from lrfr_lightning.protocols import ProtocolResult


def evaluate(folder: Path, *protocols: dict[str, Any]) -> list[ProtocolResult]:
    """``lrfr evaluate`` of the raw pixels."""
    entries = [
        {"class_path": f"lrfr_lightning.protocols.{p.pop('protocol')}", "init_args": p}
        for p in map(dict, protocols)
    ]
    config = {"models": [{"class_path": "lrfr_lightning.embedders.RawPixels"}]}
    path = folder / "evaluate.yaml"
    path.write_text(yaml.safe_dump(config | {"protocols": entries}))
    return main(["evaluate", "--config", str(path), "--output", str(folder / "results.json")])


def pixels(path: Path) -> np.ndarray:
    """What ``RawPixels`` makes of an image file enlarged to 112 px, at length 1."""
    with Image.open(path) as file:
        shown = file.convert("RGB").resize((112, 112), Image.Resampling.BICUBIC)
    return length_one(np.asarray(shown, np.float64).ravel())


def length_one(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean()
    return centred / np.sqrt((centred**2).sum())


def ranks_of(
    probe: np.ndarray, person: int, gallery: list[tuple[np.ndarray, int]]
) -> tuple[list[int], float, float]:
    """Ranks of the mates, the best mate's score, the best impostor's; ties go to impostors."""
    mates = sorted((float(probe @ e) for e, who in gallery if who == person), reverse=True)
    others = [float(probe @ e) for e, who in gallery if who != person]
    ranks = [n + sum(o >= s - 1e-6 for o in others) for n, s in enumerate(mates, start=1)]
    return ranks, max(mates, default=np.nan), max(others)


def rate(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def slow_precision(ranks: list[int]) -> float:
    """Precision over recall with straight lines, place by place down the list."""
    area, found, before = 0.0, 0, 1.0
    for place in range(1, max(ranks) + 1):
        hit = place in ranks
        found += hit
        area += hit * (before + found / place) / 2 / len(ranks)
        before = found / place
    return area


def slow_tar(genuine: list[float], impostor: list[float], far: float) -> float:
    """The highest share of genuine scores over all thresholds that keep FAR."""
    tried = [*genuine, *impostor, np.inf]
    allowed = [t for t in tried if rate([s >= t for s in impostor]) <= far + 1e-12]
    return max(rate([s >= t for s in genuine]) for t in allowed)
