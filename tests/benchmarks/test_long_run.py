"""The long run of real faces, cut short."""

from pathlib import Path

import pytest
from benchmarks.long_run import long_run


@pytest.mark.real
def test_nothing_is_left_behind(
    lrfr_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFR_DATA", str(lrfr_data))
    found = long_run(tmp_path, 250)
    assert found["second_tenth_mb"] > 50
    assert found["files_left_open"] == []
    assert found["processes_left"] == []
