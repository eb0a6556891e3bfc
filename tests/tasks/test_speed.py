"""What makes training faster, reached from YAML as from Python."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, distributed, nn

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.cli import training
from lrfr_lightning.cli.main import main
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.tasks.speed import memory_layout
from lrfr_lightning.transforms import PixelSpec
from lrfr_lightning.utils.errors import ConfigError

TINY = {"depth": 18, "embedding_dim": 16, "width": 4, "dropout": 0.0}


class Flat(Backbone):
    """One convolution and one layer: compiled in no time."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding_dim, self.pixel_spec = 8, PixelSpec()
        self.conv = nn.Conv2d(3, 4, 16, 16)
        self.linear = nn.Linear(4 * 49, 8)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.linear(self.conv(image).relu().flatten(1))
        return out


def fit(**changes: Any) -> Any:
    """``lrfr fit`` with some settings of trainer and model changed, without a step."""
    trainer = {"accelerator": "cpu", "devices": 1, "max_epochs": 1, "limit_train_batches": 0,
               "limit_val_batches": 0, "logger": False, "enable_checkpointing": False,
               "enable_progress_bar": False, "enable_model_summary": False}  # fmt: skip
    margin = {"class_path": "lrfr_lightning.heads.ArcFace"}
    model = {
        "backbone": {"class_path": "lrfr_lightning.backbones.IResNet", "init_args": TINY},
        "head": {"class_path": "lrfr_lightning.heads.MarginHead", "init_args": {"margin": margin}},
        "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}},
    }
    config = {
        "trainer": trainer | changes.get("trainer", {}),
        "model": {
            "class_path": "lrfr_lightning.tasks.RecognitionTask",
            "init_args": model | changes.get("model", {}),
        },
        "data": {
            "dataset": {"class_path": "lrfr_lightning.datasets.EmbeddedFaces",
                        "init_args": {"identities": 4, "images_per_identity": 4}},
            "batch_size": 4, "num_workers": 0,
        },
    }  # fmt: skip
    Path("fit.yaml").write_text(yaml.safe_dump(config))
    return main(["fit", "--config", "fit.yaml"])


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_learning_rate_grows_with_the_global_batch() -> None:
    schedule = {"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"step_size": 1}}
    model = {"lr_base_batch": 8, "lr_scheduler": schedule}
    ran = fit(trainer={"accumulate_grad_batches": 3}, model=model)
    rate = ran.trainer.optimizers[0].param_groups[0]["lr"]
    assert rate == pytest.approx(0.1 * (4 * 1 * 3) / 8)
    assert ran.trainer.lr_scheduler_configs[0].scheduler.base_lrs == [pytest.approx(0.15)]


def test_the_rule_counts_ranks(make_task: Any, monkeypatch: pytest.MonkeyPatch, faces: Any) -> None:
    from types import SimpleNamespace

    task = make_task(lr_base_batch=16)
    data = FaceDataModule(faces, None, (), 8, num_workers=0)
    task._trainer = SimpleNamespace(datamodule=data, world_size=4, accumulate_grad_batches=1)
    assert task.configure_optimizers().param_groups[0]["lr"] == pytest.approx(0.01 * 32 / 16)


def test_the_rule_needs_to_know_the_batch(make_task: Any, make_trainer: Any, faces: Any) -> None:
    loader = FaceDataModule(faces, None, (), 8, num_workers=0).train_dataloader()
    nothing = FaceDataModule(faces, None, (), 8, num_workers=0).val_dataloader()
    with pytest.raises(ConfigError, match="lr_base_batch needs a data module"):
        make_trainer().fit(make_task(lr_base_batch=8), loader, nothing)
    data = FaceDataModule(faces, None, (), 8, num_workers=0)
    with pytest.raises(ConfigError, match="expected at least 1 image, got 0"):
        make_trainer().fit(make_task(lr_base_batch=0), data)


@pytest.mark.parametrize(
    ("width", "chosen", "precision", "expected"),
    [
        (16, None, "bf16-mixed", torch.channels_last),
        (16, None, "16-mixed", torch.channels_last),
        (16, None, "32-true", torch.contiguous_format),
        (4, None, "bf16-mixed", torch.contiguous_format),
        (16, True, "32-true", torch.channels_last),
        (16, False, "bf16-mixed", torch.contiguous_format),
    ],
)
def test_memory_layout(width: int, chosen: Any, precision: str, expected: Any) -> None:
    network = IResNet(depth=18, embedding_dim=16, width=width)
    assert memory_layout(network, chosen, precision) is expected


@pytest.mark.parametrize("native", [True, False])
def test_fit_computes_in_bf16_where_the_cpu_does(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: native)
    wide = {"backbone": {"class_path": "lrfr_lightning.backbones.IResNet",
                         "init_args": TINY | {"width": 16}}}  # fmt: skip
    ran = fit(model=wide)
    assert ran.trainer.precision == ("bf16-mixed" if native else "32-true")
    layout = torch.channels_last if native else torch.contiguous_format
    assert next(ran.model.backbone.parameters()).is_contiguous(memory_format=layout)
    assert fit(trainer={"precision": "32-true"}).trainer.precision == "32-true"
    assert training.fast_precision() == ran.trainer.precision


def test_a_compiled_backbone_learns_the_same(make_task: Any, make_trainer: Any, faces: Any) -> None:
    tasks = []
    for compiled in (False, True):
        torch.manual_seed(0)
        tasks.append(make_task(backbone=Flat(), compile_backbone=compiled))
        data = FaceDataModule(faces, None, (), 8, num_workers=0)
        make_trainer(max_steps=2).fit(tasks[-1], data)
    assert tasks[1].backbone._compiled_call_impl is not None
    assert tasks[0].backbone._compiled_call_impl is None
    one, two = (task.state_dict() for task in tasks)
    assert list(one) == list(two)
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU")
def test_half_precision_on_a_cpu_is_bf16() -> None:
    assert fit(trainer={"precision": "16-mixed"}).trainer.precision == "bf16-mixed"


def test_clipping_and_accumulation(make_task: Any, make_trainer: Any, faces: Any) -> None:
    """Three batches make one step, no longer than the rate times the largest norm."""
    task = make_task(optimizer=partial(torch.optim.SGD, lr=1.0))
    before = [value.detach().clone() for value in task.parameters()]
    trainer = make_trainer(limit_train_batches=3, accumulate_grad_batches=3, gradient_clip_val=1e-3)
    trainer.fit(task, FaceDataModule(faces, None, (), 8, num_workers=0))
    moved = [
        (new - old).detach().flatten() for new, old in zip(task.parameters(), before, strict=True)
    ]
    assert trainer.global_step == 1
    assert float(torch.cat(moved).norm()) == pytest.approx(1e-3, rel=1e-2)


def test_no_forward_pass_runs_beside_the_gradients_of_the_last_step(
    make_task: Any, make_trainer: Any, faces: Any
) -> None:
    held: list[bool] = []
    task = make_task()
    task.backbone.register_forward_pre_hook(
        lambda *_: held.append(any(p.grad is not None for p in task.parameters()))
    )
    trainer = make_trainer(accumulate_grad_batches=2)
    trainer.fit(task, FaceDataModule(faces, None, (), 8, num_workers=0))
    assert held == [False, True, False, True]  # those of an unfinished step stay


def test_synchronised_batch_normalisation_is_one_setting() -> None:
    """It is for GPUs: torch says so of the layers that were put in."""
    try:
        with pytest.raises(ValueError, match="SyncBatchNorm layers only work with GPU modules"):
            fit(trainer={"strategy": "ddp", "sync_batchnorm": True})
    finally:
        distributed.destroy_process_group()  # what failed leaves it open for the tests after
