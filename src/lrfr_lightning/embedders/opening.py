"""One function for every file, folder and address that holds a model."""

from collections.abc import Callable
from pathlib import Path

import yaml

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.embedders.base import Embedder, Precision
from lrfr_lightning.embedders.files import CheckpointEmbedder, WeightsEmbedder
from lrfr_lightning.embedders.hub import HUB_PREFIX, WEIGHTS_FILE, fetch, parse_address
from lrfr_lightning.embedders.onnx_file import OnnxEmbedder
from lrfr_lightning.embedders.program_file import ProgramEmbedder
from lrfr_lightning.embedders.safetensors_file import SafetensorsEmbedder
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.rebuild import build

WEIGHTS = (".safetensors", ".pt", ".pth")
"""Files that may hold no more than weights, and then need their backbone."""


def open_model(
    path: str, backbone: str | Backbone | None = None, precision: Precision = "float32"
) -> Embedder:
    """The model that lies somewhere.

    Args:
        path: a checkpoint (``.ckpt``), an exported file (``.onnx``, ``.pt2``, ``.safetensors``), a
            weight file (``.safetensors``, ``.pt``, ``.pth``; needs ``backbone``), a folder with
            ``model.safetensors``, or ``hub:REPO_ID`` or ``hub:REPO_ID@REVISION``.
        backbone: the network of a weight file: itself, its class name, or as YAML
            ``{class_path: IResNet, init_args: {depth: 18}}``.
        precision: see :class:`~lrfr_lightning.embedders.base.ModuleEmbedder`; of networks alone.

    Raises:
        ConfigError: a file of another kind; ``backbone`` is missing or not needed; an extra is not
            installed; another precision than float32 of an ONNX file or a program.
        DataError: nothing is there, or it cannot be read.
    """
    if path.startswith(HUB_PREFIX):
        _no_backbone(path, backbone)
        return _named(SafetensorsEmbedder(str(fetch(*parse_address(path))), precision=precision))
    file = existing(path, "model")
    if file.is_dir():
        _no_backbone(path, backbone)
        weights = existing(file / WEIGHTS_FILE, "model of the folder")
        return _named(SafetensorsEmbedder(str(weights), precision=precision))
    if backbone is not None and file.suffix in WEIGHTS:
        network = _network(backbone) if isinstance(backbone, str) else backbone
        return WeightsEmbedder(network, str(file), precision=precision)
    _no_backbone(path, backbone)
    return _of_file(file, precision)


def _of_file(file: Path, precision: Precision) -> Embedder:
    """A file that says itself what it holds."""
    if file.suffix == ".ckpt":
        return CheckpointEmbedder(str(file), precision=precision)
    if file.suffix == ".safetensors":
        return SafetensorsEmbedder(str(file), precision=precision)
    fixed: dict[str, Callable[[str], Embedder]] = {".onnx": OnnxEmbedder, ".pt2": ProgramEmbedder}
    if file.suffix in fixed:
        if precision != "float32":
            raise ConfigError(f"{file} computes in its own precision, not in {precision}")
        return fixed[file.suffix](str(file))
    if file.suffix in WEIGHTS:
        raise ConfigError(f"{file} holds weights alone; give the backbone they belong to")
    raise ConfigError(
        f"{file}: expected a model as .ckpt, .onnx, .pt2, {', '.join(WEIGHTS)}, a folder or "
        f"{HUB_PREFIX}REPO_ID, got {file.suffix or 'no suffix'!r}"
    )


def _named(model: SafetensorsEmbedder) -> SafetensorsEmbedder:
    """Its own name: all models of folders lie in files of one name."""
    if model.metadata is not None:
        model.name = model.metadata.name
    return model


def _network(text: str) -> Backbone:
    return build(yaml.safe_load(text), Backbone, "backbone", "--backbone")  # type: ignore[type-abstract]


def _no_backbone(path: str, backbone: str | Backbone | None) -> None:
    if backbone is not None:
        raise ConfigError(f"{path} says itself which network it holds; leave out the backbone")
