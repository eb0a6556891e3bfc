"""Albumentations pipelines from plain data."""

import numpy as np
import pytest

from lrfr_lightning.transforms.augmentation import Augmentation
from lrfr_lightning.utils.errors import ConfigError

FACE = np.random.default_rng(0).integers(0, 256, (112, 112, 3)).astype(np.uint8)
STEPS = [
    {"HorizontalFlip": {"p": 0.5}},
    {"OneOf": {"transforms": [{"GaussianBlur": None}, {"RandomGamma": {"p": 1.0}}], "p": 0.7}},
]


def test_draws_depend_on_the_seed_alone() -> None:
    first, second = Augmentation(STEPS), Augmentation(STEPS)
    for seed in range(10):
        assert np.array_equal(first(FACE, seed), second(FACE, seed))
    assert len({first(FACE, seed).tobytes() for seed in range(20)}) > 3


def test_flip_is_a_flip() -> None:
    flipped = Augmentation([{"HorizontalFlip": {"p": 1.0}}])(FACE, 0)
    assert np.array_equal(flipped, FACE[:, ::-1])


def test_unknown_names_and_arguments() -> None:
    with pytest.raises(ConfigError, match="no transform 'HorizontalFlop'; close: HorizontalFlip"):
        Augmentation([{"HorizontalFlop": {}}])
    with pytest.raises(ConfigError, match="augmentation GaussianBlur: .*radius"):
        Augmentation([{"GaussianBlur": {"radius": 3}}])
    with pytest.raises(ConfigError, match="expected 'Name: {arguments}'"):
        Augmentation([{"GaussianBlur": {}, "RandomGamma": {}}])


def test_face_window_keeps_a_rectangle_and_fills_the_rest() -> None:
    bright = np.maximum(FACE, 1)
    window = Augmentation([{"FaceWindow": {"border": 0.25, "p": 1.0}}])
    fills, sizes = [], set()
    for seed in range(40):
        masked = window(bright, seed)
        assert np.array_equal(masked[28:84, 28:84], bright[28:84, 28:84])
        kept = (masked == bright).all(axis=2)
        fill = masked[~kept]
        assert len(np.unique(fill)) == 1
        fills.append(int(fill[0, 0]))
        sizes.add((kept.mean(axis=0) > 0.5).sum())
    assert fills.count(127) in range(10, 31)
    assert len(set(fills)) > 5
    assert len(sizes) > 5
    with pytest.raises(ConfigError, match="border: expected a share"):
        Augmentation([{"FaceWindow": {"border": 0.6}}])


def test_normalising_is_refused() -> None:
    with pytest.raises(ConfigError, match="normalisation is the model's"):
        Augmentation([{"Normalize": None}])(FACE, 0)
