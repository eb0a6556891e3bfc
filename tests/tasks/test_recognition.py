"""The task: training, checkpoints that need nothing else, schedules, pretrained weights."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.heads import CosFace, MarginHead
from lrfr_lightning.tasks import RecognitionTask, WarmupCosine
from lrfr_lightning.tasks.checkpoint import load_backbone
from lrfr_lightning.transforms import CrossResolution, Listed, PixelSpec
from lrfr_lightning.utils.errors import ConfigError, DataError


@pytest.fixture
def data(faces: Any) -> FaceDataModule:
    return FaceDataModule(faces, CrossResolution(Listed([14])), (), 8, num_workers=0)


def test_training_lowers_the_loss(make_task: Any, make_trainer: Any, data: Any) -> None:
    torch.manual_seed(0)
    task = make_task()
    trainer = make_trainer(max_epochs=1)
    trainer.fit(task, data)
    first = trainer.callback_metrics["train/loss"]
    trainer = make_trainer(max_epochs=8)
    trainer.fit(task, data)
    assert trainer.callback_metrics["train/loss"] < first / 2


def test_both_views_are_trained_on(make_task: Any, make_trainer: Any, faces: Any) -> None:
    seen = []

    class Spy(RecognitionTask):
        def loss(self, embedding: torch.Tensor, batch: Any) -> torch.Tensor:
            seen.append((len(embedding), batch["resolution"].tolist()))
            return super().loss(embedding, batch)

    views = CrossResolution(Listed([14]), share=1.0, views="pair")
    task = Spy(**make_task().init_arguments)
    make_trainer(max_steps=1).fit(task, FaceDataModule(faces, views, (), 8, num_workers=0))
    assert seen == [(16, [112] * 8 + [14] * 8)]


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_checkpoint_needs_nothing_else(
    make_task: Any, make_trainer: Any, data: Any, tmp_path: Path, precision: str
) -> None:
    spec = PixelSpec(channel_order="BGR", std=(128, 128, 128))
    task = make_task(
        backbone=IResNet(depth=18, embedding_dim=16, width=4, pixel_spec=spec),
        head=partial(MarginHead, margin=CosFace(0.2, scale=20)),
        lr_scheduler=partial(WarmupCosine, warmup=0.5),
    )
    trainer = make_trainer(precision=precision)
    trainer.fit(task, data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    images = torch.randint(0, 256, (3, 3, 112, 112), dtype=torch.uint8)
    loaded = RecognitionTask.load_from_checkpoint(tmp_path / "a.ckpt").eval()
    backbone = load_backbone(tmp_path / "a.ckpt").eval()
    with torch.inference_mode():
        expected = task.eval()(images)
        assert torch.equal(loaded(images), expected)
        assert torch.equal(backbone(backbone.pixel_spec.normalise(images)), expected)
    assert loaded.backbone.pixel_spec == spec
    assert (loaded.head.margin.margin, loaded.head.margin.scale) == (0.2, 20)
    assert torch.equal(loaded.head.classifier.weight, task.head.classifier.weight)


def test_checkpoint_holds_plain_data_only(make_task: Any, make_trainer: Any, data: Any,
                                          tmp_path: Path) -> None:  # fmt: skip
    trainer = make_trainer()
    trainer.fit(make_task(), data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert content["hyper_parameters"]["backbone"]["class_path"].endswith("IResNet")


def test_objects_that_cannot_be_written_down_are_refused(make_task: Any) -> None:
    with pytest.raises(ConfigError, match="cannot write function into a checkpoint"):
        make_task(head=lambda dim, classes: MarginHead(dim, classes, CosFace()))


def test_pretrained_weights_start_the_run(
    make_task: Callable[..., RecognitionTask], make_trainer: Any, data: Any, tmp_path: Path
) -> None:
    donor = make_task().backbone
    save_file(donor.state_dict(), tmp_path / "w.safetensors")
    task = make_task(pretrained=str(tmp_path / "w.safetensors"))
    make_trainer().validate(task, data, verbose=False)
    assert torch.equal(task.backbone.conv1.weight, donor.conv1.weight)


def test_pretrained_weights_never_replace_those_of_a_checkpoint(
    make_task: Callable[..., RecognitionTask], make_trainer: Any, data: Any, tmp_path: Path
) -> None:
    weights = tmp_path / "w.safetensors"
    save_file(make_task().backbone.state_dict(), weights)
    trainer = make_trainer()
    task = make_task(pretrained=str(weights))
    trainer.fit(task, data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    trained = task.backbone.conv1.weight.clone()
    weights.unlink()
    loaded = RecognitionTask.load_from_checkpoint(tmp_path / "a.ckpt")
    make_trainer().test(loaded, data, verbose=False)
    assert torch.equal(loaded.backbone.conv1.weight, trained)
    resumed = make_task(pretrained=str(weights))
    make_trainer().test(resumed, data, ckpt_path=tmp_path / "a.ckpt", verbose=False)
    assert torch.equal(resumed.backbone.conv1.weight, trained)


def test_identities_are_placed_where_the_pretrained_backbone_sees_them(
    make_task: Any, make_trainer: Any, data: Any, faces: Any, tmp_path: Path
) -> None:
    save_file(make_task().backbone.state_dict(), tmp_path / "w.safetensors")
    frozen = partial(torch.optim.SGD, lr=0.0)
    arguments = {"pretrained": str(tmp_path / "w.safetensors"), "optimizer": frozen}
    task = make_task(place_identities=True, **arguments)
    fresh = make_task(**arguments)
    make_trainer().validate(fresh, data, verbose=False)  # loads the weights, trains nothing
    make_trainer(max_steps=1).fit(task, data)
    sums = torch.zeros(4, 16)
    with torch.no_grad():
        for i, label in enumerate(faces.labels):
            image = torch.from_numpy(faces.image(i)).permute(2, 0, 1)[None]
            both = normalize(fresh.eval()(image)) + normalize(fresh.eval()(image.flip(3)))
            sums[label] += normalize(both)[0]
    weight = task.head.classifier.weight.detach()
    torch.testing.assert_close(weight, normalize(sums), rtol=0, atol=2e-3)
    assert task.backbone.training


def test_weights_that_do_not_fit_end_the_run_before_training(
    make_task: Any, make_trainer: Any, data: Any, tmp_path: Path
) -> None:
    save_file({"other": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(DataError, match="does not fit IResNet: .* missing .*1 unexpected .other"):
        make_trainer().fit(make_task(pretrained=str(tmp_path / "w.safetensors")), data)


def test_warmup_cosine_follows_its_formula() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = WarmupCosine(optimizer, warmup=0.2, final=0.1, total_steps=10)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:3] == pytest.approx([1.0, 2.0, 2.0])
    assert rates[6] == pytest.approx(2.0 * (0.1 + 0.9 / 2))
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.2)
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_schedule_learns_the_length_of_the_run(make_task: Any, make_trainer: Any,
                                               data: Any) -> None:  # fmt: skip
    trainer = make_trainer(max_epochs=2)
    trainer.fit(make_task(lr_scheduler=partial(WarmupCosine, warmup=0.5, final=0.0)), data)
    schedule = trainer.lr_scheduler_configs[0].scheduler
    assert schedule.total_steps == 8
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.0, abs=1e-9)


def test_epoch_schedules_step_once_per_epoch(make_task: Any, make_trainer: Any, data: Any) -> None:
    halve = partial(torch.optim.lr_scheduler.MultiStepLR, milestones=[1, 2], gamma=0.5)
    trainer = make_trainer(max_epochs=3)
    trainer.fit(make_task(lr_scheduler=halve), data)
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.01 / 4)


def test_a_repeated_run_is_equal(make_task: Any, make_trainer: Any, data: Any) -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        task = make_task()
        make_trainer(max_epochs=2).fit(task, data)
        weights.append(torch.cat([p.flatten() for p in task.parameters()]))
    assert torch.equal(*weights)


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "a.ckpt").write_bytes(b"not a checkpoint")
    with pytest.raises(DataError, match="expected a training checkpoint"):
        load_backbone(tmp_path / "a.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "b.ckpt")
    with pytest.raises(DataError, match="does not say which backbone it holds"):
        load_backbone(tmp_path / "b.ckpt")
    described = {"class_path": "subprocess.Popen", "init_args": {"args": "true"}}
    torch.save({"hyper_parameters": {"backbone": described}}, tmp_path / "c.ckpt")
    with pytest.raises(DataError, match="cannot rebuild its backbone"):
        load_backbone(tmp_path / "c.ckpt")
