"""A user's own margin: thirty lines that use all of the contract, and work everywhere."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from jsonargparse import ArgumentParser

from lrfr_lightning.callbacks import MarginStatistics
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.heads import Margin, MarginHead
from lrfr_lightning.tasks import RecognitionTask
from lrfr_lightning.transforms import CrossResolution, Listed


class RankedCosFace(Margin):
    """CosFace whose margin is larger for faces flatter than the sharpest one seen so far.

    ``m = margin · (2 - q / q_max)``; short features cost ``weight / |x|``.

    Args:
        margin: m of the sharpest face.
        scale: s > 0.
        weight: of the regulariser.
    """

    quality_key = "sharpness"

    def __init__(self, margin: float = 0.2, scale: float = 32.0, weight: float = 0.0) -> None:
        super().__init__(scale)
        self.margin = margin
        self.weight = weight
        self.register_buffer("sharpest", torch.tensor(1.0))

    def forward(self, cosine, norm, quality=None):
        """``cos θ - m``."""
        if self.training:
            highest = torch.cat([quality, self.sharpest[None]]).max()
            self.sharpest.copy_(highest)
        return cosine - self.margin * (2 - quality / self.sharpest)

    def regulariser(self, norm):
        """``weight / |x|``."""
        return self.weight / norm


def test_loss_is_the_formula() -> None:
    torch.manual_seed(0)
    head = MarginHead(8, 5, RankedCosFace(weight=3.0))
    embedding, label = torch.randn(4, 8), torch.tensor([0, 4, -1, 2])
    loss = head(embedding, label, torch.tensor([2.0, 8.0, 50.0, 4.0]))
    kept, own = embedding[[0, 1, 3]], torch.tensor([0, 4, 2])
    logits = head.classifier(kept)
    logits[range(3), own] -= 0.2 * torch.tensor([1.75, 1.0, 1.5])
    expected = torch.nn.functional.cross_entropy(32 * logits, own)
    torch.testing.assert_close(loss, expected + (3 / kept.norm(dim=1)).mean())
    assert head.margin.sharpest == 8


@pytest.mark.parametrize("views", ["one", "pair"])
def test_from_yaml_through_training_to_a_checkpoint(
    make_task: Any, make_trainer: Any, faces: Any, tmp_path: Any, monkeypatch: Any, views: Any
) -> None:
    # the newer name of instantiate_classes is unknown to older releases
    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--head", type=Callable[[int, int], MarginHead])
    own = {"class_path": f"{__name__}.RankedCosFace", "init_args": {"margin": 0.1}}
    yaml = {"class_path": "lrfr_lightning.heads.MarginHead", "init_args": {"margin": own}}
    head = parser.instantiate_classes(parser.parse_object({"head": yaml}))["head"]
    data = FaceDataModule(faces, CrossResolution(Listed([14]), views=views), (), 8, num_workers=0)
    trainer = make_trainer(callbacks=[MarginStatistics()], log_every_n_steps=1)
    task = make_task(head=head)
    trainer.fit(task, data)
    assert {"train/margin_hr", "train/margin_lr"} <= set(trainer.callback_metrics)
    trainer.save_checkpoint(tmp_path / "own.ckpt")
    margin = RecognitionTask.load_from_checkpoint(tmp_path / "own.ckpt").head.margin
    assert isinstance(margin, RankedCosFace)
    assert margin.margin == 0.1
    assert margin.sharpest == task.head.margin.sharpest > 10
