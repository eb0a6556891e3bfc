"""The backbone of a training checkpoint, without the task that trained it."""

from pathlib import Path

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.rebuild import read_checkpoint, rebuild


def load_backbone(path: Path) -> Backbone:
    """Rebuild the backbone a checkpoint describes and load its weights.

    The file is untrusted, see :mod:`lrfr_lightning.utils.rebuild`.

    Raises:
        DataError: not a checkpoint of this library, or one that would need to run code.
    """
    backbone = rebuild(path, read_checkpoint(path), Backbone, "backbone")  # type: ignore[type-abstract]
    if backbone is None:
        raise DataError(
            f"{path} does not say which backbone it holds; a bare weight file is loaded with "
            "its network: --backbone NAME --weights FILE"
        )
    load_weights(backbone, str(path))
    return backbone
