"""The embedded faces as one of InsightFace's ``.bin`` verification sets."""

from pathlib import Path

import numpy as np

from lrfr_lightning.datasets.bin_file import write_bin
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.datasets.pairs import VerificationPairs


def write_bin_layout(dataset: EmbeddedFaces, root: str | Path, pairs: VerificationPairs) -> None:
    """Write ``embedded.bin`` below ``root``: the images of all pairs as JPEG, and the flags."""
    shown = np.stack([pairs.first, pairs.second], axis=1).ravel()
    encoded = {int(index): encode_jpeg(dataset.image(int(index))) for index in np.unique(shown)}
    images = [encoded[int(index)] for index in shown]
    write_bin(Path(root) / "embedded.bin", images, pairs.same)
