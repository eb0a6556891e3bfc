"""Verification on .bin files, against a slow computation that knows nothing of the library."""

import io
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets.bin_file import write_bin
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.embedded import EmbeddedFaces, verification_pairs
from lrfr_lightning.embedders import RawPixels, evaluate
from lrfr_lightning.protocols import BinVerification
from lrfr_lightning.utils.errors import DataError


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred pairs: ten folds of five genuine and five impostor ones, shuffled within."""
    faces = EmbeddedFaces(40, 3, "test")
    pairs = verification_pairs(40, 3, 5)
    order = np.random.default_rng(0).permutation(10)
    order = np.concatenate([10 * fold + order for fold in range(10)])
    images = [
        encode_jpeg(faces.image(int(i))) for k in order for i in (pairs.first[k], pairs.second[k])
    ]
    path = tmp_path_factory.mktemp("bin") / "agedb_30.bin"
    write_bin(path, images, pairs.same[order], protocol=2)
    return path


def slow_scores(path: Path, side: int) -> tuple[list[float], list[bool]]:
    images, same = pickle.loads(path.read_bytes())
    vectors = []
    for data in images:
        face = Image.open(io.BytesIO(data)).convert("RGB")
        if side < 112:
            face = face.resize((side, side), Image.BICUBIC).resize((112, 112), Image.BICUBIC)
        pixels = np.asarray(face, np.float64).ravel()
        vectors.append((pixels - pixels.mean()) / np.linalg.norm(pixels - pixels.mean()))
    return [float(vectors[2 * k] @ vectors[2 * k + 1]) for k in range(len(same))], same


def slow_accuracy(scores: list[float], same: list[bool]) -> float:
    """Ten tenths in order; every score and one above all is tried as threshold."""
    tenth, accuracies = len(same) // 10, []
    for fold in range(10):
        test = range(fold * tenth, (fold + 1) * tenth)
        train = [k for k in range(len(same)) if k not in test]
        ranked = sorted({scores[k] for k in train}, reverse=True)
        best, chosen = -1, 0.0
        cuts = [ranked[0] + 1, *((a + b) / 2 for a, b in pairwise(ranked)), ranked[-1]]
        for cut in cuts:
            right = sum((scores[k] >= cut) == same[k] for k in train)
            if right >= best:
                best, chosen = right, cut
        accuracies.append(sum((scores[k] >= chosen) == same[k] for k in test) / tenth)
    return sum(accuracies) / 10


def test_equals_a_slow_computation(path: Path) -> None:
    protocol = BinVerification(str(path), resolutions=(112, 14))
    results = evaluate(RawPixels(), protocol)
    for result, side in zip(results, (112, 14), strict=True):
        scores, same = slow_scores(path, side)
        assert result.metrics["accuracy"] == pytest.approx(slow_accuracy(scores, same), abs=1e-12)
        wins = [
            (a > b) + (a == b) / 2
            for a, x in zip(scores, same, strict=True) if x
            for b, y in zip(scores, same, strict=True) if not y
        ]  # fmt: skip
        assert result.metrics["auc"] == pytest.approx(sum(wins) / len(wins), abs=1e-9)
        assert result.protocol == "agedb_30"
        assert result.counts["pairs"] == 100


def test_tenths_as_the_field_has_them(tmp_path: Path) -> None:
    images = [encode_jpeg(np.full((8, 8, 3), k, np.uint8)) for k in range(46)]
    write_bin(tmp_path / "a.bin", images, np.arange(23) % 2 == 0)
    fold = BinVerification(str(tmp_path / "a.bin"), name="own").pairs.fold
    # the first ones take what does not divide, as in scikit-learn's KFold
    assert np.bincount(fold).tolist() == [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]
    assert (np.diff(fold) >= 0).all()


def test_all_genuine_first(path: Path, tmp_path: Path) -> None:
    images, same = pickle.loads(path.read_bytes())
    order = np.argsort(~np.asarray(same), kind="stable")
    sorted_images = [images[2 * k + side] for k in order for side in (0, 1)]
    write_bin(tmp_path / "a.bin", sorted_images, np.asarray(same)[order])
    protocol = BinVerification(str(tmp_path / "a.bin"), resolutions=(7,))
    with pytest.raises(DataError, match="hold only genuine or only impostor pairs; stratify them"):
        evaluate(RawPixels(), protocol)
    stratified = BinVerification(str(tmp_path / "a.bin"), stratified=True, resolutions=(7,))
    assert all(stratified.pairs.same[stratified.pairs.fold == k].sum() == 5 for k in range(10))
    assert evaluate(RawPixels(), stratified)[0].counts["folds"] == 10


def test_the_command_line_takes_a_file_or_a_folder_of_them(path: Path, tmp_path: Path) -> None:
    (tmp_path / "calfw.bin").write_bytes(path.read_bytes())
    (tmp_path / "agedb_30.bin").write_bytes(path.read_bytes())
    model = "lrfr_lightning.embedders.RawPixels"
    command = ["evaluate", "--models", f"[{{class_path: {model}}}]", "--protocol", "bin",
               "--resolutions", "14", "--output", str(tmp_path / "results.json")]  # fmt: skip
    one = main([*command, "--root", str(path)])
    assert [(r.protocol, r.resolution) for r in one] == [("agedb_30", 14)]
    two = main([*command, "--root", str(tmp_path)])
    assert [r.protocol for r in two] == ["agedb_30", "calfw"]
    assert two[0].metrics == pytest.approx(one[0].metrics, nan_ok=True)
    assert two[1].metrics == pytest.approx(one[0].metrics, nan_ok=True)
    (tmp_path / "none").mkdir()
    with pytest.raises(SystemExit, match=r"expected .bin verification sets in .*none"):
        main([*command, "--root", str(tmp_path / "none")])
