"""``lrfr evaluate``: named protocols under controls, with floors and the matrix."""

from pathlib import Path
from typing import Any

import pytest

from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.protocols import ProtocolResult, read_results

CONTROLS = ["none", "grey", "inner", "grey-inner", "no-cast"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty embedded people in LFW's layout, with two images each."""
    folder = tmp_path_factory.mktemp("lfw")
    write_lfw_layout(EmbeddedFaces(20, 2, "test"), folder, verification_pairs(20, 2, 2))
    return folder


def evaluate(root: Path, *options: str) -> list[ProtocolResult]:
    command = ["evaluate", "--floors", "--protocol", "lfw", "--root", str(root), "--accelerator"]
    results: list[ProtocolResult] = main([*command, "cpu", *options])
    assert [r.metrics["auc"] for r in read_results("results.json")] == [
        r.metrics["auc"] for r in results
    ]
    return results


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_controls_floors_and_matrix(root: Path) -> None:
    results = evaluate(root, "--controls", *CONTROLS, "--matrix", "--resolutions", "112", "14")
    assert {r.model for r in results} == {"raw-pixels", "mean-colour"}
    own = [r for r in results if r.model == "raw-pixels"]
    single = [(r.control, r.resolution) for r in own if r.degraded == "both"]
    assert single == [(control, px) for control in CONTROLS for px in (112, 14)]
    matrix = [r for r in own if r.degraded == "matrix"]
    assert [(r.resolution, r.gallery_resolution) for r in matrix] == [
        (112, 112), (112, 14), (14, 112), (14, 14)
    ]  # fmt: skip
    assert {r.control for r in matrix} == {"none"}
    # what was asked for is what was done: the diagonal of the matrix is the plain measurement
    for name in ("accuracy", "auc", "eer"):
        assert matrix[3].metrics[name] == own[1].metrics[name]
    assert len({r.metrics["auc"] for r in own if r.resolution == 14}) > 3


def test_flip_and_native_images(root: Path) -> None:
    results = evaluate(root, "--flip", "--resolutions", "native", "28")
    assert {r.flip for r in results} == {True}
    assert [r.resolution for r in results[:2]] == [None, 28]


def test_without_options_protocols_keep_their_own_settings(root: Path) -> None:
    assert [r.resolution for r in evaluate(root)[:5]] == [112, 56, 28, 14, 7]


def test_floors_do_not_stand_twice(root: Path) -> None:
    Path("own.yaml").write_text("models: [{class_path: lrfr_lightning.embedders.RawPixels}]")
    results = evaluate(root, "--config", "own.yaml", "--resolutions", "14")
    assert [r.model for r in results] == ["raw-pixels", "mean-colour"]


@pytest.mark.parametrize(("option", "value"), [("--controls", "gray"), ("--intervals", "-5")])
def test_values_that_do_not_exist(root: Path, capsys: Any, option: str, value: str) -> None:
    with pytest.raises(SystemExit):
        evaluate(root, option, value)
    assert value in capsys.readouterr().err


def test_details_on_request(root: Path) -> None:
    (full, *_), (quick, *_) = (
        evaluate(root, "--resolutions", "14", *options)
        for options in ([], ["--intervals", "0", "--examples", "0"])
    )
    assert full.intervals
    assert len(full.examples) == 8
    assert not quick.intervals
    assert not quick.examples
