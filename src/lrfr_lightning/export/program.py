"""A backbone as a ``torch.export`` program: it runs without this library and its classes."""

import json
import warnings
from pathlib import Path

import torch

from lrfr_lightning.backbones.base import Backbone, evaluating
from lrfr_lightning.embedders.metadata import ModelMetadata, metadata_texts
from lrfr_lightning.embedders.program_file import METADATA_FILE
from lrfr_lightning.export.description import describe_model
from lrfr_lightning.export.partial import partial_path
from lrfr_lightning.utils.paths import expand


def export_program(
    backbone: Backbone, path: str | Path, metadata: ModelMetadata | None = None
) -> None:
    """Write one file: normalised ``images (B, 3, *size)`` → embeddings ``(B, D)``, any B.

    ``torch.export.load(path).module()`` runs it; its extra file ``lrfr.json`` holds the metadata.
    The file appears whole or not at all.

    Args:
        backbone: the network; exported in eval mode, on the device where it is.
        path: the ``.pt2`` file.
        metadata: what else the file says; by default what the network itself does.
    """
    metadata = metadata or describe_model(backbone, Path(path).stem)
    device = next(backbone.parameters()).device
    images = torch.zeros(2, 3, *backbone.pixel_spec.size, device=device)
    texts = json.dumps(metadata_texts(backbone.pixel_spec, metadata))
    with evaluating(backbone), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about its format
        batch = torch.export.Dim("batch")
        program = torch.export.export(backbone, (images,), dynamic_shapes=({0: batch},))
        with partial_path(expand(path)) as partial:
            torch.export.save(program, str(partial), extra_files={METADATA_FILE: texts})
