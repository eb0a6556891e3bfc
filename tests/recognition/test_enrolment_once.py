"""Each photograph is looked through for its face once."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.embedders import RawPixels
from lrfr_lightning.preprocessing import Alignment
from lrfr_lightning.recognition import Recogniser, enrol
from lrfr_lightning.utils.errors import DataError


class Whole:
    """Takes a corner for the face, and counts."""

    calls = 0

    def __call__(self, image: np.ndarray) -> Alignment:
        self.calls += 1
        if image.shape[1] == 130:
            return Alignment(None, "failed", "no face found")
        return Alignment(np.ascontiguousarray(image[:112, :112]), "whole", "no face found")


class Known(RawPixels):
    def fingerprint(self) -> str:
        return "raw"


def photograph(path: Path, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(width).integers(0, 256, (120, width, 3), np.uint8)
    path.write_bytes(encode_jpeg(pixels))


def test_each_photograph_is_aligned_once_and_a_failure_is_named(tmp_path: Path) -> None:
    for width in (150, 151, 152):
        photograph(tmp_path / f"person{width}" / "frame.jpg", width)
    aligner = Whole()
    recogniser = Recogniser(Known(), aligner=aligner)  # type: ignore[arg-type]
    gallery = enrol(recogniser, tmp_path)
    assert (len(gallery), aligner.calls) == (3, 3)
    assert np.allclose(np.linalg.norm(gallery.embeddings, axis=1), 1)
    assert not np.allclose(gallery.embeddings[0], gallery.embeddings[1])
    photograph(tmp_path / "person130" / "empty.jpg", 130)
    with pytest.raises(DataError, match=r"1 of 4 images cannot be enrolled:\n.*no face found"):
        enrol(recogniser, tmp_path)
