"""What all tests share."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

# before torch is imported: sums are the same to the bit only over as many threads, and the
# tests run side by side, so that each process and each it starts has one
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import pytorch_lightning as pl
import torch

from coloured_faces import ColouredFaces
from full_results import full_results
from lrfr_lightning.backbones import IResNet
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.protocols import EmbeddedVerification, ProtocolResult
from lrfr_lightning.tasks import RecognitionTask
from lrfr_lightning.utils.memory import keep_freed_memory
from processes import start_server

os.environ.setdefault("WANDB_MODE", "disabled")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
# Lightning's own command line still calls what the newest jsonargparse deprecates
os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")

# absolute, before any test changes the working directory
REAL_DATA = os.environ.get("LRFR_DATA") and os.path.abspath(os.environ["LRFR_DATA"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real faces first: the longest tests must not start when the other process is done."""
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


def pytest_sessionstart() -> None:
    """As in the console script, freed memory is used again.

    Where tests run side by side, each process will need its server; it starts meanwhile.
    """
    keep_freed_memory()
    if "PYTEST_XDIST_WORKER" in os.environ:
        start_server()


@pytest.fixture(scope="session")
def lrfr_data() -> Path:
    """The folder of real faces and weights; tests that ask for it carry the mark ``real``."""
    if not REAL_DATA:
        pytest.skip("needs real faces: set LRFR_DATA to the folder that holds lfw-112 and weights")
    return Path(REAL_DATA)


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rendered faces of the tests go into a folder of the session."""
    os.environ["LRFR_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """What Lightning's launchers leave behind (a port, a rank) is not the next test's."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def faces() -> ColouredFaces:
    """32 images of 4 identities."""
    return ColouredFaces()


@pytest.fixture
def small_faces() -> ColouredFaces:
    """Images of the wrong size."""
    return ColouredFaces(side=56)


def tiny_task(**changes: Any) -> RecognitionTask:
    """A task that trains in milliseconds."""
    arguments: dict[str, Any] = {
        "backbone": IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0),
        "head": partial(MarginHead, margin=ArcFace(0.3, scale=16)),
        "num_classes": 4,
        "optimizer": partial(torch.optim.SGD, lr=0.01),
    }
    return RecognitionTask(**(arguments | changes))


@pytest.fixture
def make_task() -> Callable[..., RecognitionTask]:
    """Makes tiny tasks."""
    return tiny_task


@pytest.fixture
def protocol() -> EmbeddedVerification:
    """Forty pairs of embedded faces at two resolutions."""
    return EmbeddedVerification(20, 2, 2, resolutions=(112, 14))


@pytest.fixture(scope="session")
def full() -> list[ProtocolResult]:
    """Results with everything a results file may hold."""
    return full_results()


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., pl.Trainer]:
    """Makes quiet CPU trainers that run a few steps."""

    def make(**changes: Any) -> pl.Trainer:
        arguments: dict[str, Any] = {
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "default_root_dir": tmp_path,
        }
        return pl.Trainer(**(arguments | changes))

    return make
