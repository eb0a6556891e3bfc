"""``lrfr reproduce``: the same numbers again, or what is different and what may be why."""

import json
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.cli.command import told
from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.embedders import RawPixels, evaluate
from lrfr_lightning.protocols import EmbeddedVerification, provenance

RESULTS = Path(__file__).parents[2] / "experiments" / "results"
TINY = {"depth": 18, "embedding_dim": 16, "width": 4}
CONFIG = {
    "weights": "w.safetensors",
    "backbone": {"class_path": "lrfr_lightning.backbones.IResNet", "init_args": TINY},
    "protocol": ["lfw"],
    "root": "lfw",
    "resolutions": [112, 14],
    "floors": True,
}


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A tiny network and the floors on forty pairs: the content of their results file."""
    monkeypatch.chdir(tmp_path)
    write_lfw_layout(EmbeddedFaces(20, 2, "test"), "lfw", verification_pairs(20, 2, 2))
    weights(0)
    Path("evaluate.yaml").write_text(yaml.safe_dump(CONFIG))
    main(["evaluate", "--config", "evaluate.yaml", "--examples", "1", "--output", "a.json"])
    content: dict[str, Any] = json.loads(Path("a.json").read_text())
    return content


def weights(seed: int) -> None:
    torch.manual_seed(seed)
    save_file(IResNet(**TINY).state_dict(), "w.safetensors")


def test_a_result_says_where_it_comes_from_and_is_made_again(
    measured: dict[str, Any], capsys: Any
) -> None:
    assert measured["command"] == ["evaluate", "--config", "evaluate.yaml", "--examples", "1"]
    assert measured["config"]["resolutions"] == [112, 14]
    assert {"torch", "numpy", "opencv-python-headless", "pillow"} <= measured["versions"].keys()
    assert measured["machine"].keys() == {"system", "cpu", "threads"}
    assert measured["commits"]["working_folder"] is None
    assert measured["seed"] == 0
    capsys.readouterr()
    assert main(["reproduce", "a.json"]) == []
    assert "equal, all 42 metrics to the last bit" in capsys.readouterr().out
    assert Path("a.again.json").read_bytes() == Path("a.json").read_bytes()


def other_number(content: dict[str, Any]) -> None:
    content["results"][0]["metrics"]["auc"] += 0.25
    Path("a.json").write_text(json.dumps(content))


def other_image(content: dict[str, Any]) -> None:
    first = min(Path("lfw/images").glob("*/*.jpg"))
    first.write_bytes(encode_jpeg(EmbeddedFaces(20, 2, "test").image(3)))


def other_weights(content: dict[str, Any]) -> None:
    weights(1)


def other_options(content: dict[str, Any]) -> None:
    Path("evaluate.yaml").write_text(yaml.safe_dump(CONFIG | {"resolutions": [112]}))


def other_versions(content: dict[str, Any]) -> None:
    content["versions"]["torch"] = "1.0"
    other_number(content)


@pytest.mark.parametrize(
    ("change", "says", "silent"),
    [
        (other_number, ["w on lfw at 112 px: auc", "-0.25"], ["not as it was"]),
        (other_image, ["images lfw", "raw-pixels on lfw at 112 px: auc"], ["model w"]),
        (other_weights, ["model w", "w on lfw at 112 px: auc"], ["images lfw", "raw-pixels on"]),
        (other_options, ["w on lfw at 14 px", "config.resolutions"], ["model w"]),
        (other_versions, ["versions.torch", "1.0", "auc"], []),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_differs_and_why(
    measured: dict[str, Any], capsys: Any, change: Callable[..., None], says: list[str],
    silent: list[str],
) -> None:  # fmt: skip
    change(measured)
    capsys.readouterr()
    with pytest.raises(SystemExit, match="^1$"):
        main(["reproduce", "a.json", "--output", "b.json"])
    said = capsys.readouterr().out.partition("lrfr evaluate")[2].partition("not as it was")
    compared = said[1] + said[2] or said[0].partition("results: b.json")[2]
    assert [text for text in says if text not in compared] == []
    assert [text for text in silent if text in compared] == []


def test_two_files_are_compared_without_a_run(tmp_path: Path, capsys: Any) -> None:
    """Also those from before files said where they come from."""
    for path in RESULTS.glob("*.json"):
        shutil.copy(path, tmp_path / "other.json")
        assert main(["reproduce", str(path), "--with", str(tmp_path / "other.json")]) == []
    assert "equal, all" in capsys.readouterr().out


def test_a_file_without_its_command(tmp_path: Path) -> None:
    content = json.loads((RESULTS / "quickstart.json").read_text())
    del content["command"]
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(SystemExit, match="does not say which of evaluate, trial, study wrote it"):
        main(["reproduce", str(tmp_path / "a.json"), "--output", str(tmp_path / "b.json")])


def test_the_fingerprint_is_of_what_the_network_saw() -> None:
    size = {"identities": 20, "images_per_identity": 2, "pairs_per_fold": 2}
    taken = [
        evaluate(RawPixels(), EmbeddedVerification(**size, **changed), batch)[0].data_fingerprint
        for changed, batch in (
            ({"resolutions": [14]}, 64),
            ({"resolutions": [14]}, 7),
            ({"resolutions": [15]}, 64),
            ({"resolutions": [14], "seed": 1}, 64),
            ({"resolutions": [14], "control": "grey"}, 64),
        )
    ]
    assert taken[0] == taken[1]
    assert len(set(taken)) == 4


def test_a_command_without_what_is_no_part_of_its_results() -> None:
    args = ["evaluate", "--output=a", "--checkpoint", "a", "b", "--num_workers", "2", "--flip"]
    assert told(args, ("output", "num_workers")) == [
        "evaluate", "--checkpoint", "a", "b", "--flip"
    ]  # fmt: skip


def test_a_package_under_another_name_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = provenance.version

    def version(name: str) -> str:
        if name == "opencv-python-headless":
            raise PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(provenance, "version", version)
    assert "opencv-python-headless" not in provenance.versions()
    assert "torch" in provenance.versions()
