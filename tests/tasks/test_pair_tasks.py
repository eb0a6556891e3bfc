"""The tasks that train on pairs of views."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import nn

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.callbacks import MarginStatistics
from lrfr_lightning.cli.main import main
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.functional.derivenet import centre_memory, thumbnails
from lrfr_lightning.functional.octuplet import octuplet
from lrfr_lightning.heads import AdaFace, ArcFace, CosFace, MarginHead
from lrfr_lightning.tasks import DeriveNetTask, OctupletTask, RecognitionTask, SiameseTask
from lrfr_lightning.tasks.checkpoint import load_backbone
from lrfr_lightning.tasks.derivenet import ClassCentres
from lrfr_lightning.transforms import CrossResolution, Listed
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import class_path

TASKS = [
    pytest.param(OctupletTask, {}, id="octuplet"),
    pytest.param(OctupletTask, {"softmax_weight": 0.5, "metric": "cosine"}, id="octuplet-softmax"),
    pytest.param(SiameseTask, {"feature_weight": 2.0}, id="siamese"),
    pytest.param(DeriveNetTask, {"thumbnail": 8}, id="derivenet"),
]


def make(cls: type[RecognitionTask], **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "backbone": IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0),
        "head": partial(MarginHead, margin=ArcFace(0.3, scale=16)),
        "num_classes": 4,
        "optimizer": partial(torch.optim.SGD, lr=0.01),
    }
    return cls(**(arguments | changes))


@pytest.fixture
def data(faces: Any) -> FaceDataModule:
    views = CrossResolution(Listed([14]), share=1.0, views="pair")
    return FaceDataModule(faces, views, (), 16, num_workers=0, images_per_identity=4)


def weights(module: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize(("cls", "changes"), TASKS)
def test_training_lowers_the_loss(cls: Any, changes: Any, make_trainer: Any, data: Any) -> None:
    torch.manual_seed(0)
    task = make(cls, **changes)
    losses = []
    for epochs in (1, 8):
        trainer = make_trainer(max_epochs=epochs, log_every_n_steps=1)
        trainer.callbacks.append(MarginStatistics())
        trainer.fit(task, data)
        losses.append(trainer.callback_metrics["train/loss"])
    assert losses[1] < 0.8 * losses[0]
    assert {"train/cosine_hr", "train/cosine_lr"} < set(trainer.callback_metrics)


@pytest.mark.parametrize(("cls", "changes"), TASKS)
def test_one_view_is_refused(cls: Any, changes: Any, make_trainer: Any, faces: Any) -> None:
    module = FaceDataModule(faces, CrossResolution(Listed([14])), (), 8, num_workers=0)
    with pytest.raises(ConfigError, match=r"set data.cross_resolution.init_args.views: pair"):
        make_trainer(max_steps=1).fit(make(cls, **changes), module)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize(("cls", "changes"), TASKS)
def test_checkpoint_needs_nothing_else(
    cls: Any, changes: Any, precision: str, make_trainer: Any, data: Any, tmp_path: Path
) -> None:
    task = make(cls, **changes)
    trainer = make_trainer(precision=precision)
    trainer.fit(task, data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    torch.load(tmp_path / "a.ckpt", weights_only=True)
    loaded = cls.load_from_checkpoint(tmp_path / "a.ckpt")
    before, after = task.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert {name: getattr(loaded, name) for name in changes} == changes
    backbone = load_backbone(tmp_path / "a.ckpt")
    assert torch.equal(weights(backbone), weights(task.backbone))


@pytest.mark.parametrize(("cls", "changes"), TASKS)
def test_fine_tuning_starts_from_pretrained_weights(
    cls: Any, changes: Any, make_trainer: Any, data: Any, tmp_path: Path
) -> None:
    donor = make(RecognitionTask).backbone
    save_file(donor.state_dict(), tmp_path / "w.safetensors")
    task = make(cls, pretrained=str(tmp_path / "w.safetensors"), **changes)
    still = partial(torch.optim.SGD, lr=0.0)
    task.optimizer = still
    make_trainer(max_steps=1).fit(task, data)
    assert torch.equal(weights(task.backbone), weights(donor))


@pytest.mark.parametrize(("cls", "changes"), TASKS)
def test_a_subclass_adds_to_the_loss(
    cls: Any, changes: Any, make_trainer: Any, data: Any, tmp_path: Path
) -> None:
    subclass = type("Mine", (cls,), {"loss": lambda self, e, b: cls.loss(self, e, b) + e.mean()})
    trainer = make_trainer(max_steps=1)
    trainer.fit(make(subclass, **changes), data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")


@pytest.mark.parametrize(("cls", "changes"), TASKS)
def test_command_line(
    cls: Any, changes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def node(kind: type, **arguments: Any) -> dict[str, Any]:
        return {"class_path": class_path(kind), "init_args": arguments}

    backbone = node(IResNet, depth=18, embedding_dim=16, width=4)
    head = node(MarginHead, margin=node(ArcFace, scale=16))
    optimizer = node(torch.optim.SGD, lr=0.01)
    views = node(CrossResolution, resolutions=node(Listed, sides=[7, 14]), views="pair")
    config = {
        "trainer": {
            "accelerator": "cpu", "max_steps": 1, "logger": False, "enable_progress_bar": False,
            "enable_model_summary": False, "limit_val_batches": 0, "log_every_n_steps": 1,
        },
        "model": node(cls, backbone=backbone, head=head, optimizer=optimizer, **changes),
        "data": {
            "dataset": node(EmbeddedFaces, identities=4, images_per_identity=4),
            "cross_resolution": views,
            "batch_size": 8,
            "num_workers": 0,
            "images_per_identity": 2,
        },
    }  # fmt: skip
    Path("fit.yaml").write_text(yaml.safe_dump(config))
    main(["fit", "--config", "fit.yaml"])
    checkpoint = next(tmp_path.rglob("*.ckpt"))
    loaded = cls.load_from_checkpoint(checkpoint)
    assert {name: getattr(loaded, name) for name in changes} == changes
    assert loaded.head.classifier.weight.shape == (4, 16)


def test_octuplet_trains_no_head_that_it_does_not_use(make_trainer: Any, data: Any) -> None:
    task = make(OctupletTask)
    head, backbone = weights(task.head), weights(task.backbone)
    trainer = make_trainer(max_steps=3)
    trainer.fit(task, data)
    assert torch.equal(weights(task.head), head)
    assert not torch.equal(weights(task.backbone), backbone)
    trained = {p for group in trainer.optimizers[0].param_groups for p in group["params"]}
    assert trained.isdisjoint(task.head.parameters())


def test_octuplet_is_logged_as_it_is(make_trainer: Any, data: Any) -> None:
    seen = []

    class Spy(OctupletTask):
        def loss(self, embedding: torch.Tensor, batch: Any) -> torch.Tensor:
            high, low = embedding.detach().chunk(2)
            seen.append(octuplet(high, low, batch["label"][:16], 0.7, "squared"))
            return super().loss(embedding, batch)

    trainer = make_trainer(max_steps=1, log_every_n_steps=1)
    trainer.fit(make(Spy, margin=0.7, metric="squared"), data)
    assert torch.equal(trainer.callback_metrics["train/octuplet"], seen[0])
    assert torch.equal(trainer.callback_metrics["train/loss"], seen[0])


@pytest.mark.parametrize("margin", [ArcFace(0.3, scale=16), CosFace(0, scale=16), AdaFace()])
def test_derivenet_moves_all_it_trains(margin: Any, make_trainer: Any, data: Any) -> None:
    torch.manual_seed(0)
    task = make(DeriveNetTask, head=partial(MarginHead, margin=margin))
    parts = [p for p in task.parameters() if p.requires_grad]
    for part in (task.backbone, task.head.classifier, task.reconstruction):
        assert not set(parts).isdisjoint(part.parameters())
    before = [p.detach().clone() for p in parts]
    make_trainer(max_steps=10, max_epochs=None).fit(task, data)
    still = [p.shape for p, old in zip(parts, before, strict=True) if torch.equal(p, old)]
    assert still == []
    assert (task.centres.count > 0).all()


def test_derivenet_sends_a_gradient_of_each_loss_to_the_backbone(data: Any) -> None:
    task = make(DeriveNetTask)
    task.log = lambda *_, **__: None
    batch = next(iter(data.train_dataloader()))
    gradients = {}
    for name, alpha, weight in (("both", 5.0, 1e-3), ("no alpha", 0.0, 1e-3), ("no g", 5.0, 0.0)):
        task.alpha, task.recent_weight = alpha, weight
        task.centres = ClassCentres(4, 16)
        task.zero_grad()
        task.training_step(batch, 0)["loss"].backward()
        gradients[name] = task.backbone.conv1.weight.grad.clone()
    assert gradients["both"].abs().sum() > 0
    assert not torch.allclose(gradients["both"], gradients["no alpha"])
    assert not torch.allclose(gradients["both"], gradients["no g"], rtol=1e-7, atol=0)


def test_derivenet_without_alpha_is_the_head(data: Any) -> None:
    batch = next(iter(data.train_dataloader()))
    derive = make(DeriveNetTask, alpha=0.0, recent_weight=0.0)
    derive.log = lambda *_, **__: None
    joined = {key: batch[key].repeat(2) for key in ("label", "index")} | {
        "image": torch.cat([batch["image"], batch["image_lr"]]),
        "resolution": torch.tensor([112] * 16 + [14] * 16),
    }
    embedding = torch.randn(32, 16)
    expected = RecognitionTask.loss(derive, embedding, joined)
    torch.testing.assert_close(derive.loss(embedding, joined), expected)
    joined["label"][[3, 19]] = -1
    expected = RecognitionTask.loss(derive, embedding, joined)
    torch.testing.assert_close(derive.loss(embedding, joined), expected)


def test_centres_are_the_mean_thumbnails_of_training(
    make_trainer: Any, data: Any, faces: Any
) -> None:
    task = make(DeriveNetTask)
    make_trainer(max_epochs=1).fit(task, data)
    assert task.centres.count.tolist() == [8] * 4
    for identity in range(4):
        images = [faces.image(i) for i in range(32) if faces.labels[i] == identity]
        stacked = torch.stack([torch.from_numpy(i).permute(2, 0, 1) for i in images])
        expected = thumbnails(stacked, 16).mean(dim=0)
        torch.testing.assert_close(task.centres.mean[identity], expected)


def test_centres_stay_where_they_are_in_eval_mode(data: Any) -> None:
    task = make(DeriveNetTask).eval()
    task.log = lambda *_, **__: None
    loss = task.training_step(next(iter(data.train_dataloader())), 0)["loss"]
    assert loss.isfinite()
    assert not task.centres.count.any()
    assert not task.centres.mean.any()


def test_centres_of_casia_take_what_is_said(caplog: Any, make_trainer: Any, data: Any) -> None:
    centres = ClassCentres(10_575, 16)
    size = sum(buffer.numel() * buffer.element_size() for buffer in centres.buffers())
    assert size == centre_memory(10_575, 16)
    assert size < 200e6
    with caplog.at_level("INFO"):
        make_trainer(max_steps=1).fit(make(DeriveNetTask, num_classes=10_575), data)
    assert "class centres: 10,575 x 256 float32 and their counts = 10.9 MB" in caplog.text


def test_bad_settings() -> None:
    with pytest.raises(ConfigError, match="softmax_weight: expected >= 0, got -1"):
        make(OctupletTask, softmax_weight=-1.0)
    with pytest.raises(ConfigError, match=r"thumbnail: expected a side of 1..112 px, got 113"):
        make(DeriveNetTask, thumbnail=113)
    with pytest.raises(ConfigError, match="expected alpha >= 0 and recent_weight >= 0, got -1"):
        make(DeriveNetTask, alpha=-1.0)
