"""One recogniser for all tests of a session."""

import pytest
import torch

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.embedders import ModuleEmbedder
from lrfr_lightning.recognition import Recogniser


def make_embedder(seed: int = 0) -> ModuleEmbedder:
    """A small random network."""
    torch.manual_seed(seed)
    return ModuleEmbedder(IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0), f"small{seed}")


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """A small random network, without thresholds."""
    return Recogniser(make_embedder())


@pytest.fixture(scope="session")
def other() -> Recogniser:
    """Another one."""
    return Recogniser(make_embedder(1))
