"""ONNX files in int8 or fp16: smaller, and a little less exact. Needs the extra ``onnx``."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.embedders.metadata import Quantisation
from lrfr_lightning.export.faces import RESOLUTIONS, at_resolution
from lrfr_lightning.transforms.pixel_spec import PixelSpec

QUANTISED_OPERATORS = ["Conv", "Gemm", "MatMul"]


def quantise(
    source: Path, target: Path, to: Quantisation, faces: list[Image], pixel_spec: PixelSpec
) -> None:
    """Write a float32 ONNX file anew; input and output stay float32.

    ``int8`` is static: ranges of activations are those of ``faces`` at every resolution, from
    smallest to largest value. Weights are per channel, in seven bits, since processors without
    VNNI saturate on eight. The first convolution and the depthwise ones, few weights and most of
    the error, stay float32.

    Args:
        source: the float32 file.
        target: the file to write, which gets the metadata of ``source``.
        to: ``int8`` or ``fp16``.
        faces: aligned, uint8 ``(112, 112, 3)`` RGB; for int8.
        pixel_spec: the network's input format.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about values that become zero in fp16
        model = _half(source) if to == "fp16" else _int8(source, faces, pixel_spec)
    del model.metadata_props[:]
    model.metadata_props.extend(onnx.load(source).metadata_props)
    onnx.save(model, target)


class Calibration:
    """What ONNX Runtime reads the ranges from: one face at one resolution at a time.

    Args:
        faces: see :func:`quantise`.
        pixel_spec: the network's input format.
        name: of the network's input.
    """

    def __init__(self, faces: list[Image], pixel_spec: PixelSpec, name: str) -> None:
        self._name = name
        self._inputs = self._shown(faces, pixel_spec)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next input, ``(1, 3, H, W)`` by name; None after the last."""
        images = next(self._inputs, None)
        return None if images is None else {self._name: images}

    @staticmethod
    def _shown(faces: list[Image], pixel_spec: PixelSpec) -> Iterator[NDArray[np.float32]]:
        for face in faces:
            for resolution in RESOLUTIONS:
                yield pixel_spec.normalise(at_resolution([face], resolution)).numpy()


def _half(source: Path) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(onnx.load(source), keep_io_types=True)


def _int8(source: Path, faces: list[Image], pixel_spec: PixelSpec) -> Any:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory(dir=source.parent) as folder:
        prepared, quantised = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        quantize_static(
            str(prepared),
            str(quantised),
            Calibration(faces, pixel_spec, graph.input[0].name),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTISED_OPERATORS,
            nodes_to_exclude=_kept_exact(graph),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(quantised)


def _kept_exact(graph: onnx.GraphProto) -> list[str]:
    """Names of the first convolution and of those with groups, for instance depthwise ones."""
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    grouped = [node for node in convolutions if _groups(node) > 1]
    return [node.name for node in convolutions[:1] + grouped]


def _groups(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
