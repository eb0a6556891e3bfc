"""Faces as the network sees them, comparisons and searches."""

import numpy as np
import pytest
from PIL import Image as PillowImage
from small_model import write_people

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.embedders import CallableEmbedder
from lrfr_lightning.functional.resize import BICUBIC, degrade
from lrfr_lightning.functional.sharpness import image_sharpness
from lrfr_lightning.protocols import EmbeddedVerification
from lrfr_lightning.recognition import Recogniser, Thresholds, enrol
from lrfr_lightning.recognition.faces import face_of
from lrfr_lightning.recognition.thresholds import RateTable
from lrfr_lightning.utils.errors import ConfigError, DataError

FACES = EmbeddedFaces(60, 3)
FACE = FACES.image(0)


def shrunk(image, side):
    picture = PillowImage.fromarray(image)
    return np.asarray(picture.resize((side, side), PillowImage.Resampling.BICUBIC))


def test_a_small_face_is_seen_as_in_the_protocols():
    protocol = EmbeddedVerification(20, 2, 2, resolutions=(112, 14))
    whole = protocol.images.image(3)
    for given, resolution in ((shrunk(whole, 14), None), (whole, 14)):
        face = face_of(given, "a", resolution)
        assert face.resolution == 14
        assert np.array_equal(face.image, protocol.view(3, 14))


@pytest.mark.parametrize(
    ("side", "asked", "seen"), [(112, None, 112), (250, None, 112), (20, 28, 20), (250, 28, 28)]
)
def test_resolution_is_that_of_the_face(side, asked, seen):
    face = face_of(shrunk(FACE, side), "a", asked)
    assert (face.resolution, face.image.shape) == (seen, (112, 112, 3))


def test_what_is_no_cropped_face():
    with pytest.raises(DataError, match="a.jpg: expected a cropped face, .* got 8x9 px; .*align"):
        face_of(np.zeros((9, 8, 3), np.uint8), "a.jpg")
    with pytest.raises(DataError, match="at least 7 px a side, got 1x1 px"):
        face_of(np.zeros((1, 1, 3), np.uint8), "a.jpg")
    for array in (FACE / 255, FACE[..., 0]):
        with pytest.raises(DataError, match=r"a.jpg: expected uint8 \(H, W, 3\) RGB, got"):
            face_of(array, "a.jpg")
    for resolution in (6, 113):
        with pytest.raises(ConfigError, match=f"a resolution of 7..112 px, got {resolution}"):
            face_of(FACE, "a", resolution)


def test_embeddings_and_quality(recogniser):
    images = [FACE, shrunk(FACE, 14)] + [FACES.image(i) for i in range(70)]
    found = recogniser.embed(images)
    assert np.linalg.norm(found.embedding, axis=1) == pytest.approx(np.ones(72), abs=1e-6)
    assert found.resolution[:3].tolist() == [112, 14, 112]
    blurred = degrade(FACE, 14, BICUBIC, BICUBIC)
    assert found.sharpness[0] == pytest.approx(image_sharpness(FACE))
    assert found.sharpness[1] == pytest.approx(image_sharpness(blurred))
    alone = recogniser.embed([images[-1]])
    assert alone.embedding[0] == pytest.approx(found.embedding[-1], abs=1e-5)
    assert alone.norm[0] == pytest.approx(found.norm[-1], rel=1e-5)
    with pytest.raises(DataError, match="at least one image, got none"):
        recogniser.embed([])


def test_a_model_of_zeros_is_refused():
    zeros = CallableEmbedder(lambda pixels: pixels[:, :, 0, 0] * 0, "zeros")
    with pytest.raises(ConfigError, match="zeros has no fingerprint"):
        Recogniser(zeros)
    zeros.fingerprint = lambda: "f"  # type: ignore[method-assign]
    with pytest.raises(DataError, match="zeros gives embeddings that are zero or not finite"):
        Recogniser(zeros).embed([FACE])


def table(first, second, limits):
    """Thresholds at the rates 0.1 and 0.01, the latter wished."""
    interval = np.zeros((*np.shape(limits)[:2], 2)).tolist()
    return RateTable(first, second, (0.1, 0.01), 0.01, limits, interval, 9)


def with_thresholds(recogniser, search, pairs):
    made = Thresholds(
        recogniser.embedder.name, recogniser.fingerprint, False, "drawn", 9, search, pairs
    )
    return Recogniser(recogniser.embedder, made)


def test_search_decides_by_resolution_and_gallery(recogniser, tmp_path):
    gallery = enrol(recogniser, write_people(tmp_path, range(4), range(2)))
    easy, hard = [[0.2, 0.3], [0.2, 0.3]], [[0.9, 1.1], [0.9, 1.1]]
    knows = with_thresholds(recogniser, table((14, 112), (1, 4), [hard, easy]), None)
    image = FACES.image(int(np.flatnonzero(FACES.labels == 2)[0]))
    found = knows.identify(image, gallery, top=3)
    plain = recogniser.identify(image, gallery, top=1)
    assert found.decision == "known"
    assert found.matches[0][0] == "person2"
    assert [score for _, score in found.matches] == sorted(
        (score for _, score in found.matches), reverse=True
    )
    assert found.margin == pytest.approx(found.matches[0][1] - found.matches[1][1])
    assert (found.threshold, len(found.matches)) == (pytest.approx(0.3), 3)
    assert found.fpir == pytest.approx(0.01)
    assert (plain.decision, plain.threshold, plain.fpir) == ("undecided", None, None)
    assert plain.matches == found.matches[:1]
    assert plain.margin == found.margin
    assert knows.identify(image, gallery, resolution=14).decision == "unknown"
    assert knows.identify(image, gallery, resolution=13).decision == "undecided"
    alone = gallery.without(["person0", "person1", "person3"])
    assert knows.identify(image, alone).margin is None
    assert len(knows.identify(image, gallery, top=9).matches) == 4


def test_galleries_that_cannot_be_searched(recogniser, tmp_path):
    gallery = enrol(recogniser, write_people(tmp_path, range(3), range(1)))
    knows = with_thresholds(recogniser, table((7, 112), (1, 2), [[[0.1, 0.2]] * 2] * 2), None)
    with pytest.raises(ConfigError, match="gallery has 3 people, the thresholds hold up to 2"):
        knows.identify(FACE, gallery)
    with pytest.raises(DataError, match="the gallery is empty"):
        recogniser.identify(FACE, gallery.without(gallery.people))
    with pytest.raises(ConfigError, match=r"1 or more people \(top\), got 0"):
        recogniser.identify(FACE, gallery, top=0)


def test_comparison_decides_by_both_resolutions(recogniser):
    limits = [[[0.0, 0.5], [0.5, 1.01]], [[0.5, 1.01], [0.0, 0.5]]]
    knows = with_thresholds(recogniser, None, table((14, 112), (14, 112), limits))
    same = knows.compare(FACE, FACE)
    assert (same.score, same.threshold, same.decision) == (pytest.approx(1), 0.5, "same")
    assert same.far == pytest.approx(0.01)
    small = shrunk(FACE, 14)
    across = knows.compare(FACE, small)
    assert across.decision == "different"
    assert across == knows.compare(small, FACE)
    assert 0.01 < across.far <= 0.1
    assert recogniser.compare(FACE, FACE).decision == "undecided"


def test_thresholds_of_another_model_are_refused(recogniser, other):
    made = with_thresholds(recogniser, None, None).thresholds
    with pytest.raises(DataError, match="calibrated with small0 .* not with small1"):
        Recogniser(other.embedder, made)
    with pytest.raises(DataError, match="flip False.* not with small0 .* flip True"):
        Recogniser(recogniser.embedder, made, flip=True)
