"""The parts about training and imports measure what their rows say."""

import math

import pytest
import torch

from benchmarks import imports, layers, training


def test_the_loop_by_hand_makes_the_trainers_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def task() -> training.RecognitionTask:
        made.append(ORIGINAL())
        return made[-1]

    ORIGINAL = training._task
    monkeypatch.setattr(training, "_task", task)
    for precision in training.AUTOCAST:
        ours, theirs = training.compare(precision, size=2, steps=3)
        assert min(ours, theirs) > 0
        one, two = (task.state_dict() for task in made[-2:])
        assert all(torch.equal(one[name], two[name]) for name in one if name != "_extra_state")


def test_rows_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "compare", lambda precision, size, steps: (
        (1.02, 1.0) if precision == "32-true" else (0.52, 0.5)
    ))  # fmt: skip
    monkeypatch.setattr(training, "PRECISIONS", ["32-true", "bf16-mixed"])
    full, half, default = training.measure(quick=True)
    assert (full.ratio_to_limit, full.met) == (1.02, True)
    assert (half.ratio_to_limit, half.met) == (1.04, False)
    assert math.isclose(default.ratio_to_peer or 0, 0.52 / 1.02)
    monkeypatch.setattr(training, "PRECISIONS", ["32-true"])  # a processor without bf16
    assert training.measure(quick=True) == [full]


def test_rows_of_imports() -> None:
    library, usage = imports.measure(quick=True)
    assert library.name == "import lrfr_lightning, added to import torch"
    assert (usage.seconds or 0) > 0
    assert 0 < (library.seconds or 0) < imports.LIBRARY_SECONDS
    assert (library.ratio_to_limit or 0) > 1


def test_rows_of_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    # compiling is tests/backbones' matter
    monkeypatch.setattr(layers, "fuse_prelu", lambda network: None)
    rows = layers.measure(quick=True)
    assert [row.sense for row in rows] == ["time", "time"]
    assert all((row.ratio_to_peer or 0) > 0 for row in rows)
