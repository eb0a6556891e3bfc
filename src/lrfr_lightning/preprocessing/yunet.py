"""YuNet, a detector of today. Needs the extra ``detect``."""

import warnings
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from lrfr_lightning.functional.image import Image
from lrfr_lightning.preprocessing.detector import Detection, Detector
from lrfr_lightning.utils.errors import ConfigError

_LEAST_SIDE = 32


class YuNet(Detector):
    """One small network without anchors, as the package yuface (3-clause BSD) brings it.

    Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", MIR 2023. Landmarks are whole px.

    Args:
        threshold: least score, 0..1.

    Raises:
        ConfigError: the threshold lies outside its range, or the extra is not installed.
    """

    name = "yunet"
    longest_side = 960

    def __init__(self, threshold: float = 0.5) -> None:
        if not 0 < threshold < 1:
            raise ConfigError(f"YuNet.threshold: expected one within 0..1, got {threshold}")
        if find_spec("yuface") is None:
            raise ConfigError("YuNet needs yuface: pip install 'lrfr_lightning[detect]'")
        self.threshold = threshold

    def detect(self, image: Image) -> list[Detection]:
        """All faces in uint8 ``(H, W, 3)`` RGB, best first."""
        height, width = image.shape[:2]
        beyond = ((0, max(0, _LEAST_SIDE - height)), (0, max(0, _LEAST_SIDE - width)), (0, 0))
        bgr = np.ascontiguousarray(np.pad(image, beyond)[..., ::-1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of images above 960 px; the aligner minds the size
            scores, boxes, landmarks = self._network(bgr, self.threshold)
        found = [
            Detection(
                (float(left), float(top), float(left) + float(width), float(top) + float(height)),
                float(score) / 100,
                np.asarray(points, np.float32).reshape(5, 2),
            )
            for score, (left, top, width, height), points in zip(
                scores, boxes, landmarks, strict=True
            )
        ]
        return sorted(found, key=lambda detection: -detection.score)

    def settings(self) -> dict[str, Any]:
        """Version of the package and threshold."""
        return {"weights": f"yuface {version('yuface')}", "threshold": self.threshold}

    @cached_property
    def _network(self) -> Any:
        import yuface

        return yuface.detect
