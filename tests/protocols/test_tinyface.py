"""TinyFace in its true layout, against a slow computation from the files."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat
from slow_search import evaluate, pixels, ranks_of, rate, slow_precision

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.embedded import write_tinyface_layout
from lrfr_lightning.protocols import TinyFaceIdentification
from lrfr_lightning.utils.errors import DataError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve people with two probes and two matches each, six of distractors; some of them tie."""
    folder = tmp_path_factory.mktemp("tinyface")
    write_tinyface_layout(EmbeddedFaces(18, 4, "test"), folder)
    faces = folder / "Testing_Set"
    distractors = sorted((faces / "Gallery_Distractor").iterdir())
    shutil.copy(faces / "Gallery_Match" / "1_3.jpg", distractors[0])
    shutil.copy(faces / "Gallery_Match" / "2_7.jpg", faces / "Gallery_Match" / "3_11.jpg")
    return folder


@pytest.mark.parametrize("distractors", [True, False])
def test_identification_equals_the_slow_computation(
    root: Path, tmp_path: Path, distractors: bool
) -> None:
    entry = {"protocol": "TinyFaceIdentification", "root": str(root)}
    (result,) = evaluate(tmp_path, entry | {"distractors": distractors})
    folder, gallery = root / "Testing_Set", []
    lists = loadmat(folder / "gallery_match_img_ID_pairs.mat")
    for name, person in zip(lists["gallery_set"], lists["gallery_ids"], strict=True):
        gallery.append((pixels(folder / "Gallery_Match" / name[0].item()), int(person[0])))
    if distractors:
        gallery += [(pixels(path), -100) for path in (folder / "Gallery_Distractor").iterdir()]
    lists = loadmat(folder / "probe_img_ID_pairs.mat")
    ranks = [
        ranks_of(pixels(folder / "Probe" / name[0].item()), int(person[0]), gallery)[0]
        for name, person in zip(lists["probe_set"], lists["probe_ids"], strict=True)
    ]
    for k in (1, 5, 20):
        assert result.metrics[f"rank{k}"] == rate([own[0] <= k for own in ranks])
    slow = np.mean([slow_precision(own) for own in ranks])
    assert result.metrics["map"] == pytest.approx(slow)
    assert "auc" not in result.metrics
    assert result.counts["distractors"] == 24 * distractors
    assert result.counts["gallery"] == 24 + 24 * distractors
    assert result.protocol == ("tinyface" if distractors else "tinyface-no-distractors")
    assert (result.counts["probes"], result.counts["unmated"]) == (24, 0)


def test_distractors_that_are_not_there(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    shutil.rmtree(copy / "Testing_Set" / "Gallery_Distractor")
    with pytest.raises(DataError, match="expected a folder of images at .*Gallery_Distractor"):
        TinyFaceIdentification(str(copy))
    (copy / "Testing_Set" / "Gallery_Distractor").mkdir()
    with pytest.raises(DataError, match="Gallery_Distractor holds no image"):
        TinyFaceIdentification(str(copy))
    assert len(TinyFaceIdentification(str(copy), distractors=False).images) == 48
