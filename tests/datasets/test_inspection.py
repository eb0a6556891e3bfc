"""What a data set is, what is missing, damaged, and shared."""

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.convert import convert
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.datasets.inspection import check_data, recognise
from lrfr_lightning.datasets.inspection.look import near
from lrfr_lightning.utils.errors import DataError

FACES = EmbeddedFaces(20, 2, "test")
PAIRS = verification_pairs(20, 2, 2)


@pytest.fixture(scope="module")
def lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty embedded people in LFW's layout, with two images each."""
    folder = tmp_path_factory.mktemp("lfw")
    write_lfw_layout(FACES, folder, PAIRS)
    listed = "".join(f"{name}\t2\n" for name in FACES.identities)
    (folder / "people.txt").write_text(f"1\n20\n{listed}")
    (folder / "peopleDevTrain.txt").write_text("3\n" + listed.split("\n", 3)[0] + "\n")
    return folder


def copy(source: Path, target: Path) -> Path:
    """The same files by link: quick, and removing one leaves the source as it is."""
    for folder, _, names in os.walk(source):
        own = target / os.path.relpath(folder, source)
        own.mkdir(parents=True, exist_ok=True)
        for name in names:
            os.link(Path(folder) / name, own / name)
    return target


def test_missing_and_truncated_images_are_all_named(lfw: Path, tmp_path: Path, capsys: Any) -> None:
    root = copy(lfw, tmp_path / "copy")
    files = sorted((root / "images").rglob("*.jpg"))
    removed, truncated = files[::4], files[1:13:4]
    for path in removed:
        path.unlink()
    for path in truncated:
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data[: len(data) // 2])
    report = main(["data", "check", str(root), "--json", str(tmp_path / "a" / "report.json")])
    names = [str(path.relative_to(root / "images")) for path in removed]
    assert (len(removed), len(truncated)) == (10, 3)
    assert report.missing == names
    assert sorted(report.unreadable) == [str(p.relative_to(root / "images")) for p in truncated]
    assert report.found["images"] == 30
    shown = capsys.readouterr().out
    assert all(name in shown for name in [*names, *report.unreadable])
    assert "listed images that are missing: 10\n" in shown
    assert "unreadable images: 3\n" in shown
    assert "images: 30 of 13,233" in shown
    written = json.loads((tmp_path / "a" / "report.json").read_text())
    assert written["missing"] == names
    assert check_data(lfw).missing == []


def test_people_of_a_training_and_a_test_list(lfw: Path) -> None:
    report = check_data(lfw)
    who = sorted(FACES.identities[:1])
    assert report.shared_by_lists["peopleDevTrain.txt and pairs.txt"] == who
    assert report.absent == ["peopleDevTest.txt", "pairsDevTrain.txt", "pairsDevTest.txt"]
    assert report.sizes == {"112x112": 40}


def test_what_a_training_set_shares_with_it(lfw: Path, tmp_path: Path) -> None:
    person = tmp_path / "train" / FACES.identities[3].upper().replace("_", " ")
    person.mkdir(parents=True)
    (tmp_path / "train" / "0001").mkdir()
    source = sorted((lfw / "images" / FACES.identities[3]).iterdir())
    (person / "same.jpg").write_bytes(source[0].read_bytes())
    smaller = Image.open(source[1]).resize((96, 96))
    smaller.save(tmp_path / "train" / "0001" / "alike.jpg", quality=80)
    (person / "other.jpg").write_bytes(encode_jpeg(EmbeddedFaces(9, 1, "train").image(4)))
    shared = check_data(lfw, against=tmp_path / "train").against
    assert shared is not None
    assert shared.people == [FACES.identities[3]]
    assert [(Path(a).name, Path(b).name) for a, b in shared.same_files] == [
        (source[0].name, "same.jpg")
    ]
    assert [(Path(a).name, Path(b).name) for a, b in shared.near_duplicates] == [
        (source[1].name, "alike.jpg")
    ]


def test_near_is_the_slow_comparison() -> None:
    rng = np.random.default_rng(0)
    one = list(rng.random((30, 256)) < 0.5)
    other = [bits ^ (rng.random(256) < rate) for bits in one for rate in (0.02, 0.0625, 0.2)]
    slow = [(i, j) for i, a in enumerate(one) for j, b in enumerate(other) if (a != b).sum() <= 16]
    assert near(one, other) == slow
    assert 30 < len(slow) < 90
    assert near([], other) == []


def test_every_form_is_recognised(tmp_path: Path) -> None:
    size = ["--identities", "20", "--images_per_identity", "2", "--pairs_per_fold", "2"]
    main(["data", "embedded", str(tmp_path / "bin"), "--layout", "bin", *size])
    expected = {".bin verification set": tmp_path / "bin" / "embedded.bin"}
    for form, name in (
        ("folder", "folder per person"),
        ("recordio", "InsightFace RecordIO"),
        ("parquet", "Parquet"),
    ):
        convert(FACES, tmp_path / form, form)  # type: ignore[arg-type]
        expected[name] = tmp_path / form
    for name, path in expected.items():
        report = check_data(path)
        assert report.layout == name
        assert report.unreadable == {}
        assert report.sizes == {"112x112": 40}


@pytest.mark.parametrize(
    ("name", "there", "counted"),
    [
        ("QMUL-SurvFace", "Face_Identification_Test_Set/gallery", 60294),
        ("SCface", "surveillance_cameras_distance_1/cam_1", 910),
        ("TinyFace", "Testing_Set/Gallery_Match", 4443),
    ],
)
def test_benchmarks_against_their_published_counts(
    tmp_path: Path, name: str, there: str, counted: int
) -> None:
    (tmp_path / there).mkdir(parents=True)
    (tmp_path / there / "1.jpg").write_bytes(encode_jpeg(FACES.image(0)))
    report = check_data(tmp_path)
    assert report.layout == name
    label = "images in " + "/".join(part for part in there.split("/") if part != "cam_1")
    assert (report.found[label], report.published[label]) == (1, counted)
    assert len(report.absent) >= 3


def test_a_grid_of_what_is_there(lfw: Path, tmp_path: Path) -> None:
    check_data(lfw, grid=tmp_path / "new" / "grid.png")
    sheet = cv2.imread(str(tmp_path / "new" / "grid.png"))
    assert sheet.shape == (5 * 112, 8 * 112, 3)
    first = cv2.imread(str(min((lfw / "images").rglob("*.jpg"))))
    assert np.abs(sheet[:112, :112].astype(int) - first).max() < 8


def test_what_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has none of the layouts LFW, QMUL-SurvFace"):
        recognise(tmp_path)
    with pytest.raises(DataError, match="data set not found"):
        check_data(tmp_path / "none")


def test_a_wrong_second_path_is_told_before_an_image_is_decoded(
    lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrfr_lightning.datasets.inspection.check.look_at", pytest.fail)
    with pytest.raises(DataError, match="other data set not found"):
        check_data(lfw, against=tmp_path / "none")
    with pytest.raises(DataError, match="has none of the layouts"):
        check_data(lfw, against=tmp_path)


@pytest.mark.real
@pytest.mark.timeout(600)
def test_the_real_lfw(lrfr_data: Path, capsys: Any) -> None:
    report = main(["data", "check", str(lrfr_data / "lfw-112")])
    assert report.layout == "LFW"
    assert report.found == report.published
    assert (report.found["images"], report.found["people"]) == (13233, 5749)
    assert report.missing == report.absent == []
    assert report.unreadable == {}
    assert len(report.shared_by_lists["peopleDevTrain.txt and pairs.txt"]) == 2985
    assert report.shared_by_lists["peopleDevTrain.txt and pairsDevTest.txt"] == []
    assert "images: 13,233, as published" in capsys.readouterr().out


@pytest.mark.real
def test_a_damaged_copy_of_the_real_lfw(lrfr_data: Path, tmp_path: Path) -> None:
    source, root = lrfr_data / "lfw-112", tmp_path / "lfw-112"
    names = sorted(str(p.relative_to(source / "images")) for p in source.glob("images/*/*.jpg"))
    chosen = [names[k] for k in np.random.default_rng(0).permutation(len(names))[:13]]
    removed, truncated = sorted(chosen[:10]), sorted(chosen[10:])
    for path in source.rglob("*"):
        copied = root / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and "/".join(path.parts[-2:]) not in chosen:
            copied.symlink_to(path)
    for name in truncated:
        data = (source / "images" / name).read_bytes()
        (root / "images" / name).write_bytes(data[: len(data) * 2 // 3])
    report = check_data(root)
    assert report.missing == removed
    assert sorted(report.unreadable) == truncated
    assert (report.found["images"], report.published["images"]) == (13223, 13233)
