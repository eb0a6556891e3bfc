"""One file of one format, held against its network before it gets its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.datasets.base import Image
from lrfr_lightning.embedders.base import Embedder, ModuleEmbedder
from lrfr_lightning.embedders.metadata import ModelMetadata, Quantisation
from lrfr_lightning.embedders.onnx_file import OnnxEmbedder
from lrfr_lightning.embedders.program_file import ProgramEmbedder
from lrfr_lightning.embedders.safetensors_file import SafetensorsEmbedder
from lrfr_lightning.export.onnx import export_onnx
from lrfr_lightning.export.parity import Parity, check_parity, measure_parity
from lrfr_lightning.export.partial import partial_path
from lrfr_lightning.export.program import export_program
from lrfr_lightning.export.weights import export_safetensors
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import expand

Format = Literal["onnx", "torch", "safetensors"]

_FORMATS: dict[
    Format, tuple[str, Callable[[Backbone, Path, ModelMetadata], None], Callable[[str], Embedder]]
] = {
    "onnx": (".onnx", export_onnx, OnnxEmbedder),
    "torch": (".pt2", export_program, ProgramEmbedder),
    "safetensors": (".safetensors", export_safetensors, SafetensorsEmbedder),
}
"""Suffix of each format, what writes it and what opens it."""


def export_model(
    model: ModuleEmbedder,
    path: str | Path,
    form: Format,
    metadata: ModelMetadata,
    faces: list[Image],
) -> list[Parity]:
    """Write a file, open it, and hold it against the network on faces at five resolutions.

    Args:
        model: the network.
        path: the file; it appears whole, or not at all.
        form: what it is.
        metadata: what it says. With a quantisation, of ONNX alone, the file is quantised after it
            was checked in float32; int8 has its ranges from two thirds of the faces and is
            measured on the others.
        faces: aligned, uint8 ``(112, 112, 3)`` RGB.

    Raises:
        ConfigError: another suffix than the format's; a quantisation of another format than ONNX;
            an extra is not installed.
        DataError: the embeddings of the float32 file are not the network's, see
            :func:`~lrfr_lightning.export.parity.check_parity`; fewer than three faces for int8.
    """
    _, write, read = _FORMATS[form]
    target = expand(path)
    check_target(target, form, metadata.quantisation)
    calibration, checked = _split(faces, metadata.quantisation)
    with partial_path(target) as partial:
        write(model.backbone, partial, metadata)
        found = measure_parity(model, read(str(partial)), checked)
        check_parity(found)
        if metadata.quantisation is None:
            return found
        _quantise(partial, metadata.quantisation, calibration, model.pixel_spec)
        return measure_parity(model, read(str(partial)), checked)


def check_target(path: Path, form: Format, quantisation: Quantisation | None) -> None:
    """Refuse what cannot be written, before any work.

    Raises:
        ConfigError: see :func:`export_model`.
    """
    suffix = _FORMATS[form][0]
    if path.suffix != suffix:
        raise ConfigError(f"{path}: expected the suffix {suffix} of format {form}")
    if quantisation is not None and form != "onnx":
        raise ConfigError(f"{quantisation} is for ONNX files; leave it out for {form}")


def _split(
    faces: list[Image], quantisation: Quantisation | None
) -> tuple[list[Image], list[Image]]:
    """Faces for the ranges of int8, and those to measure on."""
    if quantisation != "int8":
        return [], faces
    if len(faces) < 3:
        raise DataError(f"int8 needs three faces or more to find its ranges, got {len(faces)}")
    return [face for number, face in enumerate(faces) if number % 3], faces[::3]


def _quantise(path: Path, to: Quantisation, faces: list[Image], pixel_spec: PixelSpec) -> None:
    from lrfr_lightning.export.quantise import quantise  # needs onnx, an extra

    quantise(path, path, to, faces, pixel_spec)
