"""Small good files of every kind, from which damaged ones are made."""

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from scipy.io import savemat

from lrfr_lightning.datasets.base import FaceDataset, Image
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.parquet import write_parquet
from lrfr_lightning.datasets.recordio import write_recordio
from lrfr_lightning.embedders.metadata import ModelMetadata, metadata_texts
from lrfr_lightning.embedders.store import EmbeddingStore
from lrfr_lightning.protocols.outcomes import Outcomes
from lrfr_lightning.protocols.result import ProtocolResult, write_results
from lrfr_lightning.recognition.gallery import Enrolled, Gallery
from lrfr_lightning.recognition.thresholds import RateTable, Thresholds
from lrfr_lightning.transforms.pixel_spec import PixelSpec

Files = dict[str, bytes]
"""Content by path below a folder."""

_PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)


class Drawn(FaceDataset):
    """Six images of three people."""

    def __init__(self) -> None:
        self.labels = np.repeat(np.arange(3), 2)
        self.identities = ["ann", "bob", "eve"]

    def image(self, index: int) -> Image:
        """Image ``index``, 8x8 px."""
        pixels: Image = _PIXELS[index]
        return pixels

    def describe(self, index: int) -> str:
        """Its number."""
        return f"drawn face {index}"


def taken(folder: Path) -> Files:
    """All files of a folder, which is emptied."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    return found


def recordio(folder: Path) -> list[Files]:
    """The three files of InsightFace."""
    write_recordio(Drawn(), folder / "set")
    return [taken(folder / "set")]


def parquet(folder: Path) -> list[Files]:
    """Our own form, and one of the Hub with a dictionary."""
    import pyarrow
    import pyarrow.parquet

    write_parquet(Drawn(), folder / "set", row_group=4)
    images = [{"bytes": encode_jpeg(pixels), "path": None} for pixels in _PIXELS]
    table = pyarrow.table({"image": images, "label": [0, 0, 1, 1, 2, 2]})
    pyarrow.parquet.write_table(table, folder / "hub.parquet", compression="zstd")
    found = taken(folder)
    return [{"a.parquet": data} for data in found.values()]


def bins(folder: Path) -> list[Files]:
    """Pickles of bytes and of arrays, of several protocols."""
    images = [encode_jpeg(pixels) for pixels in _PIXELS[:4]]
    arrays = [np.frombuffer(image, np.uint8) for image in images]
    protocols = [(images, 0), (images, 2), (images, 4), (arrays, 2), (arrays, 5)]
    return [{"a.bin": pickle.dumps((own, [True, False]), protocol)} for own, protocol in protocols]


def mats(folder: Path) -> list[Files]:
    """Names and numbers, compressed and not."""
    names = np.asarray([["1_a.jpg", "1_b.jpg"], ["2_a.jpg", "3_a.jpg"]], object)
    content = {"names": names, "one": names[:, :1], "ids": np.asarray([[1.0], [2.0]])}
    found = []
    for compressed in (False, False, True):  # damage to what is compressed seldom gets far
        savemat(folder / "a.mat", content, do_compression=compressed)
        found.append(taken(folder))
    return found


def lists(folder: Path) -> list[Files]:
    """LFW's lists, a list of images."""
    pairs = b"A_B\t1\t2\nA_B\t1\t3\nA_B\t1\tC_D\t2\nC\t1\tD\t2\n"
    return [
        {
            "pairs.txt": b"2\t2\n" + pairs * 2,
            "people.txt": b"2\n2\nA_B\t3\nC_D\t2\n1\nE\t1\n",
            "list.txt": b"a/1.jpg\t0\na/2.jpg 1\nb c/3.jpg\tBob\n",
            **dict.fromkeys(("a/1.jpg", "a/2.jpg", "b c/3.jpg"), b""),
        }
    ]


def ijb_lists(folder: Path) -> list[Files]:
    """The lists of faces, pairs and templates."""
    points = "".join(f"{i}.jpg {' '.join(map(str, range(10)))} 0.9\n" for i in (1, 2, 3))
    return [
        {
            "meta/ijbc_face_tid_mid.txt": b"1.jpg 1 1\n2.jpg 1 2\n3.jpg 2 3\n",
            "meta/ijbc_name_5pts_score.txt": points.encode(),
            "meta/ijbc_template_pair_label.txt": b"1 2 0\n1 1 1\n",
            "meta/ijbc_1N_probe_mixed.csv": b"TEMPLATE_ID,SUBJECT_ID,FILENAME\n1,7,a\n2,8,b\n",
            **{f"loose_crop/{i}.jpg": b"" for i in (1, 2, 3)},
        }
    ]


def yamls(folder: Path) -> list[Files]:
    """A study."""
    text = """
recipes:
  one: &one {config: a.yaml, options: [--trainer.max_steps=3]}
  two: *one
options: ["--data.batch_size=8"]
evaluation: e.yaml
seeds: [0, 1]
close: 1.5
output: runs
"""
    return [{"a.yaml": text.encode()}]


def results(folder: Path) -> list[Files]:
    """Two results with everything that one may hold."""
    people = np.asarray([[1, 1], [1, 2]], np.int32)
    outcomes = Outcomes("verification", "ab", "accuracy", np.asarray([True, False]), people)
    shared: dict[str, Any] = {"down": "bicubic", "up": "bicubic", "flip": False}
    result = ProtocolResult(
        **shared,
        model="m",
        protocol="lfw",
        setting="standard",
        resolution=14,
        degraded="both",
        metrics={"accuracy": 0.9, "eer": None},
        counts={"pairs": 2, "people": 2},
        thresholds={"accuracy": 0.3},
        curves={"far": [0.1, 1.0], "tar": [0.5, 1.0]},
        intervals={"accuracy": [0.8, 1.0]},
        outcomes=outcomes.to_json(),
        threshold_rule="best",
    )
    write_results(folder / "a.json", [result], {"batch_size": 64})
    return [taken(folder)]


def thresholds(folder: Path) -> list[Files]:
    """A table for pairs, and none for searches."""
    limits = [[[0.1, 0.3], [0.2, 0.5]], [[0.3, 0.5], [0.6, 0.7]]]
    interval = np.zeros((2, 2, 2)).tolist()
    table = RateTable((7, 28), (7, 28), (0.1, 0.001), 0.001, limits, interval, 5)  # type: ignore[arg-type]
    Thresholds("m", "f", False, "faces", 5, None, table).save(folder / "a.json")
    return [taken(folder)]


def galleries(folder: Path) -> list[Files]:
    """Two people."""
    images = (Enrolled("ann", "ann/1.jpg", 112, "d"), Enrolled("bob", "bob/1.jpg", 14, "e"))
    rows = np.eye(2, 4, dtype=np.float32)
    Gallery("m", "f", PixelSpec(), False, images, rows).save(folder / "a.gallery")
    return [taken(folder)]


def headers(folder: Path) -> list[Files]:
    """The text in a gallery, which is damaged apart from the numbers around it."""
    (files,) = galleries(folder)
    data = files["a.gallery"]
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return [{"header.json": header["__metadata__"]["lrfr.gallery"].encode()}]


def images(folder: Path) -> list[Files]:
    """JPEG, PNG, BMP, WebP."""
    face = cv2.GaussianBlur(_PIXELS[0].repeat(3, 0).repeat(2, 1), (0, 0), 2)
    suffixes = (".jpg", ".png", ".bmp", ".webp", ".gif")
    made = [bytes(cv2.imencode(suffix, face)[1]) for suffix in suffixes]
    grey = bytes(cv2.imencode(".jpg", face[..., 0])[1])
    return [{"a.jpg": data} for data in (*made, grey)]


def metadata(folder: Path) -> list[Files]:
    """What an exported file says of its model."""
    made = ModelMetadata("m", 4, "f", "0.1", [112], {"lfw": {"14": {"accuracy": 0.9}}}, {"a": 0.3})
    texts = metadata_texts(PixelSpec(), made)
    network = {"class_path": "lrfr_lightning.backbones.iresnet.IResNet", "init_args": {"depth": 18}}
    return [{"a.json": json.dumps(texts | {"lrfr.network": json.dumps(network)}).encode()}] + [
        {"model.json": text.encode()} for text in texts.values()
    ]


def onnx_files(folder: Path) -> list[Files]:
    """A network of one layer."""
    from onnx import TensorProto, helper

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["B", 3, 8, 8])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["B", 192])
    node = helper.make_node("Flatten", ["image"], ["embedding"])
    model = helper.make_model(
        helper.make_graph([node], "g", [image], [embedding]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    metadata = ModelMetadata("m", 192, "f", "0.1")
    helper.set_model_props(model, metadata_texts(PixelSpec((8, 8)), metadata))
    return [{"a.onnx": model.SerializeToString()}]


def checkpoints(folder: Path) -> list[Files]:
    """Tensors and plain data."""
    described = {"class_path": "lrfr_lightning.backbones.IResNet", "init_args": {"depth": 18}}
    content = {"state_dict": {"backbone.a": torch.ones(2)}, "hyper_parameters": {"b": described}}
    torch.save(content, folder / "a.ckpt")
    return [taken(folder)]


def stores(folder: Path) -> list[Files]:
    """Kept embeddings."""
    store = EmbeddingStore(folder)
    store.add([bytes(32), b"a" * 32], np.eye(2, 4, dtype=np.float32))
    store.flush()
    return [{"a.npy": data} for data in taken(folder).values()]


def indexes(folder: Path) -> list[Files]:
    """The index of chunks in object storage."""
    config = {"compression": None, "data_format": ["bytes"], "encryption": None}
    chunks = [{"chunk_bytes": 32, "chunk_size": 2, "dim": None, "filename": "chunk-0-0.bin"}]
    return [{"index.json": json.dumps({"chunks": chunks, "config": config}).encode()}]
