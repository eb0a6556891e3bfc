import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from lrfr_lightning.datasets.embedded import (
    EmbeddedFaces,
    grid,
    verification_pairs,
    write_lfw_layout,
)
from lrfr_lightning.datasets.embedded import cache as cache_module
from lrfr_lightning.datasets.embedded.names import invented_name
from lrfr_lightning.datasets.embedded.render import RENDERER_VERSION
from lrfr_lightning.utils.errors import DataError


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRFR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def all_images(dataset: EmbeddedFaces) -> np.ndarray:
    return np.stack([dataset.image(index) for index in range(len(dataset))])


def image_of_another_process(dataset: EmbeddedFaces, index: int) -> np.ndarray:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(dataset.image, (index,))


def test_an_image_is_112_px_rgb() -> None:
    image = EmbeddedFaces(2, 1, cache=False).image(1)
    assert image.shape == (112, 112, 3)
    assert image.dtype == np.uint8
    assert image.std() > 10


def test_labels_are_identity_major() -> None:
    dataset = EmbeddedFaces(3, 2, cache=False)
    assert dataset.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert dataset.labels.dtype == np.int64
    assert len(dataset) == 6
    assert dataset.num_classes == 3


def test_images_follow_from_their_numbers_alone() -> None:
    few, many = EmbeddedFaces(3, 2, cache=False), EmbeddedFaces(50, 4, cache=False)
    # the second image of identity 2
    np.testing.assert_array_equal(few.image(5), many.image(9))
    np.testing.assert_array_equal(few.image(5), EmbeddedFaces(3, 2, cache=False).image(5))


def test_another_process_sees_the_same() -> None:
    drawn, cached = EmbeddedFaces(3, 2, cache=False), EmbeddedFaces(3, 2)
    np.testing.assert_array_equal(image_of_another_process(drawn, 3), cached.image(3))
    np.testing.assert_array_equal(image_of_another_process(cached, 3), cached.image(3))


def test_splits_and_seeds_share_nobody() -> None:
    sets = [
        EmbeddedFaces(40, 1, split, seed, cache=False)
        for split in ("train", "test")
        for seed in (0, 1)
    ]
    faces = [data.population.face(identity) for data in sets for identity in range(40)]
    assert len(set(faces)) == 160
    assert len({name for data in sets for name in data.identities}) == 160


def test_names_are_unique_and_safe() -> None:
    names = [invented_name(number) for number in range(20_000)]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalpha() and name.isascii() for name in names)


def test_describe_names_the_person() -> None:
    dataset = EmbeddedFaces(3, 2, "test", seed=4, cache=False)
    assert dataset.describe(3) == f"embedded face {dataset.identities[1]} 2 (test, seed 4)"


def test_cache_equals_drawing_on_demand() -> None:
    cached, drawn = EmbeddedFaces(4, 3), EmbeddedFaces(4, 3, cache=False)
    np.testing.assert_array_equal(all_images(cached), all_images(drawn))
    cached.image(0)[:] = 0  # a copy: the cache stays as it is
    np.testing.assert_array_equal(cached.image(0), drawn.image(0))


def test_cache_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = EmbeddedFaces(3, 2)
    monkeypatch.delattr(cache_module, "_render_all")
    np.testing.assert_array_equal(EmbeddedFaces(3, 2).image(4), first.image(4))


def test_cache_in_several_processes(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cache_module, "_ALONE", 4)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    np.testing.assert_array_equal(
        all_images(EmbeddedFaces(5, 3)), all_images(EmbeddedFaces(5, 3, cache=False))
    )
    assert "drawing embedded faces: 100%" in capfd.readouterr().err


def test_two_writers_at_once(cache_folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: EmbeddedFaces(6, 4), range(2))
    np.testing.assert_array_equal(all_images(first), all_images(second))
    assert len(list(cache_folder.rglob("*.*"))) == 1


def test_broken_off_rendering_leaves_nothing(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_module, "render_range", fail)
    with pytest.raises(KeyboardInterrupt):
        EmbeddedFaces(3, 2)
    assert not list(cache_folder.rglob("*.*"))


def test_failed_worker_is_reported(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_ALONE", 1)
    monkeypatch.setattr(cache_module.sys, "executable", "false")
    with pytest.raises(DataError, match="exit code 1"):
        EmbeddedFaces(3, 2)
    assert not list(cache_folder.rglob("*.*"))


def test_removed_cache_is_reported() -> None:
    dataset = EmbeddedFaces(3, 2)
    assert dataset.cache is not None
    dataset.cache.unlink()
    with pytest.raises(DataError, match="construct EmbeddedFaces again"):
        dataset.image(0)


def test_pickles_small_after_use() -> None:
    dataset = EmbeddedFaces(20, 2)
    dataset.image(0)
    assert len(pickle.dumps(dataset)) < 4000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"identities": 1}, "identities of at least 2, got 1"),
        ({"images_per_identity": 0}, "images_per_identity of at least 1, got 0"),
        ({"seed": -1}, "seed of at least 0, got -1"),
        ({"split": "dev"}, "expected 'train' or 'test', got 'dev'"),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        EmbeddedFaces(**arguments, cache=False)


@pytest.mark.parametrize("index", [-1, 6])
def test_index_outside(index: int) -> None:
    with pytest.raises(IndexError, match=f"0..5, got {index}"):
        EmbeddedFaces(3, 2, cache=False).image(index)


def test_changed_pixels_need_a_new_version() -> None:
    # when this fails: raise RENDERER_VERSION, or caches keep the old pixels; then adapt the values
    brightness = all_images(EmbeddedFaces(4, 2, cache=False)).mean(axis=(1, 2, 3))
    expected = [114.2, 77.6, 137.7, 127.8, 110.8, 162.3, 90.8, 39.8]
    assert RENDERER_VERSION == 3
    np.testing.assert_allclose(brightness, expected, atol=0.3)


def test_grid_has_a_row_for_each_identity() -> None:
    dataset = EmbeddedFaces(3, 4)
    picture = grid(dataset, 2, 3)
    assert picture.shape == (224, 336, 3)
    np.testing.assert_array_equal(picture[112:, 224:], dataset.image(6))
    with pytest.raises(DataError, match="3 people with 4"):
        grid(dataset, 4, 1)


def distances(dataset: EmbeddedFaces, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Of genuine and of impostor pairs, between small edge pictures free of brightness."""
    pairs = verification_pairs(dataset.num_classes, 4, 60, folds=2)
    small = [
        cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        for image in all_images(dataset)
    ]
    grey = np.stack(small).astype(float).mean(axis=3).reshape(len(dataset), -1)
    grey = (grey - grey.mean(1, keepdims=True)) / grey.std(1, keepdims=True)
    grey -= grey.mean(axis=0)
    distance = np.linalg.norm(grey[pairs.first] - grey[pairs.second], axis=1)
    return distance[pairs.same], distance[~pairs.same]


@pytest.mark.parametrize("side", [28, 14])
def test_genuine_pairs_are_more_alike(side: int) -> None:
    genuine, impostor = distances(EmbeddedFaces(60, 4, "test"), side)
    wins = (genuine[:, None] < impostor[None]).mean()
    # alike, but a comparison of pixels is far from enough
    assert 0.58 < wins < 0.85


def test_lfw_layout(tmp_path: Path) -> None:
    dataset, pairs = EmbeddedFaces(12, 3), verification_pairs(12, 3, 4, folds=3)
    write_lfw_layout(dataset, tmp_path, pairs)
    header, *lines = (tmp_path / "pairs.txt").read_text().splitlines()
    assert header == "3\t4"
    place = {name: 3 * number - 1 for number, name in enumerate(dataset.identities)}
    for k, line in enumerate(lines):
        name, number, *other = line.split("\t")
        other = [name, *other] if len(other) == 1 else other
        assert (len(line.split("\t")) == 3) == pairs.same[k] == (k % 8 < 4)
        assert place[name] + int(number) == pairs.first[k]
        assert place[other[0]] + int(other[1]) == pairs.second[k]
    assert len(lines) == len(pairs.same)
    name = dataset.identities[2]
    written = cv2.imread(str(tmp_path / "images" / name / f"{name}_0002.jpg"))[..., ::-1]
    assert np.abs(written.astype(int) - dataset.image(7)).mean() < 4
    assert len(list((tmp_path / "images").rglob("*.jpg"))) == 36


def test_lfw_layout_of_pairs_of_another_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the data set has 9 images"):
        write_lfw_layout(EmbeddedFaces(3, 3), tmp_path, verification_pairs(12, 3, 4, folds=3))
