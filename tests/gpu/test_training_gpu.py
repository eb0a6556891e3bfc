"""What only a GPU can show; ``pytest -m gpu``."""

from typing import Any

import pytest
import torch

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.datamodules import FaceDataModule

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
MANY = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")


def fitted(make_task: Any, make_trainer: Any, faces: Any, **changes: Any) -> Any:
    torch.manual_seed(0)
    task = make_task(backbone=IResNet(depth=18, embedding_dim=16, width=16, dropout=0.0))
    trainer = make_trainer(**({"accelerator": "gpu", "max_steps": 4, "max_epochs": -1} | changes))
    trainer.fit(task, FaceDataModule(faces, None, (), 8, num_workers=0))
    return trainer, task


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-mixed"])
def test_mixed_precision_learns_in_channels_last(
    make_task: Any, make_trainer: Any, faces: Any, precision: str
) -> None:
    trainer, task = fitted(make_task, make_trainer, faces, precision=precision)
    _, full = fitted(make_task, make_trainer, faces, precision="32-true")
    assert trainer.callback_metrics["train/loss"].isfinite()
    weight = task.backbone.state_dict()
    assert all(value.isfinite().all() for value in weight.values())
    convolution = next(m for m in task.backbone.modules() if isinstance(m, torch.nn.Conv2d))
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)
    for name, value in full.backbone.state_dict().items():
        torch.testing.assert_close(weight[name], value, rtol=0.2, atol=0.05)


@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
def test_a_gpu_resumes_the_same_run(
    make_task: Any, make_trainer: Any, faces: Any, tmp_path: Any, precision: str
) -> None:
    whole, task = fitted(make_task, make_trainer, faces, precision=precision)
    half, _ = fitted(make_task, make_trainer, faces, precision=precision, max_steps=2)
    half.save_checkpoint(tmp_path / "half.ckpt")
    again = make_task(backbone=IResNet(depth=18, embedding_dim=16, width=16, dropout=0.0))
    trainer = make_trainer(accelerator="gpu", max_steps=4, max_epochs=-1, precision=precision)
    data = FaceDataModule(faces, None, (), 8, num_workers=0)
    trainer.fit(again, data, ckpt_path=tmp_path / "half.ckpt")
    assert trainer.global_step == whole.global_step
    for name, value in task.backbone.state_dict().items():
        torch.testing.assert_close(again.backbone.state_dict()[name], value, rtol=1e-3, atol=1e-4)


@MANY
def test_two_gpus_with_synchronised_batch_normalisation_equal_one(
    make_task: Any, make_trainer: Any, faces: Any
) -> None:
    # spawned ranks: rank 0's weights come back
    two, task = fitted(
        make_task, make_trainer, faces, devices=2, strategy="ddp_spawn", sync_batchnorm=True
    )
    assert two.world_size == 2
    assert all(value.isfinite().all() for value in task.state_dict().values() if value.ndim)
