"""Verification at several resolutions, against slow computations."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lrfr_lightning.datasets import VerificationPairs
from lrfr_lightning.functional.resize import Kernel
from lrfr_lightning.functional.verification import (
    best_threshold,
    grid_threshold,
    youden_threshold,
)
from lrfr_lightning.protocols import EmbeddedVerification, VerificationProtocol
from lrfr_lightning.utils.errors import ConfigError, DataError

COUNT = 60


def make(faces: Any, **changes: Any) -> VerificationProtocol:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(faces), (2, COUNT))
    same = np.arange(COUNT) % 2 == 0
    pairs = VerificationPairs(first, second, same, np.arange(COUNT) // 6)
    return VerificationProtocol("toy", faces, pairs, resolutions=(112, 14), **changes)


def embeddings(faces: Any, resolutions: list[int]) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(1)
    return {r: rng.normal(size=(len(faces), 8)).astype(np.float32) for r in resolutions}


def slow_cosine(a: np.ndarray, b: np.ndarray) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / np.sqrt(sum(a**2) * sum(b**2))


@pytest.mark.parametrize(
    ("degraded", "sides"), [("both", (14, 14)), ("first", (14, 112)), ("second", (112, 14))]
)
def test_scores_compare_the_right_images(faces: Any, degraded: str, sides: tuple) -> None:
    protocol = make(faces, degraded=degraded)
    vectors = embeddings(faces, protocol.embedded_resolutions)
    slow = [
        slow_cosine(vectors[sides[0]][i].astype(float), vectors[sides[1]][j].astype(float))
        for i, j in zip(protocol.pairs.first, protocol.pairs.second, strict=True)
    ]
    np.testing.assert_allclose(protocol.scores(vectors, *sides), slow, atol=1e-12)
    result = protocol.evaluate(vectors, "m")[1]
    assert result.metrics["auc"] == pytest.approx(roc_auc_score(protocol.pairs.same, slow))
    assert (result.resolution, result.degraded) == (14, degraded)


def test_long_embeddings_are_compared_in_blocks(faces: Any, monkeypatch: Any) -> None:
    protocol = make(faces)
    vectors = embeddings(faces, [112, 14])
    whole = protocol.scores(vectors, 14, 112)
    monkeypatch.setattr("lrfr_lightning.protocols.verification._BLOCK", 50)
    np.testing.assert_array_equal(protocol.scores(vectors, 14, 112), whole)


def test_a_perfect_model(faces: Any) -> None:
    pairs = VerificationPairs(
        first=np.repeat([0, 0], 20), second=np.repeat([1, 8], 20),
        same=np.repeat([True, False], 20), fold=np.tile(np.arange(10), 4),
    )  # fmt: skip
    one_hot = np.eye(4)[faces.labels]
    result = VerificationProtocol("toy", faces, pairs, (14,)).evaluate({14: one_hot}, "m")[0]
    assert result.metrics["accuracy"] == 1.0
    assert result.metrics["eer"] == 0.0
    assert result.metrics["tar@far=0.1"] == 1.0
    assert np.isnan(result.metrics["tar@far=0.01"])
    assert result.counts == {
        "images": 32, "pairs": 40, "genuine": 20, "impostor": 20, "folds": 10
    }  # fmt: skip


def test_settings_say_their_kernels(faces: Any) -> None:
    vectors = embeddings(faces, [112, 14])
    standard = make(faces).evaluate(vectors, "m")[0]
    deck = make(faces, setting="deck").evaluate(vectors, "m")[0]
    assert standard.down == standard.up == "bicubic, antialias"
    assert deck.down == deck.up == "bilinear, no antialias"
    assert deck.setting == "deck"
    own = make(faces, down=Kernel("box")).evaluate(vectors, "m")[0]
    assert (own.down, own.up) == ("box, antialias", "bicubic, antialias")


def test_the_curve_is_exact_at_its_points(faces: Any) -> None:
    protocol = make(faces)
    vectors = embeddings(faces, [112, 14])
    scores = protocol.scores(vectors, 14, 14)
    curve = protocol.evaluate(vectors, "m")[1].curves
    for far, tar in zip(curve["far"], curve["tar"], strict=True):
        impostors = np.sort(scores[~protocol.pairs.same])[::-1]
        accepted = round(far * len(impostors))
        bound = impostors[accepted] if accepted < len(impostors) else -np.inf
        assert tar == pytest.approx(np.mean(scores[protocol.pairs.same] > bound))


def test_embedded_protocol_has_disjoint_people() -> None:
    protocol = EmbeddedVerification(40, 3, 4, resolutions=(112,))
    people = [
        set(np.r_[protocol.pairs.first[chosen], protocol.pairs.second[chosen]] // 3)
        for chosen in (protocol.pairs.fold == k for k in range(10))
    ]
    assert not any(a & b for i, a in enumerate(people) for b in people[:i])


def test_bad_settings(faces: Any) -> None:
    with pytest.raises(ConfigError, match=r"toy: expected resolutions of 1..112 px, got \[224\]"):
        VerificationProtocol("toy", faces, make(faces).pairs, (224,))
    protocol = make(faces)
    vectors = embeddings(faces, [112, 14])
    vectors[14][:] = 0
    with pytest.raises(DataError, match="60 of 60 scores are not finite"):
        protocol.evaluate(vectors, "m")


def test_a_matrix_compares_every_resolution_with_every_one(faces: Any) -> None:
    protocol = make(faces, degraded="matrix")
    vectors = embeddings(faces, [112, 14])
    results = protocol.evaluate(vectors, "m")
    assert [(r.resolution, r.gallery_resolution) for r in results] == [
        (112, 112), (112, 14), (14, 112), (14, 14)
    ]  # fmt: skip
    alike = make(faces, degraded="first").evaluate(vectors, "m")[1]
    assert results[2].metrics == pytest.approx(alike.metrics, nan_ok=True)


def test_only_the_images_that_are_needed_are_embedded(faces: Any) -> None:
    protocol = make(faces, degraded="first")
    assert protocol.positions(14).tolist() == sorted(set(protocol.pairs.first.tolist()))
    assert set(protocol.positions(112)) == set(protocol.pairs.first) | set(protocol.pairs.second)
    vectors = embeddings(faces, [112, 14])
    unneeded = np.setdiff1d(np.arange(len(faces)), protocol.positions(14))
    assert len(unneeded) > 0
    blank = {112: vectors[112], 14: vectors[14].copy()}
    blank[14][unneeded] = np.nan
    np.testing.assert_array_equal(
        protocol.scores(blank, 14, 112), protocol.scores(vectors, 14, 112)
    )


def test_native_images_are_enlarged_and_nothing_else(faces: Any) -> None:
    protocol = VerificationProtocol("toy", faces, make(faces).pairs, resolutions=(None,))
    assert protocol.embedded_resolutions == [None]
    np.testing.assert_array_equal(protocol.view(3, None), faces.image(3))
    (result,) = protocol.evaluate({None: embeddings(faces, [112])[112]}, "m")
    assert result.resolution is None


@pytest.mark.parametrize(
    ("changes", "name", "rule"),
    [
        ({}, "best", best_threshold),
        ({"setting": "deck"}, "youden", youden_threshold),
        ({"threshold_rule": "youden"}, "youden", youden_threshold),
        ({"threshold_rule": "grid"}, "grid", grid_threshold),
        ({"threshold_rule": "best", "setting": "deck"}, "best", best_threshold),
    ],
)
def test_threshold_rule_is_the_chosen_one_and_recorded(
    faces: Any, changes: dict, name: str, rule: Any
) -> None:
    protocol = make(faces, **changes)
    vectors = embeddings(faces, protocol.embedded_resolutions)
    result = protocol.evaluate(vectors, "m")[0]
    scores, pairs = protocol.scores(vectors, 112, 112), protocol.pairs
    expected = [
        rule(scores[pairs.fold != k], pairs.same[pairs.fold != k]) for k in range(COUNT // 6)
    ]
    assert result.threshold_rule == name
    assert result.thresholds["accuracy"] == pytest.approx(np.mean(expected), abs=1e-6)


def test_unknown_threshold_rule(faces: Any) -> None:
    message = "threshold_rule: expected one of best, youden, grid, got 'median'"
    with pytest.raises(ConfigError, match=message):
        make(faces, threshold_rule="median")
