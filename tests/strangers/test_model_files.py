"""Models, galleries, results and settings that a stranger made."""

import hashlib
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from full_results import full_results
from lrfr_lightning.cli.main import main
from lrfr_lightning.embedders import CheckpointEmbedder
from lrfr_lightning.embedders.metadata import ModelMetadata, read_metadata, read_pixel_spec
from lrfr_lightning.embedders.program_file import METADATA_PART, ProgramEmbedder
from lrfr_lightning.embedders.safetensors_file import SafetensorsEmbedder
from lrfr_lightning.embedders.store import EmbeddingStore
from lrfr_lightning.protocols.outcomes import read_outcomes
from lrfr_lightning.protocols.result import read_results, write_results
from lrfr_lightning.recognition import Gallery, Thresholds
from lrfr_lightning.recognition.thresholds import RateTable
from lrfr_lightning.reports.report import write_report
from lrfr_lightning.transforms import PixelSpec
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.rebuild import read_checkpoint

DEEP = "[" * 100_000
WILD: list[Any] = [[[1]], "\ud800", 10**400]


def gallery_file(path: Path, text: str) -> Path:
    save_file({"embeddings": np.ones((1, 4), np.float32)}, path, {"lrfr.gallery": text})
    return path


def header(**changes: Any) -> dict[str, Any]:
    spec = asdict(PixelSpec())
    made = {"format": 1, "model": "m", "fingerprint": "f", "pixel_spec": spec, "flip": False}
    return made | {"images": [["a", "a/1.jpg", 112, "d"]]} | changes


@pytest.mark.parametrize("name", ["results", "thresholds", "gallery", "model", "pixels"])
def test_json_of_any_depth_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(DEEP)
    readers: dict[str, Callable[[], Any]] = {
        "results": lambda: read_results(path),
        "thresholds": lambda: Thresholds.load(path),
        "gallery": lambda: Gallery.load(gallery_file(tmp_path / "g", DEEP)),
        "model": lambda: read_metadata({"lrfr.model": DEEP}, "a.onnx"),
        "pixels": lambda: read_pixel_spec({"lrfr.pixel_spec": DEEP}, "a.onnx"),
    }
    with pytest.raises(DataError, match="nested too deeply"):
        readers[name]()


@pytest.mark.parametrize("wrong", WILD, ids=["nested", "half a character", "huge"])
def test_every_field_of_a_gallery_has_its_type(tmp_path: Path, wrong: Any) -> None:
    good = header()
    assert Gallery.load(gallery_file(tmp_path / "g", json.dumps(good))).people == ["a"]
    row, spec = good["images"][0], good["pixel_spec"]
    changed = [good | {key: wrong} for key in good]
    changed += [header(images=[[*row[:i], wrong, *row[i + 1 :]]]) for i in range(4)]
    changed += [header(pixel_spec=spec | {key: wrong}) for key in spec]
    for one in changed:
        with pytest.raises(DataError, match="expected a gallery as lrfr enroll writes it"):
            Gallery.load(gallery_file(tmp_path / "g", json.dumps(one)))


@pytest.mark.parametrize("wrong", WILD, ids=["nested", "half a character", "huge"])
def test_every_field_of_a_result_has_its_type(tmp_path: Path, wrong: Any) -> None:
    path = tmp_path / "a.json"
    write_results(path, full_results()[:1])
    good = json.loads(path.read_text())
    changed = [good["results"][0] | {key: wrong} for key in good["results"][0]]
    for one in [*changed, wrong, None, "x"]:
        path.write_text(json.dumps(good | {"results": [one]}))
        with pytest.raises(DataError, match=r"results\[0\] is not a result"):
            read_results(path)


@pytest.mark.parametrize("wrong", WILD, ids=["nested", "half a character", "huge"])
def test_every_field_of_thresholds_has_its_type(tmp_path: Path, wrong: Any) -> None:
    limits = [[[0.1, 0.3], [0.2, 0.5]], [[0.3, 0.5], [0.6, 0.7]]]
    interval = np.zeros((2, 2, 2)).tolist()
    table = RateTable((7, 28), (7, 28), (0.1, 0.001), 0.001, limits, interval, 5)  # type: ignore[arg-type]
    path = tmp_path / "t.json"
    Thresholds("m", "f", False, "faces", 5, None, table).save(path)
    good = json.loads(path.read_text())
    huge = [[[0.1, 10**400], [0.2, 0.5]], [[0.3, 0.5], [0.6, 0.7]]]
    pairs = [good["pairs"] | {key: wrong} for key in good["pairs"]]
    pairs += [good["pairs"] | {"threshold": huge}]
    for one in [good | {"pairs": own} for own in pairs] + [good | {key: wrong} for key in good]:
        path.write_text(json.dumps(one))
        with pytest.raises(DataError, match="expected thresholds as lrfr calibrate writes them"):
            Thresholds.load(path)


@pytest.mark.parametrize(
    "spec",
    [
        {"size": [10**9, 10**9], "fit": "resize"},
        {"mean": [1, 2]},
        {"channel_order": "GBR"},
        {"fit": "stretch"},
        {"size": [1.5, 2]},
        {"std": ["a", "b", "c"]},
    ],
)
def test_an_input_format_that_is_none(spec: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="are no PixelSpec"):
        read_pixel_spec({"lrfr.pixel_spec": json.dumps(spec)}, "a.onnx")


@pytest.mark.parametrize("change", [{"name": 3}, {"embedding_dim": "4"}, {"measured": []}])
def test_metadata_of_other_types(change: dict[str, Any]) -> None:
    good = asdict(ModelMetadata("m", 4, "f", "0.1"))
    with pytest.raises(DataError, match="'lrfr.model' are malformed"):
        read_metadata({"lrfr.model": json.dumps(good | change)}, "a.onnx")


def test_outcomes_unpack_no_more_than_they_have_bits_for() -> None:
    import zlib

    bomb = b64encode(zlib.compress(bytes(2**26), 9)).decode()
    content = {"kind": "verification", "items": "a", "metric": "accuracy", "correct": "gA=="}
    for count in (2**23, float("inf")):
        with pytest.raises(DataError, match="expected one bit for each of|cannot be read"):
            read_outcomes(content | {"count": count, "people": bomb})


def test_kept_embeddings_of_another_type_are_passed_over(tmp_path: Path) -> None:
    for rows in (np.zeros(3), np.zeros(3, [("key", "u1", 32)]), np.zeros((2, 2), np.float32)):
        np.save(tmp_path / "a.npy", rows)
        digest = hashlib.sha256((tmp_path / "a.npy").read_bytes()).hexdigest()
        (tmp_path / "a.npy").rename(tmp_path / f"{digest}.npy")
    with pytest.warns(UserWarning, match="are damaged and passed over") as said:
        assert bytes(32) not in EmbeddingStore(tmp_path)
    assert len(said) == 3


@pytest.mark.parametrize("content", [b"", b"x", b"PK\3\4", b"\x80\2}.", b"\x80\2c__main__\nx\n."])
def test_a_checkpoint_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(DataError, match="expected a training checkpoint"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_a_network_behind_an_escape_is_found(tmp_path: Path) -> None:
    """YAML reads a class_path in what JSON holds as a text without one."""
    hidden = '{"class_p\\u0061th": "subprocess.Popen", "init_args": {"args": "true"}}'
    described = {
        "class_path": "lrfr_lightning.backbones.iresnet.IResNet",
        "init_args": {"depth": hidden, "pixel_spec": hidden},
    }
    path = tmp_path / "model.safetensors"
    save_file({"a": np.ones(1)}, path, {"lrfr.network": json.dumps(described)})
    with pytest.raises(DataError, match="model.safetensors"):
        SafetensorsEmbedder(str(path))
    for name in (["a"], {"a": 1}, 3):
        described["class_path"] = name  # type: ignore[assignment]
        save_file({"a": np.ones(1)}, path, {"lrfr.network": json.dumps(described)})
        with pytest.raises(DataError, match="which is none of"):
            SafetensorsEmbedder(str(path))


def test_a_text_of_a_program_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"a/{METADATA_PART}", b" " * (2**26 + 1))
    assert path.stat().st_size < 2**18
    with pytest.raises(DataError, match="claims 67108865 bytes, expected at most 67108864"):
        ProgramEmbedder(str(path))


def test_onnx_files_without_an_input_or_with_metadata_that_are_no_text(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    from lrfr_lightning.embedders.onnx_file import OnnxEmbedder

    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 2])
    value = helper.make_tensor("v", TensorProto.FLOAT, [1, 2], [0.0, 1.0])
    node = helper.make_node("Constant", [], ["out"], value=value)
    graph = helper.make_graph([node], "g", [], [out])
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(DataError, match=r"expected one input \(B, 3, 112, 112\)"):
        OnnxEmbedder(str(tmp_path / "a.onnx"), PixelSpec())
    helper.set_model_props(model, {"lrfr.pixel_spec": "MARK"})
    (tmp_path / "b.onnx").write_bytes(
        model.SerializeToString().replace(b"MARK", b"\xff\xfe\xfd\xfc")
    )
    with pytest.raises(DataError, match="b.onnx"):
        OnnxEmbedder(str(tmp_path / "b.onnx"))


LAUGHS = "recipes:\n a0: &a0 {config: x}\n" + "".join(
    f" a{i}: &a{i} {{a: *a{i - 1}, b: *a{i - 1}, c: *a{i - 1}}}\n" for i in range(1, 25)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "more than 100000 entries"),
        (MERGED, "more than 100000 entries"),
        ("recipes: " + "[" * 200 + "]" * 200, "nested more than 60 deep"),
        ("recipes: " + "[" * 100_000, "nesting"),
        ("recipes: &a [*a]", "entries that hold themselves"),
        ("recipes: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
    ],
)
@pytest.mark.parametrize("command", ["study", "evaluate", "fit"])
def test_yaml_bombs(tmp_path: Path, text: str, message: str, command: str, capsys: Any) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(SystemExit) as ended:
        main([command, "--config", str(path)])
    assert message in f"{ended.value} {capsys.readouterr().err}"


NAME = '--></title></style><script>alert("1")</script>\'"><img src=x onerror=alert(1)>'


def everywhere(value: Any, key: str = "") -> Any:
    """The same data with a hostile text before every text and key but those that are looked up."""
    if isinstance(value, dict):
        fixed = {"curves", "outcomes", "results", "people", "versions", "config"}
        named = key in ("metrics", "counts", "thresholds", "intervals", "versions", "config")
        return {
            (NAME + name if named else name): (
                entry if name in ("curves", "outcomes", "people") else everywhere(entry, name)
            )
            for name, entry in value.items()
            if name not in fixed or entry
        }
    if isinstance(value, list):
        return [everywhere(entry, key) for entry in value]
    kept = key in ("setting", "degraded", "kind", "threshold_rule") or key.endswith("_png")
    return NAME + value if isinstance(value, str) and not kept else value


def test_no_text_of_a_results_file_is_markup(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_results(path, full_results(), {"note": "a", "deep": {"list": ["b"]}})
    content = everywhere(json.loads(path.read_text()))
    content["results"] = [entry | {"control": "none"} for entry in content["results"][:1]]
    path.write_text(json.dumps(content))
    html = write_report(path, tmp_path / "report").html.read_text(encoding="utf-8")
    assert html.count("&lt;script&gt;") > 20
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "</title></style>" not in html


def test_a_description_that_multiplies(tmp_path: Path) -> None:
    tree: list[Any] = []
    for _ in range(40):
        tree = [tree, tree]
    loop: list[Any] = []
    loop.append(loop)
    for arguments, message in ((tree, "more than 100000 entries"), (loop, "hold themselves")):
        described = {
            "class_path": "lrfr_lightning.backbones.IResNet",
            "init_args": {"a": arguments},
        }
        torch.save({"hyper_parameters": {"backbone": described}}, tmp_path / "a.ckpt")
        with pytest.raises(DataError, match=f"cannot rebuild its backbone: .*{message}"):
            CheckpointEmbedder(str(tmp_path / "a.ckpt"))


def test_weights_that_are_no_tensors(tmp_path: Path) -> None:
    described = {
        "class_path": "torch.nn.Linear",
        "init_args": {"in_features": 1, "out_features": 1},
    }
    torch.save({"hyper_parameters": {"backbone": described}, "state_dict": []}, tmp_path / "a.ckpt")
    with pytest.raises(DataError, match="cannot rebuild its backbone"):
        CheckpointEmbedder(str(tmp_path / "a.ckpt"))
    assert issubclass(ConfigError, ValueError)
