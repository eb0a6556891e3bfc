"""Memory of the training process and its workers while batches go by."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.input_files import FacesInMemory, jpegs
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import RecordIO
from lrfr_lightning.datasets.recordio import write_recordio
from lrfr_lightning.transforms import CrossResolution, LogUniform

SIZE = 16


def growth(batches: int, workers: int) -> tuple[float, float]:
    """Median MB in the first and in the last tenth of a run.

    Proportional set size of this process and its workers: a page that a fork copied counts twice.
    """
    images, _ = jpegs(64)
    with tempfile.TemporaryDirectory() as folder:
        write_recordio(FacesInMemory(images), Path(folder) / "rec")
        faces = RecordIO(Path(folder) / "rec")
        module = FaceDataModule(
            faces, CrossResolution(LogUniform(6, 32)), batch_size=SIZE, num_workers=workers
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the machine may have fewer cores than workers
            seen = list(_watch(module, batches))
    tenth = max(1, len(seen) // 10)
    return median(seen[tenth : 2 * tenth]), median(seen[-tenth:])


def _watch(module: FaceDataModule, batches: int) -> Iterator[float]:
    """Memory after every batch that is a multiple of four; the first tenth fills the queues."""
    loader = module.train_dataloader()
    count = 0
    while count < batches:
        for _ in loader:
            count += 1
            if count % 4 == 0:
                yield _tree_mb(os.getpid())
            if count == batches:
                return


def _tree_mb(process: int) -> float:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return _proportional_mb(process) + sum(_proportional_mb(int(child)) for child in children)


def _proportional_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024 / 1e6
