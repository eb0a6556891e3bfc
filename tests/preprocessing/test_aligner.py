"""Which face, which crop, and what happens without one; by detectors that are known."""

import numpy as np
import pytest
from dots import Dots, Fixed, draw_dots

from lrfr_lightning.functional.alignment import ARCFACE_TEMPLATE, align
from lrfr_lightning.functional.resize import BICUBIC, resize
from lrfr_lightning.preprocessing import Detection, FaceAligner
from lrfr_lightning.utils.errors import ConfigError


def turned(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    """The template turned about its middle, which comes to x, y."""
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * (ARCFACE_TEMPLATE - 55.5) @ rotation.T + [x, y]


def face_at(x: float, y: float, scale: float, score: float = 0.9) -> Detection:
    points = turned(scale, 0, x, y).astype(np.float32)
    half = 56 * scale
    return Detection((x - half, y - half, x + half, y + half), score, points)


@pytest.mark.parametrize(("scale", "degrees"), [(1.0, 0), (0.8, 25), (1.6, -30)])
def test_dots_come_to_the_template(scale: float, degrees: float) -> None:
    landmarks = turned(scale, degrees, 190, 140)
    found = FaceAligner(Dots())(draw_dots(landmarks, 300, 380, radius=4))
    assert (found.outcome, found.reason) == ("aligned", "")
    assert found.resolution == pytest.approx(112 * scale, rel=0.02)
    assert found.crop is not None
    (again,) = Dots().detect(found.crop)
    assert np.abs(again.landmarks - ARCFACE_TEMPLATE).max() < 1


def test_margin_moves_each_edge_by_its_share_of_the_side() -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    detector = Fixed(face_at(149.5, 149.5, 1))  # the square is columns 94..205
    plain = FaceAligner(detector)(image)
    assert np.array_equal(plain.crop, image[94:206, 94:206])
    wide = FaceAligner(detector, margin=0.5)(image)  # twice the side, averaged by twos
    square = image[38:262, 38:262].reshape(112, 2, 112, 2, 3).mean(axis=(1, 3))
    assert np.abs(wide.crop - square).max() <= 1
    assert wide.resolution == plain.resolution == pytest.approx(112)


def test_a_large_face_is_averaged_not_sampled() -> None:
    checks = np.tile(np.array([[0, 255], [255, 0]], np.uint8)[..., None], (300, 300, 3))
    assert align(checks, turned(4, 0, 300, 300))[8:-8, 8:-8].max() < 20  # one square in sixteen
    detector = Fixed(face_at(300, 300, 4.2))
    detector.longest_side = 600
    crop = FaceAligner(detector)(checks).crop
    assert np.abs(crop.astype(int) - 128).max() <= 1


def test_largest_or_in_the_centre() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    detector = Fixed(face_at(150, 100, 0.3), face_at(60, 60, 0.8), face_at(250, 90, 0.5))
    faces = {policy: FaceAligner(detector, face=policy)(image) for policy in ("largest", "centre")}
    assert faces["largest"].detection.box[0] == pytest.approx(60 - 56 * 0.8)
    assert faces["centre"].detection.box[0] == pytest.approx(150 - 56 * 0.3)


def test_a_large_photograph_is_shrunk_for_detection_only() -> None:
    landmarks = turned(4.3, 10, 500, 420)
    detector = Dots()
    found = FaceAligner(detector)(draw_dots(landmarks, 900, 1000, radius=20))
    assert detector.seen == [(360, 400, 3)]
    assert np.abs(found.detection.landmarks - landmarks).max() < 1.5
    assert found.resolution == pytest.approx(112 * 4.3, rel=0.02)


def test_faces_too_small() -> None:
    image = draw_dots(turned(0.25, 0, 40, 40), 80, 90, radius=1)  # eyes 9 px apart
    failed = FaceAligner(Dots())(image)
    assert (failed.crop, failed.outcome, failed.reason) == (None, "failed", "no face found")
    assert failed.resolution is None
    whole = FaceAligner(Dots(), too_small="whole")(image)
    assert (whole.outcome, whole.reason) == ("whole", "no face found")
    assert np.array_equal(whole.crop, resize(image, 112, 112, BICUBIC))
    detector = Dots()
    found = FaceAligner(detector, too_small="upscale")(image)
    assert detector.seen == [(80, 90, 3), (240, 270, 3)]
    assert (found.outcome, found.reason) == ("upscaled", "found at 3 times the size")
    assert np.abs(found.detection.landmarks - turned(0.25, 0, 40, 40)).max() < 0.7
    never = FaceAligner(Dots(least=900), too_small="upscale")(image)
    assert (never.crop, never.outcome) == (None, "failed")
    assert never.reason == "no face found, nor at 3 times the size"


def test_the_enlarged_picture_is_bounded() -> None:
    detector = Dots()
    found = FaceAligner(detector, too_small="upscale")(np.zeros((500, 1000, 3), np.uint8))
    assert detector.seen == [(200, 400, 3), (400, 800, 3)]
    assert found.reason == "no face found, nor at 0.8 times the size"


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan)])
def test_landmarks_that_are_no_face_are_none(points: np.ndarray) -> None:
    bad = Detection((0, 0, 90, 90), 1.0, points.astype(np.float32))
    image = np.zeros((100, 100, 3), np.uint8)
    assert FaceAligner(Fixed(bad))(image).outcome == "failed"
    good = FaceAligner(Fixed(bad, face_at(20, 20, 0.2)))(image)
    assert good.resolution == pytest.approx(22.4)


def test_one_pixel_and_what_is_no_image() -> None:
    pixel = np.full((1, 1, 3), 70, np.uint8)
    assert FaceAligner(Dots())(pixel).outcome == "failed"
    assert FaceAligner(Dots(), too_small="upscale")(pixel).outcome == "failed"
    assert (FaceAligner(Dots(), too_small="whole")(pixel).crop == 70).all()
    for bad in (pixel[0], pixel.astype(float), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"expected uint8 \(H, W, 3\)"):
            FaceAligner(Dots())(bad)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"margin": -0.1}, "margin: expected a share of the side, 0..1, got -0.1"),
        ({"face": "left"}, "face: expected one of largest, centre, got 'left'"),
        ({"too_small": "drop"}, "too_small: expected one of fail, whole, upscale, got 'drop'"),
    ],
)
def test_arguments_out_of_range(arguments: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FaceAligner(Dots(), **arguments)
