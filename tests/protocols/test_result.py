"""The results file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lrfr_lightning.protocols import ProtocolResult, read_results, write_results
from lrfr_lightning.utils.errors import DataError

RESULT = ProtocolResult(
    model="m",
    protocol="lfw",
    setting="standard",
    resolution=14,
    degraded="both",
    down="bicubic, antialias",
    up="bicubic, antialias",
    flip=False,
    metrics={"accuracy": 0.5},
    counts={"pairs": 10},
)


def test_round_trip_and_repeatability(tmp_path: Path) -> None:
    write_results(tmp_path / "deep" / "a.json", [RESULT], {"batch_size": 64})
    write_results(tmp_path / "b.json", [RESULT], {"batch_size": 64})
    assert read_results(tmp_path / "b.json") == [RESULT]
    assert (tmp_path / "deep" / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    content = json.loads((tmp_path / "b.json").read_text())
    assert content["config"] == {"batch_size": 64}
    assert "torch" in content["versions"]


def test_people_of_the_same_items_are_written_once(tmp_path: Path) -> None:
    outcomes = {"items": "ab12", "correct": "gA==", "people": "who" * 1000}
    results = [replace(RESULT, model=name, outcomes=dict(outcomes)) for name in "abc"]
    other = replace(RESULT, model="d", outcomes={"items": "cd34", "people": "others"})
    write_results(tmp_path / "a.json", [*results, other, RESULT])
    assert (tmp_path / "a.json").read_text().count("who" * 1000) == 1
    assert read_results(tmp_path / "a.json") == [*results, other, RESULT]


def test_unmeasured_becomes_null(tmp_path: Path) -> None:
    write_results(tmp_path / "a.json", [replace(RESULT, metrics={"eer": float("nan")})])
    assert read_results(tmp_path / "a.json")[0].metrics == {"eer": None}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_results(path, [RESULT])
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_results(path, [RESULT], {"bad": object()})
    assert read_results(path) == [RESULT]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "a list 'results'"),
        ('{"results": 3}', "a list 'results'"),
        ('{"results": [], "people": [1]}', "expected 'people' by the hash of the items"),
        ('{"results": [{"model": "m"}]}', r"results\[0\] is not a result: .*protocol"),
    ],
)
def test_files_that_are_no_results(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_results(tmp_path / "a.json")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="results file not found"):
        read_results(tmp_path / "none.json")


def test_a_file_without_a_threshold_rule_has_the_settings(tmp_path: Path) -> None:
    rules = []
    for setting in ("standard", "deck"):
        measured = replace(RESULT, setting=setting, thresholds={"accuracy": 0.2})
        write_results(tmp_path / "old.json", [measured])
        content = json.loads((tmp_path / "old.json").read_text())
        del content["results"][0]["threshold_rule"]
        (tmp_path / "old.json").write_text(json.dumps(content))
        rules.append(read_results(tmp_path / "old.json")[0].threshold_rule)
    assert rules == ["best", "youden"]
