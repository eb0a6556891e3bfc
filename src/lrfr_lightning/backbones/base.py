"""What every backbone is to the rest of the library."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.recipe import Recorded


class Backbone(Recorded, nn.Module):
    """A network that maps normalised faces to embeddings.

    Attributes:
        embedding_dim: D, the length of an embedding.
        pixel_spec: the input format it was designed for or trained with.
    """

    embedding_dim: int
    pixel_spec: PixelSpec

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Normalised images ``(B, 3, *pixel_spec.size)`` → un-normalised embeddings ``(B, D)``."""


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode inside, then each module's own again: parts may be frozen in eval mode."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
