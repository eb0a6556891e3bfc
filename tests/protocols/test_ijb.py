"""IJB-C in its true layout, against slow computations from the files."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from slow_search import evaluate, length_one, ranks_of, rate, slow_precision, slow_tar

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.embedded import write_ijbc_layout
from lrfr_lightning.datasets.ijb import read_faces
from lrfr_lightning.protocols import IJBIdentification, IJBVerification
from lrfr_lightning.utils.errors import DataError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten people with a template of one face and one of three faces from two media."""
    folder = tmp_path_factory.mktemp("ijbc")
    write_ijbc_layout(EmbeddedFaces(10, 4, "test"), folder)
    # the one face of two people in the first gallery is the same
    shutil.copy(folder / "loose_crop" / "1.jpg", folder / "loose_crop" / "9.jpg")
    return folder


def slow_templates(root: Path, detector: bool, lengths: bool) -> dict[int, np.ndarray]:
    """Sum over media of the mean over a medium's faces, one face at a time."""
    media: dict[int, dict[int, list[np.ndarray]]] = {}
    points = (root / "meta" / "ijbc_name_5pts_score.txt").read_text().splitlines()
    lines = (root / "meta" / "ijbc_face_tid_mid.txt").read_text().splitlines()
    for line, point in zip(lines, points, strict=True):
        name, template, medium = line.split()
        crop = decode_image((root / "loose_crop" / name).read_bytes(), name)
        # the generator's landmarks are the template's, moved by the border of 24 px
        face = crop[24:136, 24:136].astype(np.float64).ravel()
        face = (face - face.mean()) / 128
        if not lengths:
            face = face / np.sqrt((face**2).sum())
        score = float(point.split()[-1]) if detector else 1.0
        media.setdefault(int(template), {}).setdefault(int(medium), []).append(score * face)
    return {
        template: length_one(sum(sum(own) / len(own) for own in parts.values()))
        for template, parts in media.items()
    }


@pytest.mark.parametrize(("detector", "lengths"), [(True, True), (False, False)])
def test_verification_equals_the_slow_computation(
    root: Path, tmp_path: Path, detector: bool, lengths: bool
) -> None:
    entry = {"protocol": "IJBVerification", "root": str(root)}
    (result,) = evaluate(tmp_path, entry | {"detector": detector, "lengths": lengths})
    templates = slow_templates(root, detector, lengths)
    scores, same = [], []
    for line in (root / "meta" / "ijbc_template_pair_label.txt").read_text().splitlines():
        one, other, label = map(int, line.split())
        # the same images tie, in whatever order their pixels are summed
        scores.append(round(templates[one] @ templates[other], 12))
        same.append(label == 1)
    assert result.metrics["auc"] == pytest.approx(roc_auc_score(same, scores))
    genuine = [s for s, kind in zip(scores, same, strict=True) if kind]
    impostor = [s for s, kind in zip(scores, same, strict=True) if not kind]
    slow = slow_tar(genuine, impostor, 0.1)
    assert result.metrics["tar@far=0.1"] == pytest.approx(slow)
    assert result.metrics["tar@far=1e-06"] is None
    assert list(result.metrics)[-6:] == [
        f"tar@far={far}" for far in ("0.1", "0.01", "0.001", "0.0001", "1e-05", "1e-06")
    ]
    assert result.counts["genuine"] == 10
    assert result.counts["impostor"] == len(impostor) > 40


@pytest.mark.parametrize("gallery", [1, 2])
def test_identification_equals_the_slow_computation(
    root: Path, tmp_path: Path, gallery: int
) -> None:
    entry = {"protocol": "IJBIdentification", "root": str(root), "gallery": gallery}
    (result,) = evaluate(tmp_path, entry)
    templates = slow_templates(root, True, True)

    def listed(part: str) -> list[tuple[np.ndarray, int]]:
        with (root / "meta" / f"ijbc_1N_{part}.csv").open() as file:
            rows = list(csv.DictReader(file))
        return [(templates[int(r["TEMPLATE_ID"])], int(r["SUBJECT_ID"])) for r in rows]

    enrolled = listed(f"gallery_G{gallery}")
    found = [ranks_of(face, person, enrolled) for face, person in listed("probe_mixed")]
    mated, alarms = [f for f in found if f[0]], [top for own, _, top in found if not own]
    assert (len(mated), len(alarms)) == (5, 5)
    for k in (1, 5, 10):
        assert result.metrics[f"rank{k}"] == rate([own[0] <= k for own, *_ in mated])
    slow = np.mean([slow_precision(own) for own, *_ in mated])
    assert result.metrics["map"] == pytest.approx(slow)
    labels = [1] * 5 + [0] * 5
    scores = [mate if own[0] == 1 else -9 for own, mate, _ in mated] + alarms
    assert result.metrics["auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-6)
    if gallery == 1:  # people 1 and 3 have the same face there
        assert sum(own[0] == 1 for own, *_ in mated) <= 3
    assert result.protocol == f"ijbc-g{gallery}"


def test_faces_are_turned_upright(root: Path, tmp_path: Path) -> None:
    import cv2

    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    path = copy / "loose_crop" / "2.jpg"
    expected = read_faces(str(copy), "ijbc").images.image(1)
    # half as large again, and a quarter turn clockwise: (x, y) → (h - 1 - y, x)
    crop = cv2.imread(str(path))
    large = cv2.resize(crop, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), cv2.rotate(large, cv2.ROTATE_90_CLOCKWISE))
    lists = copy / "meta" / "ijbc_name_5pts_score.txt"
    lines = lists.read_text().splitlines()
    name, *points, score = lines[1].split()
    large_points = (np.asarray(points, float).reshape(5, 2) + 0.5) * 1.5 - 0.5
    turned = np.stack([len(large) - 1 - large_points[:, 1], large_points[:, 0]], axis=1)
    lines[1] = " ".join([name, *map(str, turned.ravel()), score])
    lists.write_text("\n".join(lines) + "\n")
    again = read_faces(str(copy), "ijbc").images.image(1)
    difference = np.abs(again.astype(float) - expected.astype(float))
    assert difference[4:-4, 4:-4].mean() < 5


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("face_tid_mid", "1.jpg 1\n", "face_tid_mid.txt: expected 3 columns, got 2"),
        ("face_tid_mid", "1.jpg one 2\n", "expected whole numbers, one in every column"),
        ("face_tid_mid", "1.jpg 1 2\n", "the same images in one order, got 1 and 40, of which 39"),
        ("face_tid_mid", "", "face_tid_mid.txt cannot be read: No columns"),
        ("template_pair_label", "1 2 1\n7 999 0\n", "1 of 2 templates have no face .* 999"),
        ("name_5pts_score", "1.jpg 1 2 3\n", "expected 12 columns, got 4"),
    ],
)
def test_malformed_lists(root: Path, tmp_path: Path, file: str, text: str, message: str) -> None:
    shutil.copytree(root / "meta", tmp_path / "meta")
    (tmp_path / "loose_crop").symlink_to(root / "loose_crop")
    (tmp_path / "meta" / f"ijbc_{file}.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        IJBVerification(str(tmp_path))


def test_what_is_missing(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"list not found: .*ijbb_face_tid_mid.txt"):
        IJBVerification(str(root), benchmark="ijbb")
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    (copy / "meta" / "ijbc_1N_gallery_G2.csv").unlink()
    with pytest.raises(DataError, match=r"list not found: .*ijbc_1N_gallery_G2.csv"):
        IJBIdentification(str(copy), gallery=2)
    for number in range(1, 8):
        (copy / "loose_crop" / f"{number}.jpg").unlink()
    with pytest.raises(DataError, match=r"7 of 40 listed images are missing .*1.jpg.* 2 more"):
        IJBVerification(str(copy))


def test_templates_of_both_sides_have_their_own_resolution(root: Path) -> None:
    protocol = IJBVerification(str(root), resolutions=(112, 14), degraded="first")
    rng = np.random.default_rng(0)
    vectors = {r: rng.normal(size=(40, 8)) for r in (112, 14)}
    mixed = protocol.evaluate(vectors, "m")[1]
    assert mixed.resolution == 14
    blank = {r: v.copy() for r, v in vectors.items()}
    # every pair has a one-face template first: the others are not looked at when degraded
    blank[14][np.arange(40) % 4 > 0] = np.nan
    assert protocol.evaluate(blank, "m")[1].metrics == pytest.approx(mixed.metrics, nan_ok=True)
    assert set(protocol.positions(14)) == set(range(0, 40, 4))
