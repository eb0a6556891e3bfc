"""Every reader of a file that a stranger may have made."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from fuzz import seeds
from fuzz.seeds import Files
from lrfr_lightning.cli.study import _parser as study_parser
from lrfr_lightning.cli.yaml_files import bound_yaml, read_yaml
from lrfr_lightning.datasets.bin_file import BinImages
from lrfr_lightning.datasets.codec import decode_image, decode_into
from lrfr_lightning.datasets.ijb import read_faces, read_pairs, read_search
from lrfr_lightning.datasets.image_list import check_listed, read_list
from lrfr_lightning.datasets.lfw import read_pairs as read_lfw_pairs
from lrfr_lightning.datasets.lfw import read_people
from lrfr_lightning.datasets.mat_lists import mat_names, mat_numbers
from lrfr_lightning.datasets.parquet import ParquetFaces
from lrfr_lightning.datasets.recordio import RecordIO
from lrfr_lightning.datasets.streamed import _check_index
from lrfr_lightning.embedders.metadata import read_metadata, read_pixel_spec
from lrfr_lightning.embedders.onnx_file import OnnxEmbedder
from lrfr_lightning.embedders.safetensors_file import _known
from lrfr_lightning.embedders.store import EmbeddingStore
from lrfr_lightning.protocols.outcomes import read_outcomes
from lrfr_lightning.protocols.result import read_results
from lrfr_lightning.recognition.gallery import Gallery
from lrfr_lightning.recognition.thresholds import Thresholds
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.reading import parse_json
from lrfr_lightning.utils.rebuild import read_checkpoint


@dataclass(frozen=True)
class Parser:
    """A reader.

    Attributes:
        seeds: makes good files, in an empty folder.
        read: reads files in a folder, as far as a user of the library would; where some are
            refused, the others are read all the same.
    """

    seeds: Callable[[Path], list[Files]]
    read: Callable[[Path], Any]


def _all(*readers: Callable[[], Any]) -> None:
    """Run all; the first refusal is raised in the end."""
    refused: list[DataError] = []
    for reader in readers:
        try:
            reader()
        except DataError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def _recordio(folder: Path) -> None:
    faces = RecordIO(folder)
    for index in range(len(faces)):
        faces.image(index)


def _parquet(folder: Path) -> None:
    faces = ParquetFaces(folder / "a.parquet")
    for index in range(min(len(faces), 100)):
        faces.encoded(index)


def _bin(folder: Path) -> None:
    images = BinImages(folder / "a.bin")
    images.image(0)


def _mat(folder: Path) -> None:
    path = folder / "a.mat"
    _all(
        lambda: mat_names(path, "names", 2),
        lambda: mat_names(path, "one"),
        lambda: mat_numbers(path, "ids"),
    )


def _lists(folder: Path) -> None:
    paths, _ = read_list(folder / "list.txt")
    _all(
        lambda: read_lfw_pairs(folder / "pairs.txt"),
        lambda: read_people(folder / "people.txt"),
        lambda: check_listed(folder, paths),
    )


def _ijb(folder: Path) -> None:
    root = str(folder)
    _all(
        lambda: read_faces(root, "ijbc"),
        lambda: read_pairs(root, "ijbc"),
        lambda: read_search(root, "ijbc", "probe_mixed"),
    )


def _yaml(folder: Path) -> None:
    path = str(folder / "a.yaml")
    read_yaml(path, "study")
    _study.parse_args(["--config", path])


def _results(folder: Path) -> None:
    for result in read_results(folder / "a.json"):
        if result.outcomes:
            read_outcomes(result.outcomes)


def _thresholds(folder: Path) -> None:
    found = Thresholds.load(folder / "a.json")
    for table in (found.search, found.pairs):
        if table is not None:
            table.rate(0.3, 14, 14)


def _gallery(folder: Path) -> None:
    found = Gallery.load(folder / "a.gallery")
    assert len(found.templates) == len(found)


def _header(folder: Path) -> None:
    text = (folder / "header.json").read_bytes().decode(errors="replace")
    rows = np.eye(2, 4, dtype=np.float32)
    save_file({"embeddings": rows}, folder / "a.gallery", {"lrfr.gallery": text})
    _gallery(folder)


def _image(folder: Path) -> None:
    data = (folder / "a.jpg").read_bytes()
    decode_into(data, np.zeros((18, 16, 3), np.uint8))
    decode_image(data, "a.jpg")


def _metadata(folder: Path) -> None:
    texts = {"lrfr.model": "", "lrfr.pixel_spec": ""}
    for path in folder.glob("*.json"):
        text = path.read_bytes().decode(errors="replace")
        texts = _texts(text) if path.name == "a.json" else dict.fromkeys(texts, text)
    _all(
        lambda: read_metadata(texts, "a"),
        lambda: read_pixel_spec(texts, "a"),
        lambda: _known(texts.get("lrfr.network", ""), Path("a")),
    )


def _texts(text: str) -> dict[str, str]:
    """As a library hands them over: texts by key."""
    try:
        found = parse_json(text)
        return {key: str(value) for key, value in found.items()}
    except (AttributeError, ValueError, RecursionError):
        raise DataError("no header") from None


def _onnx(folder: Path) -> None:
    OnnxEmbedder(str(folder / "a.onnx"))


def _checkpoint(folder: Path) -> None:
    read_checkpoint(folder / "a.ckpt")


def _store(folder: Path) -> None:
    data = (folder / "a.npy").read_bytes()
    kept = folder / f"{hashlib.sha256(data).hexdigest()}.npy"
    (folder / "a.npy").rename(kept)
    try:
        if bytes(32) in (store := EmbeddingStore(folder)):
            assert store[bytes(32)].ndim == 1
    finally:
        kept.unlink()


def _index(folder: Path) -> None:
    _check_index(folder / "index.json", "a")


bound_yaml()
_study = study_parser()

PARSERS = {
    "recordio": Parser(seeds.recordio, _recordio),
    "bin": Parser(seeds.bins, _bin),
    "mat": Parser(seeds.mats, _mat),
    "lists": Parser(seeds.lists, _lists),
    "ijb lists": Parser(seeds.ijb_lists, _ijb),
    "yaml": Parser(seeds.yamls, _yaml),
    "results": Parser(seeds.results, _results),
    "thresholds": Parser(seeds.thresholds, _thresholds),
    "gallery": Parser(seeds.galleries, _gallery),
    "gallery header": Parser(seeds.headers, _header),
    "image": Parser(seeds.images, _image),
    "parquet": Parser(seeds.parquet, _parquet),
    "onnx": Parser(seeds.onnx_files, _onnx),
    "metadata": Parser(seeds.metadata, _metadata),
    "checkpoint": Parser(seeds.checkpoints, _checkpoint),
    "cache": Parser(seeds.stores, _store),
    "stream index": Parser(seeds.indexes, _index),
}
"""By name; the corpus has a folder for each."""
