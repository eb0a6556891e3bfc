"""The benchmarks' own parts: rows, clock, memory, page, command."""

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks.clock import medians
from benchmarks.memory import peak_mb
from benchmarks.page import write_page
from benchmarks.row import Row

from benchmarks import __main__ as command

FAST = Row("search", "time", 0.5, "bare product", 1.07, "faiss 1.9", 0.5, 12.5, 40.0, "1.1", True)
SLOW = Row("step", "speed", 2.0, peer="theirs", ratio_to_peer=3.0, target="at least 4", met=False)


def test_functions_take_turns_and_warm_up_is_not_counted() -> None:
    calls: list[str] = []

    def slow_at_first() -> None:
        time.sleep(0.2 if "a" not in calls else 0.001)
        calls.append("a")

    seconds = medians({"a": slow_at_first, "b": lambda: calls.append("b")}, repeats=3)
    assert calls == ["a", "b"] * 4
    assert 0.001 <= seconds["a"] < 0.2
    assert seconds["b"] < seconds["a"]


def test_each_turn_begins_when_the_threads_of_the_one_before_have_gone_to_rest() -> None:
    times: list[float] = []

    def note() -> None:
        times.append(time.perf_counter())

    seconds = medians({"a": note, "b": note}, repeats=3)
    assert all(after - before >= 0.05 for before, after in pairwise(times))
    assert max(seconds.values()) < 0.05


def test_the_median_shrugs_off_one_slow_moment() -> None:
    waits = iter([0.0, 0.01, 0.5, 0.01])
    assert medians({"a": lambda: time.sleep(next(waits))}, repeats=3)["a"] < 0.25


def test_memory_counts_the_statement_and_not_its_inputs() -> None:
    setup = "import torch; x = torch.ones(25_000_000)"
    # 40 MB that are freed at once still count
    assert peak_mb("y = torch.ones(10_000_000); del y", setup) == pytest.approx(40, abs=8)
    assert peak_mb("z = 1", setup) < 8
    with pytest.raises(RuntimeError, match="NameError"):
        peak_mb("unknown")


def test_the_page_says_what_was_reached(tmp_path: Path) -> None:
    write_page(tmp_path, [FAST, SLOW], {"cores": 2})
    text = (tmp_path / "results.md").read_text()
    assert "* cores: 2" in text
    assert (
        "| search | 1.07 x time | bare product | 0.50 x time | faiss 1.9 | 12 | 40 | 1.1 | yes |"
        in text
    )
    assert "| step |  |  | 3.00 x speed | theirs |  |  | at least 4 | no |" in text
    assert (tmp_path / "results.png").stat().st_size > 1000


def test_the_command_writes_what_its_parts_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    asked: list[bool] = []

    def measure(quick: bool) -> list[Row]:
        asked.append(quick)
        return [FAST, SLOW]

    monkeypatch.setitem(sys.modules, "benchmarks.invented", SimpleNamespace(measure=measure))
    monkeypatch.setattr(command, "PARTS", ("invented", "unwanted"))
    arguments = ["benchmarks", "invented", "--quick", "--output", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", arguments)
    command.main()
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    assert asked == [True]
    assert [row["name"] for row in written["results"]] == ["search", "step"]
    first = written["results"][0]
    assert (first["ratio_to_limit"], first["ratio_to_peer"], first["memory_mb"]) == (
        1.07,
        0.5,
        12.5,
    )
    assert written["machine"]["quick"] is True
    assert written["machine"]["packages"]["torch"]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == written["results"]


def test_what_was_measured_outlives_a_part_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, measure in (("first", lambda quick: [FAST]), ("second", lambda quick: 1 / 0)):
        monkeypatch.setitem(sys.modules, f"benchmarks.{name}", SimpleNamespace(measure=measure))
    monkeypatch.setattr(command, "PARTS", ("first", "second"))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZeroDivisionError):
        command.main()
    written = json.loads(Path("runs/benchmarks/results.json").read_text())
    assert [row["name"] for row in written["results"]] == ["search"]
