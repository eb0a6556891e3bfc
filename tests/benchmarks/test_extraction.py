"""The extraction benchmark runs and says what it compares."""

from benchmarks.extraction import measure


def test_rows() -> None:
    rows = measure(quick=True)
    assert len(rows) == 4
    assert all(row.ratio_to_limit and row.ratio_to_peer for row in rows)
    assert [row.met is not None for row in rows] == [False, False, True, True]
    assert {row.peer for row in rows} == {"torch, eager float32", "ONNX Runtime, float32"}
