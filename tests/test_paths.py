"""Files appear whole or not at all."""

from pathlib import Path

import pytest

from lrfr_lightning.utils.paths import whole_file


def stopped_halfway(path: Path) -> None:
    with whole_file(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as partial:
        partial.write_text("old")
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt):
        stopped_halfway(path)
    assert path.read_text() == "old"
    with whole_file(path) as one, whole_file(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]
