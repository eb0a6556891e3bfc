"""Models from files: a training checkpoint, or a weight file and the network it belongs to."""

from pathlib import Path

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.embedders.base import ModuleEmbedder, Precision
from lrfr_lightning.tasks.checkpoint import load_backbone
from lrfr_lightning.utils.paths import existing


class CheckpointEmbedder(ModuleEmbedder):
    """A checkpoint of this library; network and pixel format are read from it.

    Args:
        path: the ``.ckpt`` file.
        name: the model's name in results; by default the file's.
        precision: see :class:`~lrfr_lightning.embedders.base.ModuleEmbedder`.

    Raises:
        DataError: no such file, or it is not a training checkpoint.
    """

    def __init__(
        self, path: str, name: str | None = None, precision: Precision = "float32"
    ) -> None:
        file = existing(path, "checkpoint")
        super().__init__(load_backbone(file), name or file.stem, precision)


class WeightsEmbedder(ModuleEmbedder):
    """A weight file and the network it belongs to.

    Args:
        backbone: the network.
        weights: ``.safetensors``, ``.pt``, ``.pth`` or ``.ckpt`` with its tensors.
        name: the model's name in results; by default the file's.
        precision: see :class:`~lrfr_lightning.embedders.base.ModuleEmbedder`.

    Raises:
        DataError: no such file, or its tensors do not fit the network.
    """

    def __init__(
        self,
        backbone: Backbone,
        weights: str,
        name: str | None = None,
        precision: Precision = "float32",
    ) -> None:
        load_weights(backbone, weights)
        super().__init__(backbone, name or Path(weights).stem, precision)
