"""``lrfr compare`` from results files to tables."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_lightning.cli.main import main
from lrfr_lightning.protocols import EmbeddedVerification, ProtocolResult, write_results
from lrfr_lightning.protocols.outcomes import Outcomes


def measure(spread: float, model: str, seed: int = 0) -> list[ProtocolResult]:
    """A model whose embeddings lie ``spread`` around each person's own."""
    protocol = EmbeddedVerification(60, 3, 12, resolutions=(112, 14))
    protocol.examples = 0
    own = np.random.default_rng(0).normal(size=(60, 16)).repeat(3, axis=0)
    noise = np.random.default_rng(seed).normal(size=own.shape)
    vectors = {r: own + spread * worse * noise for r, worse in ((112, 1), (14, 1.5))}
    return protocol.evaluate(vectors, model)


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_results("a.json", measure(1.2, "old"))
    write_results("b.json", measure(0.5, "new"))


def test_before_after_and_whether_it_is_chance(capsys: Any) -> None:
    main(["compare", "a.json", "b.json", "--output", "changes"])
    old, new = measure(1.2, "old"), measure(0.5, "new")
    entries = json.loads(Path("changes/compare.json").read_text())["comparisons"]
    assert [entry["resolution"] for entry in entries] == [112, 14]
    for entry, one, other in zip(entries, old, new, strict=True):
        assert entry["models"] == ["old", "new"]
        change = entry["metrics"]["auc"]
        assert (change["before"], change["after"]) == (one.metrics["auc"], other.metrics["auc"])
        assert change["difference"] == pytest.approx(change["after"] - change["before"])
        assert set(entry["metrics"]) == {"accuracy", "auc", "eer", "tar@far=0.1", "tar@far=0.01"}
        assert entry["test"]["metric"] == "accuracy"
        assert entry["test"]["difference"] == pytest.approx(
            entry["metrics"]["accuracy"]["difference"]
        )
        assert entry["test"]["people"]
        assert entry["significant"]
    text = Path("changes/compare.md").read_text()
    shown = capsys.readouterr().out
    for part in ("old → new", f"{100 * old[1].metrics['accuracy']:.2f}", "yes", "McNemar"):
        assert part in text
        assert part in shown


def test_no_difference_is_not_significant() -> None:
    write_results("c.json", measure(1.2, "old", seed=5))
    found = main(["compare", "a.json", "c.json"])
    assert [comparison.test.significant for comparison in found] == [False, False]
    same = main(["compare", "a.json", "a.json"])
    assert [comparison.test.p_value for comparison in same] == [1.0, 1.0]


def test_models_of_one_file_by_name() -> None:
    write_results("both.json", [*measure(1.2, "old"), *measure(0.5, "new")])
    found = main(["compare", "both.json", "both.json", "--before", "old", "--after", "new"])
    assert {(c.before.model, c.after.model) for c in found} == {("old", "new")}
    assert len(found) == 2


def test_namesakes_and_the_one_without(capsys: Any) -> None:
    floor = measure(9, "raw-pixels")
    write_results("a.json", [*measure(1.2, "old"), *floor])
    write_results("b.json", [*measure(0.5, "new"), *floor])
    found = main(["compare", "a.json", "b.json"])
    assert [(c.before.model, c.after.model) for c in found[::2]] == [
        ("old", "new"), ("raw-pixels", "raw-pixels")
    ]  # fmt: skip
    write_results("b.json", [*measure(0.5, "new"), *measure(0.6, "newer")])
    with pytest.raises(SystemExit, match="which models to compare.*old, raw-pixels.*--before"):
        main(["compare", "a.json", "b.json"])
    with pytest.raises(SystemExit, match="--before and --after go together"):
        main(["compare", "a.json", "b.json", "--before", "old"])


def test_other_items_are_refused() -> None:
    others = [
        replace(r, outcomes=r.outcomes | {"items": "0" * 64}) for r in measure(0.5, "new")
    ]  # fmt: skip
    write_results("b.json", others)
    with pytest.raises(SystemExit, match="embedded at 112 px: .* other verification items"):
        main(["compare", "a.json", "b.json"])


def test_nothing_in_common() -> None:
    write_results("b.json", [replace(r, control="grey") for r in measure(0.5, "new")])
    with pytest.raises(SystemExit, match="share no measurement .*old on embedded at 112 px"):
        main(["compare", "a.json", "b.json"])


def test_files_without_outcomes_are_compared_without_a_test(capsys: Any) -> None:
    write_results("b.json", [replace(r, outcomes={}) for r in measure(0.5, "new")])
    found = main(["compare", "a.json", "b.json"])
    assert [comparison.test for comparison in found] == [None, None]
    assert "significant" in capsys.readouterr().out
    fewer = [replace(r, outcomes={}, counts={"pairs": 3}) for r in measure(0.5, "new")]
    write_results("b.json", fewer)
    with pytest.raises(SystemExit, match="other items, .*'pairs': 240.* against .*'pairs': 3"):
        main(["compare", "a.json", "b.json"])


def test_identification() -> None:
    probes = np.stack([np.arange(200) // 2] * 2, axis=1).astype(np.int32)
    for name, right in (("a", 0.5), ("b", 0.9)):
        correct = np.random.default_rng(1).random(200) < right
        outcomes = Outcomes("identification", "x" * 64, "rank1", correct, probes).to_json()
        entry = replace(
            measure(1, "m")[0], protocol="tinyface", metrics={"rank1": float(correct.mean())},
            outcomes=outcomes, intervals={}, curves={},
        )  # fmt: skip
        write_results(f"{name}.json", [entry])
    (found,) = main(["compare", "a.json", "b.json"])
    assert found.tested == "rank1"
    assert found.test.significant
    assert found.test.difference == pytest.approx(
        found.after.metrics["rank1"] - found.before.metrics["rank1"]
    )
