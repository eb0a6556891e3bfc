"""Galleries: what is kept, changed, refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from small_model import write_people

from lrfr_lightning.recognition import Gallery, Recogniser, enrol
from lrfr_lightning.utils.errors import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), range(4), range(2))


@pytest.fixture(scope="module")
def gallery(folder, recogniser):
    return enrol(recogniser, folder)


def test_holds_what_was_enrolled(gallery, recogniser, folder):
    assert gallery.people == [f"person{i}" for i in range(4)]
    assert [image.source for image in gallery.images[:3]] == [
        "person0/0.png", "person0/1.png", "person1/0.png",
    ]  # fmt: skip
    assert {image.resolution for image in gallery.images} == {112}
    assert gallery.fingerprint == recogniser.embedder.fingerprint()
    assert gallery.pixel_spec == recogniser.embedder.pixel_spec


def test_the_file_gives_it_back(gallery, tmp_path):
    gallery.save(tmp_path / "people.gallery")
    found = Gallery.load(tmp_path / "people.gallery")
    assert np.array_equal(found.embeddings, gallery.embeddings)
    assert replace(found, embeddings=gallery.embeddings) == gallery
    assert list(tmp_path.iterdir()) == [tmp_path / "people.gallery"]


def test_score_is_the_cosine_with_the_mean_of_a_persons_images(gallery):
    probe = np.random.default_rng(0).normal(size=16)
    probe = (probe / np.linalg.norm(probe)).astype(np.float32)
    slow = {}
    for name in gallery.people:
        rows = [e for e, i in zip(gallery.embeddings, gallery.images, strict=True)
                if i.person == name]  # fmt: skip
        mean = np.mean(rows, axis=0)
        slow[name] = float(probe @ mean / np.linalg.norm(mean))
    best = gallery.top(probe[None], 9)
    names = [gallery.people[row] for row in best.row[0]]
    found = dict(zip(names, best.score[0].tolist(), strict=True))
    assert found == pytest.approx(slow, abs=1e-6)
    assert list(found) == sorted(slow, key=slow.get, reverse=True)


def test_merging_removing_and_doing_it_twice(folder, gallery, recogniser, tmp_path):
    more = enrol(recogniser, write_people(tmp_path, range(3, 6), range(1, 3)))
    both = gallery.merged(more)
    # image 1 of person3 is in both
    assert len(both.images) == 8 + 6 - 1
    assert len(both) == 6
    assert both.merged(more).images == both.images
    without = both.without(["person3", "person5"])
    assert without.people == ["person0", "person1", "person2", "person4"]
    kept = [row for row, image in enumerate(both.images) if image.person in without.people]
    assert np.array_equal(without.embeddings, both.embeddings[kept])
    assert len(gallery.without(gallery.people)) == 0
    with pytest.raises(DataError, match="not in the gallery: nobody; it has person0, person1"):
        both.without(["person1", "nobody"])


def test_another_models_gallery_is_refused(gallery, other, recogniser, folder):
    with pytest.raises(DataError, match="made by another model: by small0 .* not by small1"):
        other.check(gallery)
    with pytest.raises(DataError, match="made by another model: by small0 .* not by small1"):
        gallery.merged(enrol(other, folder))
    mirrored = Recogniser(recogniser.embedder, flip=True)
    with pytest.raises(DataError, match="without the mirrored image, this is with the mirrored"):
        mirrored.check(gallery)


def test_the_mirrored_image_is_added(gallery, recogniser, folder):
    mirrored = enrol(Recogniser(recogniser.embedder, flip=True), folder)
    assert mirrored.flip
    assert not np.allclose(mirrored.embeddings, gallery.embeddings, atol=1e-3)


def test_what_cannot_be_enrolled_is_named_before_the_first_is_embedded(recogniser, tmp_path):
    folder = write_people(tmp_path, range(2), range(2))
    (folder / "person0" / "1.png").write_text("a note")
    (folder / "person1" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="2 of 4 images cannot be enrolled:\n(.|\n)*person0/1.png"):
        enrol(recogniser, folder)


def header(**changes):
    made = {"format": 1, "model": "m", "fingerprint": "f", "pixel_spec": {}, "flip": False}
    return json.dumps(made | {"images": [["a", "a/1.jpg", 112, "d"]]} | changes)


ROW = np.ones((1, 4), np.float32)


@pytest.mark.parametrize(
    ("tensor", "text", "reason"),
    [
        (ROW, "{", "Expecting property name"),
        (ROW, header(format=2), "expected format 1"),
        (ROW, header(images=[]), "0 images"),
        (ROW, header(images=[["a"]]), "missing 3 required"),
        (ROW, header(extra=1), "unexpected keyword"),
        (ROW * np.nan, header(), "not finite"),
        (ROW.astype(np.float64), header(), "float64"),
    ],
)
def test_damaged_files(tensor, text, reason, tmp_path: Path):
    save_file({"embeddings": tensor}, tmp_path / "g", {"lrfr.gallery": text})
    with pytest.raises(DataError, match=f"g: expected a gallery as lrfr enroll .*{reason}"):
        Gallery.load(tmp_path / "g")


def test_files_of_another_kind(tmp_path: Path):
    (tmp_path / "g").write_text("a note")
    save_file({"embeddings": ROW}, tmp_path / "weights")
    for name in ("g", "weights", "."):
        with pytest.raises(DataError, match="expected a gallery as lrfr enroll writes it"):
            Gallery.load(tmp_path / name)
    with pytest.raises(DataError, match="gallery not found"):
        Gallery.load(tmp_path / "none")


def test_an_interrupted_write_leaves_the_old_file(gallery, tmp_path, monkeypatch):
    path = tmp_path / "g"
    gallery.save(path)
    before = path.read_bytes()

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lrfr_lightning.recognition.gallery.save_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        gallery.without(["person0"]).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
