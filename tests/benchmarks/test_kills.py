"""One kill of the twenty that ``python -m benchmarks.kills`` makes."""

from pathlib import Path

from benchmarks.kills import STEPS, kills


def test_a_killed_run_ends_like_the_undisturbed_one(tmp_path: Path) -> None:
    (kill,) = kills(tmp_path, 1, seed=1)
    assert kill.equal
    assert 0 < kill.step < STEPS
