"""Memory of a training process and its workers while it trains."""

import os
import tempfile
import warnings
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl

from benchmarks.input_files import FacesInMemory, jpegs
from lrfr_lightning.backbones import IResNet
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import RecordIO
from lrfr_lightning.datasets.recordio import write_recordio
from lrfr_lightning.heads import AdaFace, MarginHead
from lrfr_lightning.tasks import RecognitionTask
from lrfr_lightning.transforms import CrossResolution, LogUniform

SIZE = 16


def growth(batches: int, workers: int) -> tuple[float, float]:
    """Median MB in the second and in the last tenth of a run of ``Trainer.fit``.

    Of this process and its workers, see :func:`tree_mb`: a page that a fork copied counts twice. In
    the first tenth queues fill.
    """
    images, _ = jpegs(512)
    with tempfile.TemporaryDirectory() as folder:
        write_recordio(FacesInMemory(images), Path(folder) / "rec")
        faces = RecordIO(Path(folder) / "rec")
        data = FaceDataModule(
            faces, CrossResolution(LogUniform(6, 32)), batch_size=SIZE, num_workers=workers
        )
        head = partial(MarginHead, margin=AdaFace())
        task = RecognitionTask(IResNet(18, 16, width=4), head, faces.num_classes)
        watch = Watch()
        trainer = pl.Trainer(
            accelerator="cpu", devices=1, max_steps=batches, max_epochs=-1, callbacks=[watch],
            logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, limit_val_batches=0,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the machine may have fewer cores than workers
            trainer.fit(task, data)
    return tenths(watch.seen)


def tenths(seen: list[float]) -> tuple[float, float]:
    """The medians of the second and of the last tenth."""
    tenth = max(1, len(seen) // 10)
    return median(seen[tenth : 2 * tenth]), median(seen[-tenth:])


class Watch(pl.Callback):
    """Memory after every ``interval``-th batch, MB.

    Args:
        interval: in batches.

    Attributes:
        seen: what was measured, in order.
    """

    def __init__(self, interval: int = 4) -> None:
        self.interval = interval
        self.seen: list[float] = []

    def on_train_batch_end(self, *arguments: Any) -> None:
        """Measure."""
        if arguments[-1] % self.interval == self.interval - 1:
            self.seen.append(tree_mb(os.getpid()))


def tree_mb(process: int) -> float:
    """Memory of a process and its children, MB: their own pages, and a share of what they share.

    What is mapped from files is left out: its share grows when other processes that map the same
    libraries end.

    Args:
        process: its number.
    """
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return sum(_proportional_mb(number) for number in (process, *map(int, children)))


def _proportional_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    own = [line.split() for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:"))]
    return sum(int(kilobytes) for _, kilobytes, _ in own) * 1024 / 1e6
