"""The tasks on two gloo ranks: DDP takes every gradient, and centres are those of all ranks."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.functional.derivenet import thumbnails
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.tasks import DeriveNetTask, OctupletTask, SiameseTask
from lrfr_lightning.utils.distributed import leave
from processes import on_ranks

TASKS = {"octuplet": OctupletTask, "siamese": SiameseTask, "derivenet": DeriveNetTask}
STEPS = 3


class Step(nn.Module):
    """What DDP wraps: the task's training step."""

    def __init__(self, name: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.task: Any = TASKS[name](
            backbone=IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0),
            head=partial(MarginHead, margin=ArcFace(0.3, scale=16)),
            num_classes=5,
        )
        self.task.log = lambda *_, **__: None

    def forward(self, batch: Any) -> Tensor:
        return self.task.training_step(batch, 0)["loss"]


def batch(step: int, rank: int) -> Any:
    """Eight images of classes 0..3; class 4 never comes."""
    generator = torch.Generator().manual_seed(2 * step + rank)
    images = [
        torch.randint(0, 256, (8, 3, 112, 112), dtype=torch.uint8, generator=generator)
        for _ in range(2)
    ]
    return {
        "image": images[0],
        "image_lr": images[1],
        "label": torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 2, 2, 2, 2, 3, 3]][rank]),
        "index": torch.arange(8),
        "resolution": torch.full((8,), 14),
    }


def rank_process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    found = {}
    for name in TASKS:
        model = DistributedDataParallel(Step(name))
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=0.01)
        for step in range(STEPS):
            optimizer.zero_grad()
            model(batch(step, rank)).backward()
            optimizer.step()
        found[name] = model.module.task.state_dict()
    torch.save(found, Path(folder) / f"{rank}.pt")
    leave()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("ranks")
    on_ranks(rank_process, (str(folder),), 2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", TASKS)
def test_ranks_hold_the_same_trained_weights(ranks: list[Any], name: str) -> None:
    first, second = (found[name] for found in ranks)
    start = Step(name).task
    names = [n for n, p in start.named_parameters() if p.requires_grad]
    assert all(torch.equal(first[n], second[n]) for n in names)
    assert all(first[n].isfinite().all() for n in names)
    assert not torch.equal(first["backbone.conv1.weight"], start.backbone.conv1.weight)


def test_centres_are_those_of_all_ranks(ranks: list[Any]) -> None:
    batches = [batch(step, rank) for step in range(STEPS) for rank in range(2)]
    label = torch.cat([b["label"] for b in batches])
    thumbnail = thumbnails(torch.cat([b["image"] for b in batches]), 16)
    for found in ranks:
        mean, count = found["derivenet"]["centres.mean"], found["derivenet"]["centres.count"]
        assert torch.equal(count, label.bincount(minlength=5))
        for identity in range(4):
            expected = thumbnail[label == identity].mean(dim=0)
            torch.testing.assert_close(mean[identity], expected)
        assert not mean[4].any()
