"""The input benchmark runs, and compares like with like."""

import numpy as np
import pytest
import torch
from benchmarks.input import measure
from benchmarks.input_files import jpegs
from benchmarks.input_memory import growth
from benchmarks.input_peers import decoders, timm_loader, usual_way


def test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    # test_memory_stays_flat runs it
    monkeypatch.setattr("benchmarks.input.growth", lambda batches, workers: (100.0, 101.0))
    rows = measure(quick=True)
    names = [row.name for row in rows]
    assert "input: uint8 batch, half degraded" in names
    assert "decode Pillow" in names
    assert "open a RecordIO of 20,000 records" in names
    for row in rows:
        assert row.seconds is None or row.seconds > 0
        assert (row.target != "") == (row.met is not None)
    assert {row.peer.split(",")[0] for row in rows if row.ratio_to_peer} == {
        "Pillow + torchvision transforms",
        "timm's loader",
    }


def test_decoders_give_the_same_pixels() -> None:
    images, _ = jpegs(4)
    made = {name: decode() for name, decode in decoders(images).items()}
    made.pop("simplejpeg into the batch")
    made["torchvision"] = [image.permute(1, 2, 0).numpy() for image in made["torchvision"]]
    for pixels in made.values():
        assert np.array_equal(np.stack(pixels), np.stack(made["OpenCV"]))


def test_peers_make_normalised_batches() -> None:
    images, _ = jpegs(8)
    for loader in (usual_way(images, 4), timm_loader(images, 4)):
        image, label = next(iter(loader))
        assert image.shape == (4, 3, 112, 112)
        assert image.dtype == torch.float32
        assert -1 <= image.min() < 0 < image.max() <= 1
        assert len(label) == 4


def test_memory_stays_flat() -> None:
    first, last = growth(200, workers=2)
    assert 0 < last <= 1.05 * first
