"""``lrfr export``: files that are their network and say what one has to know, or do not appear."""

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from small_network import BGR, SmallNet, small
from torch import Tensor

from lrfr_lightning.backbones import MobileFaceNet, load_weights
from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.embedders import ModuleEmbedder, OnnxEmbedder, ProgramEmbedder, open_model
from lrfr_lightning.export import Parity, describe_model, export_model
from lrfr_lightning.export.faces import check_faces
from lrfr_lightning.transforms import PixelSpec
from lrfr_lightning.utils.errors import ConfigError, DataError

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2", "safetensors": ".safetensors"}


def export(folder: Path, form: str, output: str, *more: str) -> list[Parity]:
    """Run the command on the small network's weights."""
    described = {"class_path": "small_network.SmallNet", "init_args": {"pixel_spec": BGR}}
    network = json.dumps(described)
    found: list[Parity] = main(
        ["export", "--model", f"{folder}/small.safetensors", "--backbone", network, "--format",
         form, "--output", f"{folder}/{output}", "--check_images", f"{folder}/faces", *more]
    )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, faces, thresholds, and the network in every format."""
    folder = tmp_path_factory.mktemp("exports")
    save_file(small().state_dict(), folder / "small.safetensors")
    (folder / "thresholds.json").write_text('{"14": {"far=0.001": 0.4}}')
    faces = EmbeddedFaces(6, 1, "test", cache=False)
    for number in range(len(faces)):
        path = folder / "faces" / f"person{number}" / "1.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(faces.image(number)).save(path)
    for form, suffix in SUFFIXES.items():
        more = ["--thresholds", f"{folder}/thresholds.json", "--trained_resolutions", "112", "14"]
        found = export(folder, form, f"{form}{suffix}", *more)
        assert [parity.resolution for parity in found] == [112, 56, 28, 14, 7]
        assert min(parity.smallest for parity in found) > 0.999999
    return folder


def images(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, 112, 112), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("form", SUFFIXES)
def test_each_file_is_the_network(folder: Path, form: str) -> None:
    network = ModuleEmbedder(small(), "small")
    for model in (again := open_model(f"{folder}/{form}{SUFFIXES[form]}"), copied(again)):
        assert (model.name, model.pixel_spec) == (form, PixelSpec(**BGR))
        for count in (1, 3):
            embedding = model.embed(images(count))
            assert (embedding.dtype, embedding.shape) == (torch.float32, (count, 16))
            assert torch.cosine_similarity(embedding, network.embed(images(count))).min() > 0.99999
        facts = model.metadata
        assert facts is not None
        assert (facts.name, facts.embedding_dim) == ("small", 16)
        assert facts.fingerprint == network.fingerprint()
        assert facts.trained_resolutions == [112, 14]
        assert facts.thresholds == {"14": {"far=0.001": 0.4}}


def test_the_documented_use_without_this_library(folder: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
    source = page.rpartition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {"face": images(1)[0].permute(1, 2, 0).numpy()}
    exec(source.replace("faces.onnx", f"{folder}/onnx.onnx"), names)
    expected = OnnxEmbedder(f"{folder}/onnx.onnx").embed(images(1)).numpy()
    assert np.allclose(names["embedding"], expected, atol=1e-5)
    assert names["model"]["thresholds"] == {"14": {"far=0.001": 0.4}}


def copied(model: Any) -> Any:
    """The model as another process gets it."""
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("precision", ["int8", "fp16"])
def test_quantised_files_are_close_and_take_any_batch(folder: Path, precision: str) -> None:
    found = export(folder, "onnx", f"{precision}.onnx", "--quantise", precision)
    assert 0.99 < min(parity.smallest for parity in found) < 1 - 1e-9
    model = OnnxEmbedder(f"{folder}/{precision}.onnx")
    assert model.embed(images(3)).shape == (3, 16)
    assert model.metadata is not None
    assert model.metadata.quantisation == precision
    kinds = {tensor.data_type for tensor in onnx.load(model.path).graph.initializer}
    assert {"int8": onnx.TensorProto.INT8, "fp16": onnx.TensorProto.FLOAT16}[precision] in kinds


class Traced(SmallNet):
    """Another network when it is traced than when it runs."""

    def forward(self, images: Tensor) -> Tensor:
        embedding = super().forward(images)
        return embedding + embedding.roll(1, 1) if torch.compiler.is_exporting() else embedding


def test_a_file_that_is_not_its_network_does_not_appear(tmp_path: Path) -> None:
    model = ModuleEmbedder(Traced(), "traced")
    facts = describe_model(model.backbone, "traced")
    (tmp_path / "old.pt2").write_text("stays")
    with pytest.raises(DataError, match=r"is not its network: .* at 112 px, expected at least 0.9"):
        export_model(model, tmp_path / "old.pt2", "torch", facts, check_faces(None, 2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["old.pt2"]
    assert (tmp_path / "old.pt2").read_text() == "stays"


@pytest.mark.parametrize(
    ("form", "output", "more", "message"),
    [
        ("onnx", "m.pt2", [], "expected the suffix .onnx of format onnx"),
        ("torch", "m.pt2", ["--quantise", "int8"], "int8 is for ONNX files; leave it out"),
        ("folder", "m", ["--quantise", "fp16"], "--quantise fp16 is for --format onnx"),
        ("onnx", "m.onnx", ["--hub", "me/m"], "--hub pushes a folder; give --format folder"),
        ("onnx", "m.onnx", ["--check_images", "{}/none"], "check images not found"),
        (
            "onnx",
            "m.onnx",
            ["--check_images", "{}/small"],
            "an aligned face of 112x112 px, got 9x8",
        ),
        ("onnx", "m.onnx", ["--thresholds", "{}/nan.json"], "NaN is no threshold"),
        ("folder", "faces", [], "expected a new or empty folder"),
    ],
)
def test_bad_options(folder: Path, form: str, output: str, more: list[str], message: str) -> None:
    (folder / "small").mkdir(exist_ok=True)
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(folder / "small" / "1.png")
    (folder / "nan.json").write_text('{"14": NaN}')
    with pytest.raises(SystemExit, match=f"lrfr export: .*{message}"):
        export(folder, form, output, *(text.format(folder) for text in more))
    assert not (folder / output).is_file()


def test_an_exported_file_is_not_exported_again(folder: Path) -> None:
    with pytest.raises(SystemExit, match="is an exported file already"):
        main(["export", "--model", f"{folder}/onnx.onnx", "--format", "torch", "--output", "m.pt2"])


def test_a_program_with_pickled_parts_is_refused(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pt2"
    for change in ("use_pickle", "object"):
        with zipfile.ZipFile(folder / "torch.pt2") as good, zipfile.ZipFile(bad, "w") as archive:
            for name in good.namelist():
                content = good.read(name)
                if change == "use_pickle":
                    content = content.replace(b'"use_pickle": false', b'"use_pickle": true')
                archive.writestr(name, content)
            if change == "object":
                top = good.namelist()[0].partition("/")[0]
                archive.writestr(f"{top}/data/constants/opaque_obj_0", pickle.dumps(print))
        with pytest.raises(DataError, match="has pickled parts .* which could run code"):
            ProgramEmbedder(str(bad))


@pytest.mark.parametrize("content", [b"text", b"PK\x03\x04"])
def test_damaged_programs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.pt2").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as an exported program"):
        ProgramEmbedder(str(tmp_path / "m.pt2"))


def test_safetensors_build_only_networks_that_are_loaded(tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    (tmp_path / "never_imported.py").write_text("raise SystemExit('imported')")
    for described in (
        {"class_path": "never_imported.Net", "init_args": {}},
        {"class_path": "os.system", "init_args": {"command": "true"}},
        {"class_path": "small_network.SmallNet", "init_args": {"x": {"class_path": "os.system"}}},
    ):
        save_file({"a": torch.zeros(1)}, own, {"lrfr.network": json.dumps(described)})
        with pytest.raises(DataError, match="names the network .* which is none of"):
            open_model(str(own))


def test_open_model_says_what_it_needs(folder: Path, tmp_path: Path) -> None:
    weights = f"{folder}/small.safetensors"
    described = "{class_path: small_network.SmallNet, init_args: {embedding_dim: 16}}"
    assert open_model(weights, described).embed(images(1)).shape == (1, 16)
    assert open_model(weights, small()).name == "small"
    (tmp_path / "m.txt").write_text("text")
    (tmp_path / "m.pth").write_text("text")
    for path, backbone, message in (
        (weights, None, "does not say which network its weights belong to"),
        (f"{folder}/onnx.onnx", "IResNet", "leave out the backbone"),
        (f"{tmp_path}/m.txt", None, "expected a model as .ckpt, .onnx, .pt2"),
        (f"{tmp_path}/m.pth", None, "holds weights alone; give the backbone"),
    ):
        with pytest.raises(ConfigError, match=message):
            open_model(path, backbone)
    with pytest.raises(ConfigError, match="computes in its own precision, not in bf16"):
        open_model(f"{folder}/torch.pt2", precision="bf16")
    for path in (f"{tmp_path}/none.onnx", str(tmp_path)):
        with pytest.raises(DataError, match="not found"):
            open_model(path)
    with pytest.raises(DataError, match="cannot rebuild its backbone NoSuchNet"):
        open_model(weights, "NoSuchNet")


@pytest.mark.real
def test_the_pretrained_recogniser_on_real_faces(lrfr_data: Path, tmp_path: Path) -> None:
    backbone = MobileFaceNet()
    load_weights(backbone, lrfr_data / "weights" / "mobilefacenet-casia.safetensors")
    model = ModuleEmbedder(backbone, "m")
    faces = check_faces(str(lrfr_data / "lfw-112" / "images"), 6)
    facts = describe_model(backbone, "m")
    for form, suffix in (("torch", ".pt2"), ("safetensors", ".safetensors")):
        found = export_model(model, tmp_path / f"m{suffix}", form, facts, faces)  # type: ignore[arg-type]
        assert min(parity.smallest for parity in found) >= 0.9999
    # the float32 file before is held to 0.9999 too
    facts = describe_model(backbone, "m", quantisation="int8")
    found = export_model(model, tmp_path / "int8.onnx", "onnx", facts, faces)
    assert 0.95 < min(parity.smallest for parity in found) < 0.9999
    sizes = [(tmp_path / name).stat().st_size for name in ("int8.onnx", "m.safetensors")]
    assert sizes[0] < 0.45 * sizes[1]
