"""Faces by byte range, from a folder that stands for a bucket."""

import pickle
from typing import Any

import pytest
import torch
from drawn_faces import DrawnFaces

from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.streamed import StreamedFaces, write_streamed
from lrfr_lightning.utils.errors import ConfigError, DataError

pytest.importorskip("litdata")


@pytest.fixture
def stored(tmp_path: Any) -> Any:
    drawn = DrawnFaces(["eve", "bob", "ann"], side=112)
    write_streamed(drawn, tmp_path / "set", images_per_chunk=4)
    return drawn, tmp_path / "set"


def test_reads_what_was_written_in_any_order(stored: Any) -> None:
    drawn, folder = stored
    faces = StreamedFaces(str(folder))
    assert faces.labels.tolist() == drawn.labels.tolist()
    assert faces.identities == ["eve", "bob", "ann"]
    assert len(list((folder / "images").glob("chunk*"))) == 2
    for index in (5, 0, 3, -1):
        assert faces.encoded(index) == encode_jpeg(drawn.image(index))
    assert len({faces.encoded(i) for i in range(6)}) == 6
    assert pickle.loads(pickle.dumps(faces)).encoded(4) == faces.encoded(4)


def test_workers_see_the_data_module_s_own_order(stored: Any) -> None:
    faces = StreamedFaces(str(stored[1]))
    assert len(faces.encoded(0)) > 500  # the training process has its client open

    def epoch(workers: int) -> list[Any]:
        return list(FaceDataModule(faces, None, (), 2, workers, seed=3).train_dataloader())

    alone, two = epoch(0), epoch(2)
    assert sorted(torch.cat([b["index"] for b in two]).tolist()) == list(range(6))
    for first, second in zip(alone, two, strict=True):
        assert torch.equal(first["index"], second["index"])
        assert torch.equal(first["image"], second["image"])


def test_what_is_missing_is_named(tmp_path: Any) -> None:
    with pytest.raises(DataError, match="nothing/labels"):
        StreamedFaces(str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match="images_per_chunk: expected 1 or more, got 0"):
        write_streamed(DrawnFaces(["a"]), tmp_path / "out", images_per_chunk=0)
