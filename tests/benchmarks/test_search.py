"""The search benchmark runs, and what it compares gives the same answers."""

import numpy as np
import pytest
from benchmarks.search import look_up, measure
from benchmarks.search_peers import faces


def in_this_process(source: str, setup: str = "", **more: object) -> float:
    exec(f"{setup}\n{source}", {})
    return 7.0


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
def test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    # what is measured runs here; its process is tried by tests/benchmarks/test_framework.py
    monkeypatch.setattr("benchmarks.search.peak_mb", in_this_process)
    rows = measure(quick=True)
    assert [row.name.split(",")[0] for row in rows] == [
        "1:N lookup at TinyFace's size",
        "1:N lookup at TinyFace's size",
        "Ranks and average precision at TinyFace's size",
        "1:N lookup",
        "Open set at SurvFace's size",
        "Open set",
    ]
    assert all(row.seconds and row.memory_mb is not None for row in rows)
    assert all(row.ratio_to_limit or row.ratio_to_peer for row in rows)
    assert [bool(row.target) for row in rows] == [True, False, True, False, True, False]


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
def test_all_ways_find_the_same() -> None:
    closed, opened = look_up((60, 3_000)), look_up((400, 90))
    found = closed["top_k"]().row.numpy()
    np.testing.assert_array_equal(closed["torch"](), found)
    np.testing.assert_array_equal(closed["sort"](), found)
    assert opened["full_open"]() == pytest.approx(opened["open"]()[0])
    assert 0.1 < opened["open"]()[0] < 0.9


def test_probes_lie_near_their_mates() -> None:
    probes, person, gallery, _ = faces(400, 90)
    np.testing.assert_allclose(np.linalg.norm(probes, axis=1), 1, rtol=1e-5)
    mated = person >= 0
    assert np.count_nonzero(mated) == 200
    assert 0.2 < np.sum(probes[mated] * gallery[person[mated]], axis=1).mean() < 0.4
