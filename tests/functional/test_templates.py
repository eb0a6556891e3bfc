"""Templates against loops over their images."""

import numpy as np
import pytest

from lrfr_lightning.functional import templates
from lrfr_lightning.functional.templates import mean_templates, media_templates


def length_one(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt(sum(x * x for x in vector))


def test_the_mean_of_normalised_embeddings() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(9, 4)).astype(np.float32)
    template = np.array([2, 0, 0, 1, 2, 2, 0, 1, 4])
    found = mean_templates(rows, template, 5)
    for number in (0, 1, 2, 4):
        own = [length_one(row.astype(float)) for row in rows[template == number]]
        np.testing.assert_allclose(found[number], length_one(sum(own) / len(own)))
    np.testing.assert_allclose(found[4], length_one(rows[8].astype(float)))  # of one image
    assert np.isnan(found[3]).all()  # of none
    rows[3] = 0
    assert not np.isfinite(mean_templates(rows, template, 5)[1]).any()


def test_frames_of_a_video_count_as_one_image() -> None:
    rng = np.random.default_rng(1)
    rows, weight = rng.normal(size=(7, 4)), rng.uniform(size=7)
    template, media = np.array([0, 0, 0, 0, 1, 1, 1]), np.array([5, 5, 5, 8, 5, 9, 9])
    found = media_templates(rows, template, media, np.ones(7), 2)
    np.testing.assert_allclose(found[0], length_one(rows[:3].mean(0) + rows[3]))
    np.testing.assert_allclose(found[1], length_one(rows[4] + rows[5:].mean(0)))
    again = media_templates(rows, template, media, weight, 2)
    heavy = rows * weight[:, None]
    np.testing.assert_allclose(again[0], length_one(heavy[:3].mean(0) + heavy[3]))


def test_order_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    rows, template, media = rng.normal(size=(20, 3)), rng.integers(0, 4, 20), rng.integers(0, 3, 20)
    order, weight = rng.permutation(20), rng.uniform(size=20)
    whole = media_templates(rows, template, media, weight, 4)
    monkeypatch.setattr(templates, "_BLOCK", 3)
    shuffled = (column[order] for column in (rows, template, media, weight))
    np.testing.assert_allclose(media_templates(*shuffled, 4), whole)
