"""The same on another device as on the CPU: on a GPU, or without one on what stands in for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from device_checks import CHECKS, tasks_train
from torch.utils import backend_registration

from lrfr_lightning.heads import ArcFace, MarginHead
from processes import on_ranks

NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
STANDS_IN = pytest.mark.skipif(
    not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"),
    reason="this torch has no devices made in Python",
)


@pytest.mark.gpu
@NEEDS_GPU
@pytest.mark.parametrize("check", CHECKS)
def test_a_gpu_computes_the_same(check: Callable[[torch.device], None]) -> None:
    check(torch.device("cuda"))


@pytest.mark.gpu
@NEEDS_GPU
def test_a_gpu_trains_every_task(make_trainer: Any, tmp_path: Path) -> None:
    def on_gpu(**changes: Any) -> Any:
        return make_trainer(accelerator="gpu", **changes)

    tasks_train(torch.device("cuda"), on_gpu, tmp_path)


@STANDS_IN
@pytest.mark.parametrize("what", ["functions", "tasks"])
def test_so_does_what_stands_in_for_one(what: str, tmp_path: Path) -> None:
    on_ranks(_on_stand_in, (what, tmp_path), 1)


def _on_stand_in(rank: int, what: str, folder: Path) -> None:
    import stand_in

    device = stand_in.install()
    with pytest.raises(RuntimeError, match="expected all tensors on one device"):
        torch.ones(2, device=device) + torch.ones(2)
    if what == "tasks":
        quiet: dict[str, Any] = {
            "devices": 1, "logger": False, "enable_checkpointing": False,
            "enable_progress_bar": False, "enable_model_summary": False,
            "num_sanity_val_steps": 0, "inference_mode": False, "default_root_dir": folder,
        }  # fmt: skip
        tasks_train(device, lambda **changes: stand_in.trainer(**(quiet | changes)), folder)
        return
    for check in CHECKS:
        check(device)
    stand_in.waits.clear()
    head = MarginHead(32, 50, ArcFace()).to(device)
    embedding = torch.randn(8, 32).to(device).requires_grad_()
    head(embedding, torch.randint(-1, 50, (8,)).to(device)).backward()
    assert stand_in.waits == ["nonzero"]
