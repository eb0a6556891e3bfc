"""LFW's lists and layout."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_lightning.datasets import EmbeddedFaces, LFWPeople
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.datasets.lfw import read_pairs
from lrfr_lightning.protocols import LFWVerification
from lrfr_lightning.protocols.named import named_protocol
from lrfr_lightning.utils.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty embedded people in LFW's layout, with two images each."""
    folder = tmp_path_factory.mktemp("lfw")
    write_lfw_layout(EmbeddedFaces(20, 2, "test"), folder, verification_pairs(20, 2, 2))
    return folder


def test_reads_its_own_layout(root: Path) -> None:
    protocol, pairs = LFWVerification(str(root)), verification_pairs(20, 2, 2)
    assert protocol.name == "lfw"
    assert np.array_equal(protocol.pairs.same, pairs.same)
    assert np.array_equal(protocol.pairs.fold, pairs.fold)
    # people by number, one number per name
    names = [protocol.images.name(i).split("/")[0] for i in protocol.pairs.second]
    assert len(set(names)) == len(set(protocol.pairs.people[:, 1]))
    assert len(set(zip(names, protocol.pairs.people[:, 1], strict=True))) == len(set(names))
    # every image of the list once
    used = np.unique(np.r_[protocol.pairs.first, protocol.pairs.second])
    assert np.array_equal(used, np.arange(len(protocol.images)))
    names = [EmbeddedFaces(20, 2, "test").identities[i // 2] for i in pairs.first]
    assert [protocol.images.describe(i).split("/")[-2] for i in protocol.pairs.first] == names


def test_a_list_without_folds_gets_ten_stratified_ones(root: Path) -> None:
    lines = (root / "pairs.txt").read_text().splitlines()[1:]
    genuine = [line for line in lines if line.count("\t") == 2]
    impostor = [line for line in lines if line.count("\t") == 3]
    text = "\n".join([str(len(genuine)), *genuine, *impostor]) + "\n"
    (root / "pairsDevTest.txt").write_text(text)
    protocol = LFWVerification(str(root), "pairsDevTest.txt")
    assert protocol.name == "lfw-devtest"
    for fold in range(10):
        assert protocol.pairs.same[protocol.pairs.fold == fold].tolist() == [True] * 2 + [False] * 2


def test_xqlfw_is_lfw_with_its_own_list(root: Path, tmp_path: Path) -> None:
    (tmp_path / "images").symlink_to(root / "images")
    (tmp_path / "xqlfw_pairs.txt").write_text((root / "pairs.txt").read_text())
    protocol = named_protocol("xqlfw", str(tmp_path))
    assert (protocol.name, protocol.resolutions) == ("xqlfw", [112])
    assert protocol.pairs.same.sum() == 20


def test_missing_images_are_counted_and_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "images").symlink_to(root / "images")
    lines = ["8"] + [f"Nobody_Known\t{i}\t{i + 1}" for i in range(1, 9)]
    lines += [f"Nobody_Known\t{i}\tElse_One\t1" for i in range(1, 9)]
    (tmp_path / "pairs.txt").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"10 of 10 listed images are missing .*0001.* 5 more"):
        LFWVerification(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a first line"),
        ("two\tfolds\n", "expected a first line"),
        ("1\nA\t1\t2\n", "promises 2 pairs, got 1"),
        ("1\nA\t1\t2\nA\t1\tB\n", r"line 3: expected 'name<TAB>i<TAB>j' or .* got 'A<TAB>1<TAB>B'"),
    ],
)
def test_malformed_lists(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_pairs(tmp_path / "pairs.txt")


def test_missing_root_and_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="LFW root not found: expected it at"):
        LFWVerification(str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="no protocol 'ijb'; expected one of lfw, "):
        named_protocol("ijb", "anywhere")


def test_unset_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LRFR_DATA", raising=False)
    with pytest.raises(ConfigError, match="environment variable LRFR_DATA, which is not set"):
        LFWVerification("${LRFR_DATA}/lfw-112")


@pytest.mark.real
def test_published_counts(lrfr_data: Path) -> None:
    lfw = str(lrfr_data / "lfw-112")
    view2, devtest = LFWVerification(lfw), LFWVerification(lfw, "pairsDevTest.txt")
    assert np.bincount(view2.pairs.fold).tolist() == [600] * 10
    assert all(view2.pairs.same[view2.pairs.fold == k].sum() == 300 for k in range(10))
    assert len(devtest.pairs) == 1000
    train = LFWPeople(lfw)
    assert (len(train), train.num_classes) == (9525, 4038)
    twice, four = LFWPeople(lfw, min_images=2), LFWPeople(lfw, min_images=4)
    assert (len(twice), twice.num_classes) == (6671, 1184)
    assert (len(four), four.num_classes) == (4964, 430)
    tested = {devtest.images.describe(i).split("/")[-2] for i in range(len(devtest.images))}
    assert not tested & set(train.identities)
