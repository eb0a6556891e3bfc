"""The images of the input benchmark, and a RecordIO of very many records."""

import os
from pathlib import Path

import numpy as np

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.encoded import EncodedFaces


class FacesInMemory(EncodedFaces):
    """JPEGs held as bytes."""

    def __init__(self, images: list[bytes]) -> None:
        self.images = images
        self.labels = np.arange(len(images))
        self.identities = [str(label) for label in self.labels]

    def encoded(self, index: int) -> bytes:
        """The JPEG."""
        return self.images[index]

    def describe(self, index: int) -> str:
        """Its number."""
        return f"image {index} in memory"


def jpegs(count: int) -> tuple[list[bytes], str]:
    """JPEGs of 112x112 px, and what they are: LFW's where LRFR_DATA has them, or embedded faces."""
    folder = Path(os.environ.get("LRFR_DATA", "")) / "lfw-112" / "images"
    files = sorted(folder.rglob("*.jpg"))[:count]
    if len(files) == count:
        return [file.read_bytes() for file in files], "LFW"
    faces = EmbeddedFaces(identities=max(2, count // 4), images_per_identity=4)
    return [encode_jpeg(faces.image(i % len(faces))) for i in range(count)], "embedded faces"


def many_records(folder: Path, count: int) -> None:
    """A RecordIO of ``count`` records of 36 bytes, 20 an identity, made without a Python loop."""
    fields = [("magic", "<u4"), ("length", "<u4"), ("flag", "<u4"), ("label", "<f4")]
    records = np.zeros(count, [*fields, ("ids", "<u8", 2), ("image", "<u4")])
    records["magic"], records["length"] = 0xCED7230A, 28
    records["label"] = np.arange(count) // 20
    records.tofile(folder / "train.rec")
    table = np.stack([np.arange(count), np.arange(count) * 36], 1)
    np.savetxt(folder / "train.idx", table, "%d\t%d")
