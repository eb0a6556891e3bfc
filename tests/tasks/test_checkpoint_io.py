"""Checkpoint files: whole, alone in their folder, and readable by everybody."""

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from lrfr_lightning.tasks import WholeCheckpointIO
from lrfr_lightning.utils.errors import DiskError

CHECKPOINT = {"state_dict": {"weight": torch.ones(3)}, "global_step": 7}


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "last.ckpt"
    WholeCheckpointIO().save_checkpoint(CHECKPOINT, path)
    assert torch.load(path, weights_only=True)["global_step"] == 7
    assert os.listdir(path.parent) == ["last.ckpt"]
    with path.open("rb") as file:  # nobody holds it any more
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_remains_of_the_dead_are_removed_and_of_the_living_kept(tmp_path: Path) -> None:
    dead, living, other = (
        tmp_path / name for name in ("step=1.ckpt.aa.partial", "last.ckpt.bb.partial", "a.partial")
    )
    for path in (dead, living, other):
        path.write_text("half")
    with living.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        WholeCheckpointIO().save_checkpoint(CHECKPOINT, tmp_path / "last.ckpt")
    assert sorted(os.listdir(tmp_path)) == ["a.partial", "last.ckpt", "last.ckpt.bb.partial"]


def test_a_failure_in_mid_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpointIO().save_checkpoint(CHECKPOINT, path)
    before = path.read_bytes()

    def short(checkpoint: Any, file: Any) -> None:
        file.write(before[: len(before) // 2])  # a disk that loses bytes without saying so

    monkeypatch.setattr("torch.save", short)
    with pytest.raises(DiskError, match=r"last\.ckpt: the disk lost a part"):
        WholeCheckpointIO().save_checkpoint(CHECKPOINT, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["last.ckpt"]


def test_urls_are_left_to_lightning(tmp_path: Path) -> None:
    WholeCheckpointIO().save_checkpoint(CHECKPOINT, "memory://bucket/last.ckpt")
    assert WholeCheckpointIO().load_checkpoint("memory://bucket/last.ckpt")["global_step"] == 7
    assert os.listdir(tmp_path) == []
