"""A model as an ONNX file is the model it was."""

import json
import pickle
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.embedders import ModuleEmbedder, OnnxEmbedder, evaluate
from lrfr_lightning.export import export_onnx
from lrfr_lightning.protocols import EmbeddedVerification
from lrfr_lightning.transforms import PixelSpec
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.onnx_parts import check_parts


def tiny() -> IResNet:
    torch.manual_seed(0)
    return IResNet(depth=18, embedding_dim=16, width=4, dropout=0.4)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network, exported while in training mode."""
    file = tmp_path_factory.mktemp("onnx") / "deep" / "tiny.onnx"
    backbone = tiny().train()
    export_onnx(backbone, file)
    assert backbone.training
    assert [entry.name for entry in file.parent.iterdir()] == ["tiny.onnx"]
    return file


def cosines(one: Tensor, other: Tensor) -> np.ndarray:
    return torch.nn.functional.cosine_similarity(one.double(), other.double()).numpy()


def changed(path: Path, target: Path, batch: int | None = None, spec: str | None = None) -> str:
    """The file with a fixed batch size, or other metadata."""
    model = onnx.load(path)
    if batch:
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = batch
    del model.metadata_props[:]
    if spec is not None:
        model.metadata_props.add(key="lrfr.pixel_spec", value=spec)
    onnx.save(model, target)
    return str(target)


def test_same_embeddings_for_any_batch(path: Path) -> None:
    own, exported = ModuleEmbedder(tiny(), "tiny"), OnnxEmbedder(str(path))
    assert (exported.name, exported.pixel_spec) == ("tiny", own.pixel_spec)
    for size in (1, 2, 5):
        images = torch.randint(0, 256, (size, 3, 112, 112), dtype=torch.uint8)
        embedding = exported.embed(images)
        assert embedding.dtype == torch.float32
        assert embedding.shape == (size, 16)
        assert cosines(embedding, own.embed(images)).min() > 0.999999


def test_a_fixed_batch_is_filled_up(path: Path, tmp_path: Path) -> None:
    fixed = changed(path, tmp_path / "fixed.onnx", batch=4)
    images = torch.randint(0, 256, (6, 3, 112, 112), dtype=torch.uint8)
    embedding = OnnxEmbedder(fixed, PixelSpec()).embed(images)
    assert cosines(embedding, OnnxEmbedder(str(path)).embed(images)).min() > 0.999999


def test_the_same_results_and_a_copy_for_another_process(path: Path) -> None:
    protocol = EmbeddedVerification(20, 2, 2, resolutions=(14,))
    exported = pickle.loads(pickle.dumps(OnnxEmbedder(str(path))))
    (one,) = evaluate(ModuleEmbedder(tiny(), "tiny"), protocol)
    (other,) = evaluate(exported, protocol)
    assert other.metrics == pytest.approx(one.metrics, nan_ok=True)


def test_pixels_are_declared(path: Path, tmp_path: Path) -> None:
    silent = changed(path, tmp_path / "silent.onnx")
    with pytest.raises(ConfigError, match="does not say how its pixels are normalised"):
        OnnxEmbedder(silent)
    spec = PixelSpec(channel_order="BGR")
    images = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)
    swapped = OnnxEmbedder(silent, spec).embed(images)
    assert torch.equal(swapped, OnnxEmbedder(silent, PixelSpec()).embed(images.flip(1)))
    other = OnnxEmbedder(silent, PixelSpec())
    assert OnnxEmbedder(silent, spec).fingerprint() != other.fingerprint()
    for text in ("{", json.dumps({"side": 3}), "[1]"):
        with pytest.raises(DataError, match="'lrfr.pixel_spec' are no PixelSpec"):
            OnnxEmbedder(changed(path, tmp_path / "bad.onnx", spec=text))


def test_bad_files_and_settings(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ONNX model not found"):
        OnnxEmbedder(str(tmp_path / "none.onnx"))
    (tmp_path / "text.onnx").write_text("text")
    with pytest.raises(DataError, match="text.onnx cannot be read as an ONNX model"):
        OnnxEmbedder(str(tmp_path / "text.onnx"))
    with pytest.raises(ConfigError, match="ONNX Runtime has no NoProvider here, only .*CPU"):
        OnnxEmbedder(str(path), providers=["NoProvider"])
    with pytest.raises(DataError, match=r"one input \(B, 3, 96, 96\) .* got images"):
        OnnxEmbedder(str(path), PixelSpec(size=(96, 96)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x3a\xff\xff\xff\xff\x0f", "a part of it claims more bytes than the file has"),
        (b"\x08\x08\x0b", "a part of it claims more bytes"),  # a group
        (b"\x08\x08\x39\x00", "a part of it claims more bytes"),  # 8 bytes, of which there is one
        (b"\x08\x08\x3a", "it ends within a number"),
        (b"\x08" + b"\xff" * 10, "a number in it has no end"),
        (b"\x08\x08" * 100_001, "it has more than 100,000 parts"),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_room_is_made(
    content: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("was asked"))
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(DataError, match=f"a.onnx cannot be read as an ONNX model .{reason}"):
        OnnxEmbedder(str(tmp_path / "a.onnx"))


def test_the_parts_of_a_model_fit_and_those_of_one_cut_short_do_not(
    path: Path, tmp_path: Path
) -> None:
    check_parts(path)
    (tmp_path / "cut.onnx").write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="claims more bytes|ends within"):
        check_parts(tmp_path / "cut.onnx")
