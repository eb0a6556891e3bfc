"""What ``NonFiniteGuard`` adds to a training step: ``python -m benchmarks.guard``.

All of the guard's hooks are timed within ``Trainer.fit``, so that a slow moment of the machine does
not count as theirs more than as the step's.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from benchmarks.training import AUTOCAST, Repeated, random_batch
from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.callbacks import NonFiniteGuard
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.tasks import RecognitionTask

HOOKS = (
    "on_train_batch_start",
    "on_before_backward",
    "on_before_optimizer_step",
    "on_train_batch_end",
)
NETWORKS: dict[str, tuple[Callable[[], Backbone], int]] = {
    "MobileFaceNet, batch 64, 1,184 identities": (MobileFaceNet, 1_184),
    "MobileFaceNet, batch 64, 10,575 identities": (MobileFaceNet, 10_575),
}


class Timed(NonFiniteGuard):
    """The guard; ``own`` are the seconds of its hooks in each step, ``whole`` those of the step."""

    def __init__(self) -> None:
        super().__init__()
        self.own: list[float] = []
        self.whole: list[float] = []
        self._start = 0.0
        for name in HOOKS:
            setattr(self, name, partial(self._timed, name, getattr(self, name)))

    def _timed(self, name: str, hook: Callable[..., None], *args: Any) -> None:
        start = time.perf_counter()
        if name == HOOKS[0]:
            self.own.append(0.0)
            self._start = start
        hook(*args)
        end = time.perf_counter()
        self.own[-1] += end - start
        if name == HOOKS[-1]:
            self.whole.append(end - self._start)


def measure(network: Callable[[], Backbone], identities: int, precision: str) -> Timed:
    """Eight steps on random images."""
    torch.manual_seed(0)
    task = RecognitionTask(
        network(),
        partial(MarginHead, margin=ArcFace()),
        identities,
        partial(torch.optim.SGD, lr=0.01, momentum=0.9),
    )
    guard = Timed()
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, precision=precision, max_epochs=1,  # type: ignore[arg-type]
        logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, limit_val_batches=0, callbacks=[guard],
    )  # fmt: skip
    batch = random_batch(64, identities)
    loader = DataLoader(Repeated(batch, 8), batch_size=None)
    trainer.fit(task, loader, DataLoader([0]))  # type: ignore[arg-type]
    return guard


def main() -> None:
    """Print a line for each network and precision."""
    for name, (network, identities) in NETWORKS.items():
        for precision in AUTOCAST:
            guard = measure(network, identities, precision)
            # the first step allocates
            own, whole = median(guard.own[1:]), median(guard.whole[1:])
            print(
                f"{name}, {precision}: {1000 * own:.1f} ms of {1000 * whole:.0f} ms, "
                f"{100 * own / whole:.2f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
