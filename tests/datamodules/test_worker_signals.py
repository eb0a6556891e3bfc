"""SIGTERM to a process that reads images, in the moment in which it begins."""

import os
import signal
from collections.abc import Iterator

import pytest

from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.embedders import RawPixels
from lrfr_lightning.embedders.extraction import evaluate
from lrfr_lightning.protocols import EmbeddedVerification

_forks: list[int] = []


def _terminate() -> None:
    if _forks:
        os.kill(os.getpid(), signal.SIGTERM)


os.register_at_fork(after_in_child=_terminate)


@pytest.fixture
def signalled() -> Iterator[None]:
    """Every process that is forked gets the signal before it does anything."""
    _forks.append(1)
    yield
    _forks.clear()


@pytest.mark.usefixtures("signalled")
def test_a_worker_outlives_a_signal_that_comes_as_it_begins() -> None:
    faces = EmbeddedFaces(identities=4, images_per_identity=2)
    data = FaceDataModule(faces, batch_size=2, num_workers=1)
    assert len(list(data.train_dataloader())) == 4
    assert len(list(data.predict_dataloader())) == 4
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.usefixtures("signalled")
def test_so_does_one_that_reads_for_an_evaluation() -> None:
    protocol = EmbeddedVerification(20, 2, 2, resolutions=(14,))
    (result,) = evaluate(RawPixels(), protocol, num_workers=1)
    assert result.resolution == 14
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
