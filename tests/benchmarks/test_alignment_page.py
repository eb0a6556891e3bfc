"""The alignment's measurement, by rows that are known, and the page that shows it."""

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.alignment import measure, tables
from benchmarks.photographs import Placed

from lrfr_lightning.functional.alignment import ARCFACE_TEMPLATE
from lrfr_lightning.preprocessing import Alignment, Detection
from lrfr_lightning.preprocessing.record import row_of

ROOT = Path(__file__).parents[2]


def found(path: str, landmarks: np.ndarray) -> dict[str, str]:
    face = Detection((0, 0, 1, 1), 0.9, landmarks.astype(np.float32))
    crop = np.zeros((112, 112, 3), np.uint8)
    return row_of(path, 9, Alignment(crop, "aligned", "", face), path)


def test_errors_and_counts_of_known_rows() -> None:
    true = ARCFACE_TEMPLATE / 2 + 100  # eyes 17.6 px apart, crop px count half here
    placed = [Placed(f"{number}.jpg", "a", 64, true) for number in range(5)]
    failed = row_of("3.jpg", 9, Alignment(None, "failed", "no face found"), "")
    rows = [
        found("0.jpg", true), found("1.jpg", true + [3, 4]), found("2.jpg", true + [40, 0]), failed
    ]  # fmt: skip
    (size,) = measure(placed, rows)  # 4.jpg has no row
    assert size == {
        "size": 64, "photographs": 5, "rows": 4, "found": 2, "elsewhere": 1,
        "error": pytest.approx(2.5, abs=0.01), "error_eyes": pytest.approx(2.5 / 17.62, abs=1e-3),
        "crop_error": pytest.approx(5, abs=0.02),
    }  # fmt: skip


def test_the_page_shows_what_was_measured() -> None:
    results = json.loads((ROOT / "benchmarks/alignment.json").read_text())
    assert tables(results) in (ROOT / "docs/alignment.md").read_text()
    for sizes in (policy for detector in results.values() for policy in detector.values()):
        assert [size["rows"] for size in sizes] == [size["photographs"] for size in sizes]
        assert sum(size["rows"] for size in sizes) == 500
