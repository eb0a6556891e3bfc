"""Calibrated thresholds against a slow count on the same people."""

import numpy as np
import pytest

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.recognition import Recogniser, calibrate
from lrfr_lightning.recognition.calibration import Wish
from lrfr_lightning.utils.errors import ConfigError, DataError

FACES = EmbeddedFaces(60, 2)
WISH = Wish(fpir=0.1, far=0.02, resolutions=(112, 14))


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "flip"])
def made(request, recogniser):
    own = Recogniser(recogniser.embedder, flip=request.param)
    return own, calibrate(own, FACES, "embedded", WISH)


def scores(recogniser, one, other):
    images = [FACES.image(2 * person) for person in range(60)]
    left, right = (recogniser.embed(images, side).embedding for side in (one, other))
    return left @ right.T


def test_a_search_among_all_others_has_the_wished_rate(made):
    recogniser, found = made
    assert (found.people, found.search.count, found.flip) == (60, 60, recogniser.flip)
    assert found.search.second == (1, 3, 10, 30, 59)
    assert found.search.rates == (0.3, 0.1, 0.03)
    for side in (14, 112):
        against = scores(recogniser, side, 112)
        np.fill_diagonal(against, -1)
        alarms = (against.max(axis=1) >= found.search.limit(side, 59)).mean()
        # an embedding depends a little on its batch: one search may fall on the other side
        assert alarms == pytest.approx(0.1, abs=1 / 60 + 1e-9)
        (low, high) = found.search.interval[(14, 112).index(side)][-1]
        assert low < 0.1 < high


def test_pairs_have_the_wished_rate_whatever_their_resolutions(made):
    recogniser, found = made
    assert found.pairs.count == 60 * 59 // 2
    for sides in ((14, 14), (14, 112), (112, 112)):
        against = scores(recogniser, *sides)
        limit = found.pairs.limit(*sides)
        wrong = (against >= limit) & ~np.eye(60, dtype=bool)
        assert wrong.sum() / (60 * 59) == pytest.approx(0.02, abs=1e-3)
        assert limit == found.pairs.limit(*sides[::-1])


def test_a_wish_for_one_rate_alone(recogniser):
    found = calibrate(recogniser, FACES, "embedded", Wish(None, 0.1, (112,), most=20))
    assert found.search is None
    assert (found.people, found.pairs.first) == (20, (112,))


@pytest.mark.parametrize(
    ("wish", "kind", "message"),
    [
        (Wish(0.01, None), DataError, "fpir 0.01 needs 100 searches.* 60 people make 60"),
        (Wish(None, 1e-4), DataError, "far 0.0001 needs 10,000 impostor pairs.* make 1,770"),
        (Wish(None, None), ConfigError, "expected a rate above 0 and below 1 for fpir, far"),
        (Wish(1.0, None), ConfigError, "expected a rate above 0 and below 1"),
        (Wish(0.1, 0.1, (200,)), ConfigError, "a resolution of 7..112 px, got 200"),
    ],
)
def test_wishes_that_cannot_be_met(recogniser, wish, kind, message):
    with pytest.raises(kind, match=message):
        calibrate(recogniser, FACES, "embedded", wish)


def test_small_faces_are_no_gallery(recogniser, small_faces):
    with pytest.raises(DataError, match="drawn face 0: expected a face of at least 112 px"):
        calibrate(recogniser, small_faces, "small", Wish(0.5, None))
