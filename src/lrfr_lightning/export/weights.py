"""A backbone as a safetensors file that says which network its weights belong to."""

import json
from pathlib import Path

from safetensors.torch import save_file

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.embedders.metadata import ModelMetadata, metadata_texts
from lrfr_lightning.embedders.safetensors_file import NETWORK_KEY
from lrfr_lightning.export.description import describe_model
from lrfr_lightning.utils.paths import expand, whole_file
from lrfr_lightning.utils.recipe import describe


def export_safetensors(
    backbone: Backbone, path: str | Path, metadata: ModelMetadata | None = None
) -> None:
    """Write the weights, and in the header what rebuilds the network around them.

    The file appears whole or not at all.

    Args:
        backbone: the network.
        path: the ``.safetensors`` file.
        metadata: what else the file says; by default what the network itself does.

    Raises:
        ConfigError: an argument of the network's constructor is no plain data.
    """
    metadata = metadata or describe_model(backbone, Path(path).stem)
    texts = metadata_texts(backbone.pixel_spec, metadata)
    texts[NETWORK_KEY] = json.dumps(describe(backbone))
    tensors = {n: v.detach().cpu().contiguous() for n, v in backbone.state_dict().items()}
    with whole_file(expand(path)) as partial:
        save_file(tensors, partial, texts)
