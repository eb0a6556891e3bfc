"""What must come out the same on a GPU as on the CPU; each check takes the device."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import normalize
from torch.testing import assert_close

from coloured_faces import ColouredFaces
from lrfr_lightning import heads
from lrfr_lightning.backbones import IResNet
from lrfr_lightning.callbacks import MarginStatistics, ProtocolEvaluation
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.embedders import ModuleEmbedder
from lrfr_lightning.functional.degradation import degrade_
from lrfr_lightning.functional.identification import search
from lrfr_lightning.functional.resize import BICUBIC
from lrfr_lightning.functional.sharpness import batch_sharpness
from lrfr_lightning.functional.top_k import top_k
from lrfr_lightning.heads import AdaFace, ArcFace, Margin, MarginHead, PartialFC
from lrfr_lightning.preprocessing import ResolverNetwork
from lrfr_lightning.protocols import EmbeddedVerification
from lrfr_lightning.tasks import (
    DeriveNetTask,
    DistillationTask,
    OctupletTask,
    RecognitionTask,
    SiameseTask,
    SuperResolutionTask,
)
from lrfr_lightning.transforms import CrossResolution, Listed, PixelSpec

MakeTrainer = Callable[..., pl.Trainer]

MARGINS = {
    name: found
    for name in heads.__all__
    if issubclass(found := getattr(heads, name), Margin) and found is not Margin
}


def close(there: Tensor, here: Tensor, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """A tensor of the device equals one of the CPU."""
    assert there.device.type != "cpu"
    assert_close(there.cpu(), here, rtol=rtol, atol=atol)


def heads_agree(device: torch.device) -> None:
    """Loss and gradients of every margin, over all identities and over shared ones."""
    for margin in MARGINS.values():
        for classifier in (heads.CosineClassifier, PartialFC):
            torch.manual_seed(1)
            here = MarginHead(32, 50, margin(), classifier)
            there = deepcopy(here).to(device)
            embedding, label = 3 * torch.randn(8, 32), torch.randint(-1, 50, (8,))
            quality = 7 + 10 * torch.rand(8)
            ours = embedding.clone().requires_grad_()
            theirs = embedding.to(device).requires_grad_()
            loss = here(ours, label, quality)
            loss.backward()
            on_device = there(theirs, label.to(device), quality.to(device))
            on_device.backward()
            close(on_device.detach(), loss.detach())
            close(theirs.grad, ours.grad)
            close(there.classifier.weight.grad, here.classifier.weight.grad)


def pixels_agree(device: torch.device) -> None:
    """Degradation, sharpness and normalisation."""
    images = torch.randint(0, 256, (6, 3, 112, 112), dtype=torch.uint8)
    sides = torch.tensor([7, 14, 28, 56, 112, 9])
    on_device = degrade_(images.to(device), sides.to(device), BICUBIC, BICUBIC)
    degraded = degrade_(images.clone(), sides, BICUBIC, BICUBIC)
    close(on_device, degraded, rtol=0, atol=0)
    close(batch_sharpness(degraded.to(device)), batch_sharpness(degraded))
    for spec in (PixelSpec(), PixelSpec((96, 80), (1, 2, 3), (4, 5, 6), "BGR", "resize")):
        close(spec.normalise(degraded.to(device)), spec.normalise(degraded), atol=1e-3)


def searches_agree(device: torch.device) -> None:
    """Lookup and identification, with ties, unmated probes, distractors and entries all alike."""
    torch.manual_seed(0)
    probes, gallery = normalize(torch.randn(80, 16)), normalize(torch.randn(1100, 16))
    gallery[100] = gallery[50]
    rng = np.random.default_rng(0)
    people, enrolled = rng.integers(-1, 80, 80), rng.integers(-1, 90, 1100)
    for entries in (gallery, normalize(gallery[:1] + 1e-7 * gallery)):
        close(
            top_k(probes.to(device), entries.to(device), 5, block=20_000).score,
            top_k(probes, entries, 5, block=20_000).score,
        )
        there = search(probes.to(device), people, entries.to(device), enrolled, block=20_000)
        here = search(probes, people, entries, enrolled, block=20_000)
        for column in fields(here):
            name = column.name
            np.testing.assert_allclose(getattr(there, name), getattr(here, name), 1e-9)


def embeddings_agree(device: torch.device) -> None:
    """A model's embeddings, from images that come from the CPU."""
    torch.manual_seed(0)
    here = ModuleEmbedder(network(), "here")
    there = ModuleEmbedder(deepcopy(here.backbone), "there")
    there.to(device)
    images = torch.randint(0, 256, (4, 3, 112, 112), dtype=torch.uint8)
    # convolutions on a GPU may be in TF32
    close(there.embed(images), here.embed(images), rtol=0.02, atol=0.02)


def network() -> IResNet:
    """As small as they get."""
    spec = PixelSpec(size=(28, 28), fit="resize")
    return IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0, pixel_spec=spec)


def _recogniser(cls: type[RecognitionTask], **changes: Any) -> RecognitionTask:
    arguments: dict[str, Any] = {
        "backbone": network(),
        "head": partial(MarginHead, margin=ArcFace(0.3, scale=16)),
        "num_classes": 4,
        "optimizer": partial(torch.optim.SGD, lr=0.01),
    }
    return cls(**(arguments | changes))


def _teacher(weights: str) -> pl.LightningModule:
    teacher = {"teacher": network(), "teacher_weights": weights}
    return _recogniser(DistillationTask, relation_weight=1.0, place_identities=True, **teacher)


def _resolver(weights: str) -> pl.LightningModule:
    known = {"recogniser": network(), "recogniser_weights": weights}
    return SuperResolutionTask(ResolverNetwork(width=12, blocks=1), **known)


TASKS: dict[str, Callable[[str], pl.LightningModule]] = {
    "adaface": lambda _: _recogniser(RecognitionTask, head=partial(MarginHead, margin=AdaFace())),
    "partial": lambda _: _recogniser(
        RecognitionTask,
        head=partial(MarginHead, margin=ArcFace(), classifier=partial(PartialFC, sample_rate=0.5)),
    ),
    "siamese": lambda _: _recogniser(SiameseTask),
    "octuplet": lambda _: _recogniser(OctupletTask, softmax_weight=0.5),
    "derivenet": lambda _: _recogniser(DeriveNetTask, thumbnail=8),
    "distillation": _teacher,
    "resolver": _resolver,
}
"""Each from a file of weights, should it need one."""


def tasks_train(device: torch.device, make_trainer: MakeTrainer, folder: Any) -> None:
    """Every task, with degradation on the device, an evaluation and statistics."""
    weights = str(folder / "weights.safetensors")
    torch.manual_seed(5)
    save_file(network().state_dict(), weights)
    protocol = EmbeddedVerification(20, 2, 2, resolutions=(112, 14))
    for name, make in TASKS.items():
        views = "one" if name in ("adaface", "partial") else "pair"
        cross = CrossResolution(Listed([14]), views=views, where="device")
        data = FaceDataModule(ColouredFaces(), cross, (), 16, num_workers=0, images_per_identity=4)
        torch.manual_seed(0)
        task = make(weights)
        seen = _Devices()
        callbacks: list[pl.Callback] = [seen]
        if isinstance(task, RecognitionTask):
            callbacks.append(MarginStatistics())
        if name == "adaface":
            callbacks.append(ProtocolEvaluation([protocol], name))
        trainer = make_trainer(max_steps=3, max_epochs=-1, log_every_n_steps=1, callbacks=callbacks)
        trainer.fit(task, data)
        assert seen.found == {device.type}, name
        assert trainer.callback_metrics["train/loss"].isfinite(), name
        measured = any(key.startswith("val/") for key in trainer.callback_metrics)
        assert measured == (name == "adaface"), name
        trainer.save_checkpoint(folder / f"{name}.ckpt")
        type(task).load_from_checkpoint(folder / f"{name}.ckpt", map_location="cpu")
        assert all(parameter.isfinite().all() for parameter in task.parameters()), name


class _Devices(pl.Callback):
    """Where the parameters lay."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        self.found |= {parameter.device.type for parameter in pl_module.parameters()}


CHECKS = [heads_agree, pixels_agree, searches_agree, embeddings_agree]
