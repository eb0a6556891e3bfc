"""Three kills of the twenty that ``python -m benchmarks.kills`` makes."""

from pathlib import Path

from benchmarks.kills import STEPS, kills


def test_killed_runs_end_like_the_undisturbed_one(tmp_path: Path) -> None:
    found = kills(tmp_path, 3, seed=1)
    assert [kill.equal for kill in found] == [True] * 3
    assert any(0 < kill.step < STEPS for kill in found)
