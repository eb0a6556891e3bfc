"""A backbone as an ONNX file that says how it wants its pixels. Needs the extra ``onnx``."""

import warnings
from pathlib import Path
from typing import Any

import torch

from lrfr_lightning.backbones.base import Backbone, evaluating
from lrfr_lightning.embedders.metadata import ModelMetadata, metadata_texts
from lrfr_lightning.export.description import describe_model
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import expand, whole_file


def export_onnx(
    backbone: Backbone, path: str | Path, metadata: ModelMetadata | None = None
) -> None:
    """Write one file: normalised ``images (B, 3, *size)`` → ``embeddings (B, D)``, any B.

    Its metadata hold the backbone's :class:`~lrfr_lightning.transforms.PixelSpec`, so that
    :class:`~lrfr_lightning.embedders.OnnxEmbedder` needs no more than the file. The file appears
    whole or not at all.

    Args:
        backbone: the network; exported in eval mode and float32.
        path: the ``.onnx`` file.
        metadata: what else the file says; by default what the network itself does.

    Raises:
        ConfigError: the extra is not installed.
    """
    program = _program(backbone)
    metadata = metadata or describe_model(backbone, Path(path).stem)
    program.model.metadata_props.update(metadata_texts(backbone.pixel_spec, metadata))
    with whole_file(expand(path)) as partial:
        program.save(str(partial), external_data=False)


def _program(backbone: Backbone) -> Any:
    device = next(backbone.parameters()).device
    images = torch.zeros(2, 3, *backbone.pixel_spec.size, device=device)
    batch = torch.export.Dim("batch")
    with evaluating(backbone), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about its parts
        try:
            return torch.onnx.export(
                backbone,
                (images,),
                input_names=["images"],
                output_names=["embeddings"],
                dynamic_shapes=({0: batch},),
                verbose=False,
            )
        except ImportError as error:
            raise ConfigError(
                f"ONNX export needs {error.name}: pip install 'lrfr_lightning[onnx]'"
            ) from None
