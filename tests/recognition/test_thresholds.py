"""Thresholds between the calibrated coordinates, and their file."""

import json

import numpy as np
import pytest

from lrfr_lightning.recognition import Thresholds
from lrfr_lightning.recognition.thresholds import RateTable
from lrfr_lightning.utils.errors import DataError

LIMITS = [[[0.1, 0.3], [0.2, 0.5]], [[0.3, 0.5], [0.6, 0.7]]]
TABLE = RateTable((7, 28), (10, 1000), (0.1, 0.001), 0.001, LIMITS, np.zeros((2, 2, 2)).tolist(), 5)
MADE = Thresholds("m", "f", False, "faces", 5, TABLE, None)


def test_known_answers():
    assert TABLE.limit(7, 10) == pytest.approx(0.3)
    assert TABLE.limit(28, 1000) == pytest.approx(0.7)
    # 14 lies midway between 7 and 28, and 100 between 10 and 1000
    assert TABLE.limit(14, 10) == pytest.approx(0.4)
    assert TABLE.limit(7, 100) == pytest.approx(0.4)
    assert TABLE.limit(14, 100) == pytest.approx(0.5)
    assert TABLE.limits(14, 100) == pytest.approx([0.3, 0.5])


def test_the_rate_of_a_score_is_interpolated_in_its_logarithm():
    assert TABLE.rate(0.3, 7, 10) == pytest.approx(0.001)
    assert TABLE.rate(0.2, 7, 10) == pytest.approx(0.01)
    assert TABLE.rate(-1, 7, 10) == pytest.approx(0.1)
    assert TABLE.rate(1, 7, 10) == pytest.approx(0.001)


@pytest.mark.parametrize("where", [(6, 10), (29, 10), (7, 9), (7, 1001)])
def test_nothing_is_said_outside(where):
    assert TABLE.limit(*where) is None
    assert TABLE.rate(0.5, *where) is None


def test_the_file_gives_them_back(tmp_path):
    MADE.save(tmp_path / "t.json")
    assert Thresholds.load(tmp_path / "t.json") == MADE


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"model": None, "extra": 1},
        {"search": {"first": [7]}},
        {"search": json.loads(json.dumps(TABLE.__dict__)) | {"first": [28, 7]}},
        {"search": json.loads(json.dumps(TABLE.__dict__)) | {"threshold": [[1]]}},
        {"search": json.loads(json.dumps(TABLE.__dict__)) | {"wished": 0.5}},
    ],
)
def test_files_that_are_none(change, tmp_path):
    path = tmp_path / "t.json"
    MADE.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=r"t.json: expected thresholds as lrfr calibrate writes"):
        Thresholds.load(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "\x00"])
def test_text_that_is_none(text, tmp_path):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError, match=r"t.json: expected thresholds as lrfr calibrate writes"):
        Thresholds.load(tmp_path / "t.json")
