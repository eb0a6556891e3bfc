"""Restorers from files of others, tiny ones made here."""

import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
import spandrel
import torch
from onnx import TensorProto, helper
from safetensors.torch import save_file
from spandrel.architectures.Compact import Compact
from torch import Tensor

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.preprocessing import OnnxRestorer, SpandrelRestorer
from lrfr_lightning.utils.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def faces() -> Tensor:
    """Three embedded faces of 112x112 px."""
    drawn = EmbeddedFaces(3, 1)
    return torch.from_numpy(np.stack([drawn.image(i) for i in range(3)])).permute(0, 3, 1, 2)


def write_onnx(
    path: Path, nodes: list[onnx.NodeProto], shape: list[int | str], output: list[int | str]
) -> str:
    """A file of the operators ``x`` → ``y``."""
    graph = helper.make_graph(
        nodes,
        "restorer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return str(path)


@pytest.fixture
def negative(tmp_path: Path) -> str:
    """A restorer of one face of 256x256 px at a time, which makes the negative of it."""
    shape: list[int | str] = [1, 3, 256, 256]
    return write_onnx(tmp_path / "neg.onnx", [helper.make_node("Neg", ["x"], ["y"])], shape, shape)


def test_onnx_pixels_are_minus_one_to_one(negative: str, faces: Tensor) -> None:
    restorer = OnnxRestorer(negative)
    restored = restorer.restore(faces)
    assert restorer.name == "neg"
    assert (restored.dtype, restored.shape) == (torch.float32, (3, 3, 112, 112))
    assert (restored - (255 - faces.float())).abs().mean() < 2  # twice resized


def test_onnx_small_faces_are_enlarged_first(negative: str, faces: Tensor) -> None:
    small = faces[:, :, ::8, ::8]
    restored = OnnxRestorer(negative, share=1.0).restore(small)
    assert restored.shape == (3, 3, 112, 112)
    assert (restored[:, :, 4::8, 4::8] - (255 - small.float())).abs().mean() < 15


def test_onnx_channels_are_rgb(tmp_path: Path, faces: Tensor) -> None:
    keep_red = np.zeros((3, 3, 1, 1), np.float32)
    keep_red[0, 0] = 1
    nodes = [
        helper.make_node("Constant", [], ["w"], value=onnx.numpy_helper.from_array(keep_red)),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    any_size: list[int | str] = ["batch", 3, "height", "width"]
    path = write_onnx(tmp_path / "red.onnx", nodes, any_size, any_size)
    with pytest.raises(ConfigError, match="takes faces of heightxwidth px and side is None"):
        OnnxRestorer(path)
    restored = OnnxRestorer(path, "red", side=128).restore(faces)
    assert (restored[:, 0] - faces[:, 0]).abs().mean() < 3
    assert (restored[:, 1:] - 127.5).abs().max() < 1e-3


def test_onnx_copies_and_fingerprints(negative: str, faces: Tensor) -> None:
    restorer = OnnxRestorer(negative)
    copy = pickle.loads(pickle.dumps(restorer))
    assert torch.equal(copy.restore(faces[:1]), restorer.restore(faces[:1]))
    assert copy.fingerprint() == restorer.fingerprint()
    assert OnnxRestorer(negative, share=1).fingerprint() != restorer.fingerprint()


def test_onnx_files_that_are_no_restorers(negative: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ONNX model not found"):
        OnnxRestorer(str(tmp_path / "none.onnx"))
    with pytest.raises(ConfigError, match="takes faces of 256x256 px and side is 512"):
        OnnxRestorer(negative, side=512)
    with pytest.raises(ConfigError, match="ONNX Runtime has no NoProvider here"):
        OnnxRestorer(negative, providers=["NoProvider"])
    grey = [helper.make_node("Neg", ["x"], ["y"])]
    path = write_onnx(tmp_path / "grey.onnx", grey, [1, 1, 64, 64], [1, 1, 64, 64])
    with pytest.raises(DataError, match=r"one input \(B, 3, S, S\) .* got x \[1, 1, 64, 64\]"):
        OnnxRestorer(path)
    mean = [helper.make_node("GlobalAveragePool", ["x"], ["p"]),
            helper.make_node("Flatten", ["p"], ["y"])]  # fmt: skip
    path = write_onnx(tmp_path / "mean.onnx", mean, [1, 3, 64, 64], [1, 3])
    with pytest.raises(DataError, match=r"expected restored faces \(B, 3, S, S\), got \(1, 3\)"):
        OnnxRestorer(path).restore(torch.zeros(1, 3, 112, 112))


@pytest.fixture
def compact() -> Compact:
    """A small network that spandrel knows and that doubles the size."""
    torch.manual_seed(0)
    return Compact(num_feat=8, num_conv=1, upscale=2).eval()


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_spandrel_restorer(compact: Compact, faces: Tensor, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"small.{suffix}"
    if suffix == "pth":
        torch.save({"params_ema": compact.state_dict()}, path)
    else:
        save_file(compact.state_dict(), path)
    restorer = SpandrelRestorer(str(path))
    restored = restorer.restore(faces)
    assert restorer.name == "small"
    assert (restored.dtype, restored.shape) == (torch.float32, (3, 3, 112, 112))
    with torch.inference_mode():
        larger = compact(faces / 255).clamp(0, 1) * 255
    expected = torch.nn.functional.interpolate(larger, (112, 112), mode="area")
    assert (restored - expected).abs().mean() < 3
    assert restorer.fingerprint() == SpandrelRestorer(str(path), "other").fingerprint()


def test_a_face_restorer_sees_the_frame_of_ffhq_and_the_same_noise(
    compact: Compact, faces: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GFPGAN draws noise in each pass; a file of it is too large to be made here."""
    seen = []

    def noisy(_: object, image: Tensor) -> Tensor:
        seen.append(image.shape)
        return image + 0.1 * torch.randn_like(image)

    torch.save(compact.state_dict(), tmp_path / "face.pth")
    monkeypatch.setattr(spandrel.ImageModelDescriptor, "purpose", "FaceSR")
    monkeypatch.setattr(spandrel.ImageModelDescriptor, "__call__", noisy)
    restorer = SpandrelRestorer(str(tmp_path / "face.pth"))
    state = torch.random.get_rng_state()
    assert torch.equal(restorer.restore(faces), restorer.restore(faces))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert seen == [(3, 3, 512, 512)] * 2


def test_spandrel_files_that_are_no_restorers(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(DataError, match="holds no network that spandrel knows"):
        SpandrelRestorer(str(tmp_path / "other.pth"))
    with pytest.raises(DataError, match="restorer weights not found"):
        SpandrelRestorer(str(tmp_path / "none.pth"))
    torch.save({"a": Path("a")}, tmp_path / "code.pth")
    with pytest.raises(DataError, match="holds more than tensors"):
        SpandrelRestorer(str(tmp_path / "code.pth"))
