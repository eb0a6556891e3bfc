"""QMUL-SurvFace in its true layout, against slow computations from the files."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import KFold
from slow_search import evaluate, length_one, pixels, ranks_of, rate, slow_tar

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.embedded import verification_pairs, write_survface_layout
from lrfr_lightning.protocols import SurvFaceIdentification, SurvFaceVerification
from lrfr_lightning.utils.errors import DataError

VERIFICATION = "Face_Verification_Test_Set"
IDENTIFICATION = "Face_Identification_Test_Set"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty people with four images, ten of them enrolled; some probes and pairs tie."""
    folder = tmp_path_factory.mktemp("survface")
    write_survface_layout(EmbeddedFaces(20, 4, "test"), folder, verification_pairs(20, 4, 2))
    faces = folder / IDENTIFICATION
    # the same picture of two unmated people, and of two people in the gallery
    unmated = sorted((faces / "unmated_probe").iterdir())
    shutil.copy(unmated[0], unmated[7])
    shutil.copy(faces / "gallery" / "1_cam1_1.jpg", faces / "gallery" / "2_cam1_1.jpg")
    shutil.copy(faces / "gallery" / "1_cam2_2.jpg", faces / "gallery" / "2_cam2_2.jpg")
    pairs = loadmat(folder / VERIFICATION / "positive_pairs_names.mat")["positive_pairs_names"]
    images = folder / VERIFICATION / "verification_images"
    for side in (0, 1):
        shutil.copy(images / pairs[0, side].item(), images / pairs[9, side].item())
    return folder


def slow_scores(root: Path) -> tuple[np.ndarray, np.ndarray]:
    scores = []
    for kind in ("positive", "negative"):
        file = root / VERIFICATION / f"{kind}_pairs_names.mat"
        for row in loadmat(file)[f"{kind}_pairs_names"]:
            one, other = (
                pixels(root / VERIFICATION / "verification_images" / c.item()) for c in row
            )
            scores.append(one @ other)
    return np.asarray(scores), np.arange(40) < 20


def test_verification_equals_the_slow_computation(root: Path, tmp_path: Path) -> None:
    entry = {"protocol": "SurvFaceVerification", "root": str(root)}
    (result,) = evaluate(tmp_path, entry)
    scores, same = slow_scores(root)
    fold, accuracies = np.arange(20) * 10 // 20, []
    fold = np.r_[fold, fold]
    for number in range(10):
        train, test = fold != number, fold == number
        tried = [np.mean((scores[train] >= t) == same[train]) for t in sorted(scores[train])]
        ordered = sorted(scores[train])
        best = tried.index(max(tried))
        threshold = (ordered[best] + max([-1, *[s for s in ordered if s < ordered[best]]])) / 2
        accuracies.append(np.mean((scores[test] >= threshold) == same[test]))
    assert result.metrics["accuracy"] == pytest.approx(np.mean(accuracies))
    assert result.metrics["accuracy_std"] == pytest.approx(np.std(accuracies))
    assert result.metrics["auc"] == pytest.approx(roc_auc_score(same, scores))
    for far in (0.3, 0.1):
        slow = slow_tar(scores[same].tolist(), scores[~same].tolist(), far)
        assert result.metrics[f"tar@far={far:g}"] == pytest.approx(slow)
    assert result.metrics["tar@far=0.001"] is None
    assert (result.protocol, result.resolution, result.counts["pairs"]) == ("survface", None, 40)


def test_the_deck_measures_on_unshuffled_folds_of_one_kind(root: Path) -> None:
    protocol = SurvFaceVerification(str(root), setting="deck")
    assert str(protocol.up) == "bilinear, no antialias"
    scores = np.random.default_rng(0).normal(size=40) + np.repeat([0.5, 0], 20)
    same, accuracies = np.arange(40) < 20, []
    for train, test in KFold(10).split(scores):
        far, tar, thresholds = roc_curve(same[train], scores[train], drop_intermediate=False)
        threshold = thresholds[1:][np.argmax((tar - far)[1:])]
        accuracies.append(np.mean((scores[test] >= threshold) == same[test]))
        assert len(set(same[test])) == 1
    # an embedding whose cosine with [1, 0] is the score
    angle = np.arccos(np.clip(scores / 4, -1, 1))
    protocol.pairs = type(protocol.pairs)(
        np.arange(40), np.full(40, 40), protocol.pairs.same, protocol.pairs.fold
    )
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    (result,) = protocol.evaluate({None: np.r_[vectors, [[1.0, 0.0]]]}, "m")
    assert result.metrics["accuracy"] == pytest.approx(np.mean(accuracies))
    assert result.setting == "deck"


def test_identification_equals_the_slow_computation(root: Path, tmp_path: Path) -> None:
    (result,) = evaluate(tmp_path, {"protocol": "SurvFaceIdentification", "root": str(root)})
    folder = root / IDENTIFICATION
    lists = loadmat(folder / "gallery_img_ID_pairs.mat")
    images: dict[int, list[np.ndarray]] = {}
    for name, person in zip(lists["gallery_set"], lists["gallery_ids"], strict=True):
        images.setdefault(int(person[0]), []).append(pixels(folder / "gallery" / name[0].item()))
    gallery = [(length_one(sum(own) / len(own)), who) for who, own in images.items()]
    lists = loadmat(folder / "mated_probe_img_ID_pairs.mat")
    mated = [
        ranks_of(pixels(folder / "mated_probe" / name[0].item()), int(person[0]), gallery)
        for name, person in zip(lists["mated_probe_set"], lists["mated_probe_ids"], strict=True)
    ]
    unmated = [ranks_of(pixels(p), -1, gallery) for p in (folder / "unmated_probe").iterdir()]
    # nobody can be told from the one whose pictures are the same
    assert min(ranks[0] for ranks, *_ in mated[:4]) == 2
    for k in (1, 5, 20):
        assert result.metrics[f"rank{k}"] == rate([ranks[0] <= k for ranks, *_ in mated])
    alarms = [top for _, _, top in unmated]
    hits = [mate if ranks[0] <= 20 else -9.0 for ranks, mate, _ in mated]
    for fpir in (0.3, 0.2, 0.1):
        slow = slow_tar(hits, alarms, fpir)
        assert result.metrics[f"tpir20@fpir={fpir:g}"] == pytest.approx(slow)
        threshold = result.thresholds[f"tpir20@fpir={fpir:g}"]
        assert rate([a >= threshold for a in alarms]) <= fpir
    assert result.metrics["tpir20@fpir=0.01"] is None
    labels = np.repeat([1, 0], [len(hits), len(alarms)])
    assert result.metrics["auc"] == pytest.approx(roc_auc_score(labels, hits + alarms), abs=1e-6)
    assert result.counts == {
        "images": 80, "probes": 60, "mated": 20, "unmated": 40, "gallery": 10, "people": 10,
        "distractors": 0,
    }  # fmt: skip
    assert result.curves["cmc"][0] == result.metrics["rank1"]
    assert result.curves["rank"][-1] == 10
    assert result.curves["fnir"][-1] == pytest.approx(1 - result.metrics["rank20"])


def test_missing_images_and_people(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    for path in sorted((copy / IDENTIFICATION / "mated_probe").iterdir())[:7]:
        path.unlink()
    with pytest.raises(DataError, match=r"7 of 80 listed images are missing .* 2 more"):
        SurvFaceIdentification(str(copy))
    names = np.array([["1_cam1_1.jpg"]], object)
    file = copy / IDENTIFICATION / "gallery_img_ID_pairs.mat"
    savemat(file, {"gallery_set": names, "gallery_ids": np.array([[1.0]])})
    with pytest.raises(DataError, match=r"9 people of the mated probes are not in the gallery: 2,"):
        SurvFaceIdentification(str(copy))
    with pytest.raises(DataError, match="QMUL-SurvFace root not found"):
        SurvFaceVerification(str(tmp_path / "none"))
    with pytest.raises(DataError, match="list not found: expected it at .*positive_pairs_names"):
        SurvFaceVerification(str(tmp_path))
