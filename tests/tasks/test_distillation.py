"""Distillation: targets of a frozen teacher, with and without labels."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.functional.relation import relation
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.tasks import DistillationTask
from lrfr_lightning.transforms import CrossResolution, Listed
from lrfr_lightning.utils.errors import ConfigError


def backbone(dim: int = 16) -> IResNet:
    return IResNet(depth=18, embedding_dim=dim, width=4, dropout=0.0)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    torch.manual_seed(5)
    path = tmp_path / "teacher.safetensors"
    save_file(backbone().state_dict(), path)
    return str(path)


@pytest.fixture
def data(faces: Any) -> FaceDataModule:
    flip = [{"HorizontalFlip": {"p": 0.5}}]
    return FaceDataModule(faces, CrossResolution(Listed([14])), flip, 8, num_workers=0)


def make(weights: str, **changes: Any) -> DistillationTask:
    torch.manual_seed(0)
    arguments: dict[str, Any] = {
        "backbone": backbone(),
        "head": partial(MarginHead, margin=ArcFace(0.3, scale=16)),
        "num_classes": 4,
        "optimizer": partial(torch.optim.SGD, lr=0.02),
        "place_identities": True,
        "teacher": backbone(),
        "teacher_weights": weights,
    }
    return DistillationTask(**(arguments | changes))


def expected_targets(task: DistillationTask, faces: Any) -> torch.Tensor:
    """One image at a time: sum of the unit embeddings of the image and its mirror image."""
    teacher = task._teacher[0].eval()
    rows = []
    with torch.no_grad():
        for i in range(len(faces)):
            image = torch.from_numpy(faces.image(i)).permute(2, 0, 1)[None].float()
            both = [normalize(teacher((x - 127.5) / 127.5)) for x in (image, image.flip(3))]
            rows.append(normalize(both[0] + both[1])[0])
    return torch.stack(rows)


def test_targets_and_places_of_identities(
    weights: str, data: Any, faces: Any, make_trainer: Any
) -> None:
    task = make(weights, optimizer=partial(torch.optim.SGD, lr=0.0))
    make_trainer(max_steps=1).fit(task, data)
    expected = expected_targets(task, faces)
    torch.testing.assert_close(task.reference()[0].float(), expected, rtol=0, atol=2e-3)
    means = torch.stack([expected[faces.labels == i].mean(0) for i in range(4)])
    torch.testing.assert_close(
        task.head.classifier.weight.detach(), normalize(means), rtol=0, atol=2e-3
    )


def test_the_student_moves_towards_the_teacher(weights: str, data: Any, make_trainer: Any) -> None:
    task = make(weights, head_weight=0.0)
    before = task._teacher[0].conv1.weight.clone()
    trainer = make_trainer(max_epochs=1)
    trainer.fit(task, data)
    first = trainer.callback_metrics["train/feature"]
    trainer = make_trainer(max_epochs=6)
    trainer.fit(task, data)
    assert trainer.callback_metrics["train/feature"] < 0.75 * first
    assert not torch.equal(task._teacher[0].conv1.weight, before)  # the file's, not the random ones
    assert not any(p.requires_grad for p in task.head.parameters())


def test_without_head_weight_labels_are_not_looked_at(weights: str, make_trainer: Any,
                                                      faces: Any) -> None:  # fmt: skip
    faces.image = [faces.image(i) for i in range(len(faces))].__getitem__
    trained = []
    for labels in (faces.labels.copy(), faces.labels * 0 - 1):
        faces.labels = labels
        task = make(weights, head_weight=0.0)
        loader = FaceDataModule(faces, CrossResolution(Listed([14])), (), 8, num_workers=0)
        make_trainer(max_steps=2).fit(task, loader)
        trained.append(task.backbone.conv1.weight.detach())
    assert torch.equal(*trained)


def test_loss_is_the_weighted_sum(weights: str, data: Any, make_trainer: Any) -> None:
    task = make(weights, feature_weight=3.0, head_weight=0.5, relation_weight=2.0, temperature=0.2)
    make_trainer(max_steps=1).fit(task, data)
    batch = next(iter(data.train_dataloader()))
    task.eval()
    task.log = lambda *_, **__: None  # type: ignore[method-assign]
    embedding = task(batch["image"])
    head = task.head(embedding, batch["label"])
    everyone = task.reference()[0].float()
    target = everyone[batch["index"]]
    cosine = (normalize(embedding) * target).sum(1)
    alike = relation(embedding, target, everyone, 0.2)
    expected = 0.5 * head + 3 * (1 - cosine).mean() + 2 * alike
    torch.testing.assert_close(task.loss(embedding, batch), expected)


def test_the_relation_to_others_is_learned_alone(
    weights: str, data: Any, make_trainer: Any
) -> None:
    alike = []
    for epochs in (1, 6):
        task = make(weights, head_weight=0.0, feature_weight=0.0, relation_weight=1.0)
        trainer = make_trainer(max_epochs=epochs)
        trainer.fit(task, data)
        alike.append(trainer.callback_metrics["train/relation"])
    assert alike[1] < 0.75 * alike[0]


def test_anchors_are_drawn_by_the_seed(
    weights: str, data: Any, faces: Any, make_trainer: Any
) -> None:
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        task = make(weights, relation_weight=1.0, anchors=5)
        torch.manual_seed(seed)
        make_trainer(max_steps=1).fit(task, data)
        drawn.append(task._anchors)
    rows = (drawn[0][:, None] == task.reference()[0]).all(dim=2)
    assert rows.any(dim=1).all()
    assert len(set(rows.nonzero()[:, 1].tolist())) == 5
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_an_unreadable_image_is_no_anchor(weights: str, data: Any, make_trainer: Any) -> None:
    task = make(weights, relation_weight=1.0)
    make_trainer(max_steps=1).fit(task, data)
    task._reference[0][[0, 3]] = 0
    assert len(task._draw_anchors()) == len(task._reference[0]) - 2
    assert task._draw_anchors().any(dim=1).all()


@pytest.mark.parametrize("changes", [{"temperature": 0.0}, {"anchors": 0}])
def test_a_relation_without_sense_is_refused(weights: str, changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="temperature above 0 and at least one anchor"):
        make(weights, **changes)


def test_checkpoint_has_no_teacher_and_resumes(
    weights: str, data: Any, make_trainer: Any, tmp_path: Path
) -> None:
    trainer = make_trainer(max_epochs=1)
    task = make(weights)
    trainer.fit(task, data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert not any("teacher" in name for name in content["state_dict"])
    loaded = DistillationTask.load_from_checkpoint(tmp_path / "a.ckpt")
    assert loaded.feature_weight == 10.0
    resumed = make(weights, optimizer=partial(torch.optim.SGD, lr=0.0))
    make_trainer(max_epochs=2).fit(resumed, data, ckpt_path=tmp_path / "a.ckpt")
    twice = make(weights)
    make_trainer(max_epochs=2).fit(twice, data)
    torch.testing.assert_close(resumed.backbone.conv1.weight, twice.backbone.conv1.weight)


def test_embeddings_of_different_length_are_refused(weights: str) -> None:
    with pytest.raises(ConfigError, match="embeddings of one length, got 8 and 16"):
        make(weights, teacher=backbone(8))


def test_it_needs_a_data_module(weights: str, data: Any, make_trainer: Any) -> None:
    with pytest.raises(
        ConfigError, match="DistillationTask looks at all training images .* needs a data module"
    ):
        make_trainer().fit(make(weights), data.train_dataloader(), data.val_dataloader())
