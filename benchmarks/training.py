"""A step of ``Trainer.fit`` beside the same step in a loop written by hand.

The two take turns: the loader that feeds the trainer makes the loop's step before it hands over a
batch, so that a slow moment of the machine falls on both.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.machine import computes_bf16
from benchmarks.row import Row
from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.tasks import RecognitionTask

LIMIT, CLASSES, LEARNING_RATE = 1.03, 10_575, 0.01
AUTOCAST: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "32-true": nullcontext,
    "bf16-mixed": partial(torch.autocast, "cpu", dtype=torch.bfloat16),
}
PRECISIONS = [name for name in AUTOCAST if name == "32-true" or computes_bf16()]


class Turns(DataLoader[Batch]):
    """Gives one batch again and again; makes the other's step in between.

    Args:
        batch: what the trainer gets.
        steps: how often.
        other: the step by hand.

    Attributes:
        ours: seconds that each of the trainer's steps took, everything between two batches.
        theirs: seconds of each step by hand.
    """

    def __init__(self, batch: Batch, steps: int, other: Callable[[], None]) -> None:
        super().__init__(Repeated(batch, steps), batch_size=None)
        self._other = other
        self.ours: list[float] = []
        self.theirs: list[float] = []

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """The batch, time after time."""
        for batch in super().__iter__():
            start = time.perf_counter()
            self._other()
            handed_over = time.perf_counter()
            self.theirs.append(handed_over - start)
            yield batch
            self.ours.append(time.perf_counter() - handed_over)


class Repeated(Dataset[Batch]):
    """One batch, ``steps`` times."""

    def __init__(self, batch: Batch, steps: int) -> None:
        self.batch, self.steps = batch, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> Batch:
        return self.batch


def measure(quick: bool) -> list[Row]:
    """float32 and bf16 against the loop by hand, and bf16 with channels-last against float32."""
    size, steps = (2, 3) if quick else (64, 32)
    rows, seconds = [], {}
    for precision in PRECISIONS:
        ours, theirs = compare(precision, size, steps)
        seconds[precision] = ours
        rows.append(
            Row(
                name=f"training step, MobileFaceNet, batch {size}, {CLASSES} identities, "
                f"{precision}",
                sense="time",
                seconds=ours,
                limit="the same step in a loop by hand",
                ratio_to_limit=ours / theirs,
                target=f"at most {LIMIT} times the loop",
                met=ours / theirs <= LIMIT,
            )
        )
    return [*rows, *_default(seconds, size)]


def _default(seconds: dict[str, float], size: int) -> list[Row]:
    if "bf16-mixed" not in seconds:
        return []
    row = Row(
        name=f"training step, MobileFaceNet, batch {size}, the default of a CPU with bf16",
        sense="time",
        seconds=seconds["bf16-mixed"],
        peer="ours in 32-true",
        ratio_to_peer=seconds["bf16-mixed"] / seconds["32-true"],
        note="bf16-mixed and channels-last",
    )
    return [row]


def compare(precision: str, size: int, steps: int) -> tuple[float, float]:
    """Median seconds of a step in ``Trainer.fit`` and by hand."""
    batch = random_batch(size)
    task, other = _task(), _task()
    turns = Turns(batch, steps, by_hand(other, batch, precision))
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, precision=precision, max_epochs=1,  # type: ignore[arg-type]
        logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    # a task wants to validate: there has to be a loader, which nobody reads
    trainer.fit(task, turns, DataLoader([0]))  # type: ignore[arg-type]
    # the first step allocates
    return median(turns.ours[1:]), median(turns.theirs[1:])


def by_hand(task: RecognitionTask, batch: Batch, precision: str) -> Callable[[], None]:
    """A training step without Lightning: the same backbone, head, layout and optimiser."""
    layout = torch.channels_last if precision == "bf16-mixed" else torch.contiguous_format
    backbone = task.backbone.to(memory_format=layout)
    optimizer = torch.optim.SGD(task.parameters(), lr=LEARNING_RATE, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        with AUTOCAST[precision]():
            pixels = backbone.pixel_spec.normalise(batch["image"])
            embedding = backbone(pixels.contiguous(memory_format=layout))
            loss = task.head(embedding, batch["label"])
        loss.backward()
        optimizer.step()

    return step


def _task() -> RecognitionTask:
    torch.manual_seed(0)
    return RecognitionTask(
        backbone=MobileFaceNet(),
        head=partial(MarginHead, margin=ArcFace()),
        num_classes=CLASSES,
        optimizer=partial(torch.optim.SGD, lr=LEARNING_RATE, momentum=0.9),
    )


def random_batch(size: int, identities: int = CLASSES) -> Batch:
    """``size`` images of noise at full resolution."""
    generator = torch.Generator().manual_seed(0)
    return Batch(
        image=torch.randint(256, (size, 3, 112, 112), dtype=torch.uint8, generator=generator),
        label=torch.randint(identities, (size,), generator=generator),
        index=torch.arange(size),
        resolution=torch.full((size,), 112),
    )
