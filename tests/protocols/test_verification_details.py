"""What a verification result says beyond its metrics: intervals, outcomes, curves, examples."""

import base64
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from lrfr_lightning.functional.sharpness import image_sharpness
from lrfr_lightning.protocols import EmbeddedVerification, ProtocolResult
from lrfr_lightning.protocols.outcomes import read_outcomes

PROTOCOL = EmbeddedVerification(40, 3, 4, resolutions=(112, 14))


@pytest.fixture(scope="module")
def vectors() -> dict[Any, np.ndarray]:
    rng = np.random.default_rng(0)
    own = rng.normal(size=(40, 8)).repeat(3, axis=0)
    return {r: own + rng.normal(size=(120, 8)) * spread for r, spread in ((112, 0.5), (14, 2))}


@pytest.fixture(scope="module")
def low(vectors: dict[Any, np.ndarray]) -> ProtocolResult:
    return PROTOCOL.evaluate(vectors, "m")[1]


def test_intervals_stand_beside_what_was_measured(low: ProtocolResult) -> None:
    assert low.counts["people"] == len(np.unique(PROTOCOL.pairs.people))
    assert set(low.intervals) == {"accuracy", "auc", "eer", "tar@far=0.1"}  # 40 impostors
    for name, (start, end) in low.intervals.items():
        assert 0 <= start <= low.metrics[name] <= end <= 1
    assert low.intervals["auc"][1] - low.intervals["auc"][0] > 0.05


def test_outcomes_are_the_decisions_at_the_fold_thresholds(
    low: ProtocolResult, vectors: dict[Any, np.ndarray]
) -> None:
    found, pairs = read_outcomes(low.outcomes), PROTOCOL.pairs
    accuracy = [found.correct[pairs.fold == k].mean() for k in range(10)]
    assert np.mean(accuracy) == pytest.approx(low.metrics["accuracy"])
    assert np.std(accuracy) == pytest.approx(low.metrics["accuracy_std"])
    np.testing.assert_array_equal(found.people, pairs.people)
    # the same items for every model and resolution, others for other pairs
    assert PROTOCOL.evaluate(vectors, "n")[0].outcomes["items"] == found.items
    other = EmbeddedVerification(40, 3, 4, seed=1, resolutions=(112, 14))
    assert other.evaluate(vectors, "m")[0].outcomes["items"] != found.items


def test_histograms_are_shares_of_each_class(
    low: ProtocolResult, vectors: dict[Any, np.ndarray]
) -> None:
    scores, same = PROTOCOL.scores(vectors, 14, 14), PROTOCOL.pairs.same
    edges = low.curves["score_edges"]
    assert len(edges) == 41
    assert edges[0] == pytest.approx(scores.min(), abs=1e-6)
    for name, own in (("genuine_density", scores[same]), ("impostor_density", scores[~same])):
        assert sum(low.curves[name]) == pytest.approx(1, abs=1e-4)
        middle = np.mean((own >= edges[10]) & (own < edges[30]))
        assert sum(low.curves[name][10:30]) == pytest.approx(middle, abs=1e-4)


def test_the_sample_says_score_norm_and_sharpness(
    low: ProtocolResult, vectors: dict[Any, np.ndarray]
) -> None:
    pairs, curves = PROTOCOL.pairs, low.curves
    scores = np.round(PROTOCOL.scores(vectors, 14, 14), 6).tolist()
    assert sum(curves["sample_genuine"]) == len(curves["sample_genuine"]) / 2 == 40
    for score, norm, sharpness, genuine in zip(
        *(curves[f"sample_{name}"] for name in ("score", "norm", "sharpness", "genuine")),
        strict=True,
    ):
        pair = scores.index(score)
        sides = pairs.first[pair], pairs.second[pair]
        assert genuine == pairs.same[pair]
        assert norm == pytest.approx(min(np.linalg.norm(vectors[14][i]) for i in sides), abs=1e-5)
        views = [image_sharpness(PROTOCOL.view(i, 14)) for i in sides]
        assert sharpness == pytest.approx(min(views), abs=1e-5)


def test_examples_are_the_hardest_pairs_at_their_resolution(
    low: ProtocolResult, vectors: dict[Any, np.ndarray]
) -> None:
    scores, pairs = PROTOCOL.scores(vectors, 14, 14), PROTOCOL.pairs
    assert [e["kind"] for e in low.examples] == ["genuine"] * 4 + ["impostor"] * 4
    genuine = sorted(scores[pairs.same])[:4]
    impostor = sorted(scores[~pairs.same], reverse=True)[:4]
    np.testing.assert_allclose([e["score"] for e in low.examples], genuine + impostor, atol=1e-6)
    hardest = int(np.flatnonzero(scores == genuine[0])[0])
    position = pairs.first[hardest]
    assert low.examples[0]["first"] == PROTOCOL.images.name(position)
    data = np.frombuffer(base64.b64decode(low.examples[0]["first_png"]), np.uint8)
    picture = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert picture.shape == (14, 14, 3)
    np.testing.assert_array_equal(picture, PROTOCOL.picture(position, 14))
    enlarged = cv2.resize(picture, (112, 112), interpolation=cv2.INTER_CUBIC).astype(int)
    assert np.abs(enlarged - PROTOCOL.view(position, 14)).mean() < 5


def test_nothing_of_it_where_it_is_not_wanted(vectors: dict[Any, np.ndarray]) -> None:
    quiet = EmbeddedVerification(40, 3, 4, resolutions=(112, 14))
    quiet.intervals = quiet.examples = 0
    quick, full = quiet.evaluate(vectors, "m")[1], PROTOCOL.evaluate(vectors, "m")[1]
    assert (quick.intervals, quick.examples) == ({}, [])
    assert "sample_score" not in quick.curves
    assert quick.metrics == pytest.approx(full.metrics, nan_ok=True)
    left = {"metrics": quick.metrics, "curves": quick.curves, "intervals": {}, "examples": []}
    assert quick == replace(full, **left)


def test_a_matrix_shows_no_pictures(vectors: dict[Any, np.ndarray]) -> None:
    matrix = EmbeddedVerification(40, 3, 4, resolutions=(112, 14), degraded="matrix")
    results = matrix.evaluate(vectors, "m")
    assert all(not r.examples and "sample_score" not in r.curves for r in results)
    assert all(r.intervals and r.curves["score_edges"] for r in results)
