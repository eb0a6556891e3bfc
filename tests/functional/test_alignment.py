"""Similarity transforms against known ones and a general optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from lrfr_lightning.functional.alignment import ARCFACE_TEMPLATE, align, similarity


def test_a_known_similarity_is_found() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 2)) * 30
    turn, scale, shift = 0.7, 2.5, np.array([3.0, -8.0])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = scale * points @ rotation.T + shift
    found = similarity(points, moved)
    np.testing.assert_allclose(found[:, :2], scale * rotation, atol=1e-12)
    np.testing.assert_allclose(found[:, 2], shift, atol=1e-12)


def test_no_other_similarity_is_closer() -> None:
    rng = np.random.default_rng(1)
    source = ARCFACE_TEMPLATE * 2 + rng.normal(size=(5, 2)) * 6

    def distance(parameters: np.ndarray) -> float:
        a, b, x, y = parameters
        moved = source @ np.array([[a, -b], [b, a]]).T + [x, y]
        return float(((moved - ARCFACE_TEMPLATE) ** 2).sum())

    found = similarity(source, ARCFACE_TEMPLATE)
    ours = distance(np.array([found[0, 0], found[1, 0], *found[:, 2]]))
    best = minimize(distance, [1, 0, 0, 0], method="BFGS").fun
    assert ours == pytest.approx(best, abs=1e-4)
    assert ours > 1


def test_an_aligned_face_stays_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    np.testing.assert_array_equal(align(image, ARCFACE_TEMPLATE), image)
    shifted = np.pad(image, ((9, 0), (4, 0), (0, 0)))
    np.testing.assert_array_equal(align(shifted, ARCFACE_TEMPLATE + [4, 9]), image)
