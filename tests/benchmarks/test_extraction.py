"""The extraction benchmark runs and says what it compares."""

import pytest

from benchmarks import extraction


@pytest.mark.parametrize("precisions", [("float32",), ("float32", "bf16")])
def test_rows(precisions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "PRECISIONS", precisions)
    rows = extraction.measure(quick=True)
    assert len(rows) == 2 * len(precisions)
    assert all(row.ratio_to_limit and row.ratio_to_peer for row in rows)
    # the fastest one has a target
    assert [row.met is not None for row in rows][-3:] == [False, True, True][-len(rows) :]
    assert {row.peer for row in rows} == {"torch, eager float32", "ONNX Runtime, float32"}
