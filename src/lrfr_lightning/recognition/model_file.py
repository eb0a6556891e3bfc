"""Whatever file a model lies in → an embedder."""

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.embedders.files import CheckpointEmbedder, WeightsEmbedder
from lrfr_lightning.embedders.onnx_file import OnnxEmbedder
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing

WEIGHTS = (".safetensors", ".pt", ".pth")


def open_model(path: str, backbone: Backbone | None = None) -> Embedder:
    """The model of a file; which kind of file it is shows its name.

    Args:
        path: a checkpoint of ``lrfr fit`` (``.ckpt``), an ``.onnx`` file, or weights
            (``.safetensors``, ``.pt``, ``.pth``).
        backbone: the network that weights belong to; no other file needs it.

    Raises:
        ConfigError: weights without a backbone, or a backbone that is not needed.
        DataError: no such file, a file of another kind, or a damaged one.
    """
    file = existing(path, "model file")
    suffix = file.suffix.lower()
    if not file.is_file() or suffix not in (".ckpt", ".onnx", *WEIGHTS):
        raise DataError(
            f"{file} is no model file: expected a checkpoint .ckpt, an .onnx file or weights "
            f"({', '.join(WEIGHTS)}), got {f'a file {suffix!r}' if file.is_file() else 'a folder'}"
        )
    if suffix in WEIGHTS:
        if backbone is None:
            raise ConfigError(
                f"{file} holds weights alone; --backbone NAME names the network they belong to"
            )
        return WeightsEmbedder(backbone, str(file))
    if backbone is not None:
        raise ConfigError(f"{file} says itself what network it holds; leave out --backbone")
    return CheckpointEmbedder(str(file)) if suffix == ".ckpt" else OnnxEmbedder(str(file))
