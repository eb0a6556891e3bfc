"""Training of a resolver through a frozen recogniser."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import cosine_similarity

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.callbacks import ProtocolEvaluation
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.embedders import CheckpointEmbedder
from lrfr_lightning.preprocessing import CheckpointResolver, ResolverNetwork
from lrfr_lightning.protocols import EmbeddedVerification
from lrfr_lightning.tasks import SuperResolutionTask
from lrfr_lightning.transforms import CrossResolution, Listed
from lrfr_lightning.utils.errors import ConfigError, DataError


def recogniser() -> IResNet:
    return IResNet(depth=18, embedding_dim=16, width=4, dropout=0.4)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """Weights whose running statistics are not those of a fresh network."""
    torch.manual_seed(5)
    network = recogniser().train()
    for _ in range(20):
        network(torch.randn(4, 3, 112, 112))
    path = tmp_path / "recogniser.safetensors"
    save_file(network.state_dict(), path)
    return str(path)


@pytest.fixture
def data(faces: Any) -> FaceDataModule:
    """32 drawn faces, in batches of 8."""
    pairs = CrossResolution(Listed([14]), share=0.75, views="pair")
    return FaceDataModule(faces, pairs, (), 8, num_workers=0)


@pytest.fixture
def one_batch() -> FaceDataModule:
    """The same eight faces in every step."""
    pairs = CrossResolution(Listed([14]), share=1.0, views="pair")
    return FaceDataModule(EmbeddedFaces(4, 2), pairs, (), 8, num_workers=0)


def make(weights: str, **changes: Any) -> SuperResolutionTask:
    torch.manual_seed(0)
    arguments: dict[str, Any] = {
        "resolver": ResolverNetwork(width=12, blocks=1),
        "recogniser": recogniser(),
        "recogniser_weights": weights,
        "optimizer": partial(torch.optim.Adam, lr=5e-4),
    }
    return SuperResolutionTask(**(arguments | changes))


def fitted(task: SuperResolutionTask, data: FaceDataModule, trainer: Any) -> dict[str, float]:
    trainer.fit(task, data)
    return {name: value.item() for name, value in trainer.callback_metrics.items()}


def test_the_resolver_learns_and_the_recogniser_stays(
    weights: str, one_batch: FaceDataModule, make_trainer: Any
) -> None:
    task = make(weights)
    frozen = task._recogniser[0]
    first = fitted(task, one_batch, make_trainer(max_steps=1))
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    last = fitted(task, one_batch, make_trainer(max_epochs=30))
    assert last["train/identity"] < 0.8 * first["train/identity"]
    assert last["train/pixel"] < first["train/pixel"]
    assert last["train/loss"] == pytest.approx(last["train/identity"] + last["train/pixel"])
    assert all(torch.equal(value, before[name]) for name, value in frozen.state_dict().items())
    assert not any(module.training for module in frozen.modules())


def test_the_gradient_goes_through_the_recogniser_to_the_resolver(
    weights: str, one_batch: FaceDataModule, make_trainer: Any
) -> None:
    task = make(weights)
    fitted(task, one_batch, make_trainer(max_steps=1))
    batch = next(iter(one_batch.train_dataloader()))
    task.identity_loss(task(batch["image_lr"]), batch["image"]).backward()
    for parameter in task.resolver.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in task._recogniser[0].parameters())


@pytest.mark.parametrize(("identity", "pixel"), [(1.0, 0.0), (0.0, 1.0)])
def test_either_loss_alone_moves_the_resolver(
    weights: str, one_batch: FaceDataModule, make_trainer: Any, identity: float, pixel: float
) -> None:
    task = make(weights, identity_weight=identity, pixel_weight=pixel)
    before = task.resolver.tail[0].weight.clone()
    first = fitted(task, one_batch, make_trainer(max_steps=1))
    assert (task.resolver.tail[0].weight - before).abs().max() > 1e-4
    last = fitted(task, one_batch, make_trainer(max_epochs=20))
    name = "train/identity" if identity else "train/pixel"
    assert last[name] < first[name]
    assert ("train/identity" in last) == (identity > 0)


def test_without_identity_weight_the_recogniser_is_not_read(
    data: FaceDataModule, make_trainer: Any
) -> None:
    fitted(make("none.safetensors", identity_weight=0.0), data, make_trainer(max_steps=1))
    with pytest.raises(DataError, match="weights file not found"):
        fitted(make("none.safetensors"), data, make_trainer(max_steps=1))


def test_identity_loss_is_one_minus_the_cosine(
    weights: str, data: FaceDataModule, make_trainer: Any
) -> None:
    task = make(weights, optimizer=partial(torch.optim.SGD, lr=0.0))
    fitted(task, data, make_trainer(max_steps=1))
    batch = next(iter(data.train_dataloader()))
    restored = (batch["image_lr"].float() * 1.3 - 20).requires_grad_()
    value = task.identity_loss(restored, batch["image"])
    network = task._recogniser[0]
    with torch.no_grad():
        cosines = [
            cosine_similarity(
                network((one.clamp(0, 255)[None] - 127.5) / 127.5),
                network((other.float()[None] - 127.5) / 127.5),
            )
            for one, other in zip(restored, batch["image"], strict=True)
        ]
    assert value.item() == pytest.approx(1 - torch.cat(cosines).mean().item(), abs=1e-5)
    value.backward()
    assert restored.grad is not None
    assert restored.grad[batch["resolution"] == 14].abs().max() > 0


def test_checkpoint_round_trip(
    weights: str, data: FaceDataModule, make_trainer: Any, tmp_path: Path
) -> None:
    task, trainer = make(weights), make_trainer(max_epochs=1)
    fitted(task, data, trainer)
    path = tmp_path / "resolver.ckpt"
    trainer.save_checkpoint(path)
    content = torch.load(path, weights_only=True)
    assert all(name.startswith("resolver.") for name in content["state_dict"])
    loaded = CheckpointResolver(str(path))
    batch = next(iter(data.train_dataloader()))
    with torch.no_grad():
        expected = task(batch["image_lr"]).clamp(0, 255)
    torch.testing.assert_close(loaded.restore(batch["image_lr"]), expected, rtol=0, atol=1e-3)
    assert (loaded.restore(batch["image_lr"]) - batch["image_lr"]).abs().max() > 1
    assert loaded.name == "resolver"
    assert loaded.fingerprint() == CheckpointResolver(str(path), "other").fingerprint()
    # a run goes on from it as if it had not been interrupted
    resumed, twice = make(weights), make(weights)
    make_trainer(max_epochs=2).fit(resumed, data, ckpt_path=path)
    make_trainer(max_epochs=2).fit(twice, data)
    for one, other in zip(resumed.resolver.parameters(), twice.resolver.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    again = SuperResolutionTask.load_from_checkpoint(path)
    assert (again.identity_weight, again.recogniser_weights) == (1.0, weights)


def test_checkpoints_are_not_mistaken_for_each_other(
    weights: str, data: FaceDataModule, make_trainer: Any, make_task: Any, tmp_path: Path
) -> None:
    for name, task in (("resolver", make(weights)), ("recogniser", make_task())):
        trainer = make_trainer(max_steps=1)
        trainer.fit(task, data)
        trainer.save_checkpoint(tmp_path / f"{name}.ckpt")
    with pytest.raises(DataError, match="recogniser.ckpt holds no resolver: expected a checkpoint"):
        CheckpointResolver(str(tmp_path / "recogniser.ckpt"))
    with pytest.raises(DataError, match="does not say which backbone it holds"):
        CheckpointEmbedder(str(tmp_path / "resolver.ckpt"))
    content = torch.load(tmp_path / "resolver.ckpt", weights_only=True)
    del content["state_dict"]["resolver.tail.0.bias"]
    torch.save(content, tmp_path / "broken.ckpt")
    with pytest.raises(DataError, match=r"broken.ckpt: its weights do not fit its resolver"):
        CheckpointResolver(str(tmp_path / "broken.ckpt"))


def test_it_needs_pairs_of_views_and_a_weight(weights: str, faces: Any, make_trainer: Any) -> None:
    single = FaceDataModule(faces, CrossResolution(Listed([14])), (), 8, num_workers=0)
    with pytest.raises(ConfigError, match="trains on pairs of views, got one view"):
        make_trainer(max_steps=1).fit(make(weights), single)
    for identity, pixel in ((0.0, 0.0), (-1.0, 2.0)):
        with pytest.raises(ConfigError, match="expected at least 0 and not both 0"):
            make(weights, identity_weight=identity, pixel_weight=pixel)


def test_protocols_are_measured_after_training(
    weights: str, data: FaceDataModule, make_trainer: Any, protocol: EmbeddedVerification
) -> None:
    trainer = make_trainer(max_steps=1, callbacks=[ProtocolEvaluation([protocol])])
    with pytest.raises(ConfigError, match="got SuperResolutionTask, which trains none"):
        trainer.fit(make(weights), data)
