import os
import pickle

import numpy as np
import pytest

from lrfr_lightning.datasets import image_folder
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.image_folder import ImageFolder, PackedPaths
from lrfr_lightning.utils.errors import ConfigError, DataError

JPEG = encode_jpeg(np.full((8, 8, 3), (200, 100, 50), np.uint8))


def fill(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(JPEG + path.encode())
    return root


def read(faces):
    """Path relative to the root and identity of every image."""
    paths = [os.path.relpath(faces.describe(i), faces.root) for i in range(len(faces))]
    return [
        (path, faces.identities[label]) for path, label in zip(paths, faces.labels, strict=True)
    ]


@pytest.fixture
def people(tmp_path):
    root = tmp_path / "people"
    return fill(root, "eve/2.png", "eve/1.JPG", "bob jr/b.jpeg", "al/x.WebP", "al/w.bmp")


def test_labels_follow_names_not_the_order_of_the_directory(people, monkeypatch):
    expected = [
        ("al/w.bmp", "al"),
        ("al/x.WebP", "al"),
        ("bob jr/b.jpeg", "bob jr"),
        ("eve/1.JPG", "eve"),
        ("eve/2.png", "eve"),
    ]
    assert read(ImageFolder(people)) == expected
    scandir = os.scandir

    class Backwards:
        def __init__(self, path):
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(image_folder.os, "scandir", Backwards)
    faces = ImageFolder(people)
    assert read(faces) == expected
    assert faces.labels.tolist() == [0, 0, 1, 2, 2]
    assert faces.labels.dtype == np.int64


def test_reads_bytes_and_pixels(people):
    faces = ImageFolder(people)
    assert faces.encoded(0) == JPEG + b"al/w.bmp"
    assert faces.encoded(-1) == JPEG + b"eve/2.png"
    assert np.abs(faces.image(0).astype(int) - (200, 100, 50)).max() < 4
    with pytest.raises(IndexError):
        faces.encoded(5)


def test_folders_named_by_numbers_are_in_their_order(tmp_path):
    faces = ImageFolder(fill(tmp_path, "10/a.jpg", "9/a.jpg", "0008/a.jpg"))
    assert faces.identities == ["0008", "9", "10"]


def test_passes_over_what_is_no_image(people):
    expected = read(ImageFolder(people))
    fill(people, "readme.txt", "stray.jpg", ".cache/a.jpg", "al/Thumbs.db", "al/._w.bmp")
    (people / "al" / "folder.jpg").mkdir()
    assert read(ImageFolder(people)) == expected


def test_min_images(people):
    assert ImageFolder(people, min_images=2).identities == ["al", "eve"]
    with pytest.raises(DataError, match=r"none of 3 identities has 3 images .*largest has 2"):
        ImageFolder(people, min_images=3)
    with pytest.raises(ConfigError, match="min_images: expected 1 or more, got 0"):
        ImageFolder(people, min_images=0)


def test_a_missing_root(tmp_path):
    with pytest.raises(DataError, match=r"folder of images not found: .*nowhere"):
        ImageFolder(tmp_path / "nowhere")
    fill(tmp_path, "file.jpg")
    with pytest.raises(DataError, match=r"cannot list .*file.jpg: Not a directory"):
        ImageFolder(tmp_path / "file.jpg")


def test_an_empty_root(tmp_path):
    fill(tmp_path, "a.jpg")
    with pytest.raises(DataError, match="is empty: expected a folder per identity"):
        ImageFolder(tmp_path)


def test_identities_without_an_image(people):
    for i in range(7):
        (people / f"none{i}").mkdir()
    with pytest.raises(DataError, match=r"7 identity folders .*none0, none1.*none4 and 2 more"):
        ImageFolder(people)


def test_a_damaged_image_is_named(people):
    faces = ImageFolder(people)
    (people / "al" / "w.bmp").write_bytes(b"junk")
    (people / "al" / "x.WebP").unlink()
    with pytest.raises(DataError, match=r"cannot decode .*al/w\.bmp"):
        faces.image(0)
    with pytest.raises(DataError, match=r"cannot read image .*al/x\.WebP: No such file"):
        faces.image(1)


def test_an_image_that_is_too_long_is_not_read(people, monkeypatch):
    monkeypatch.setattr(image_folder, "MAX_IMAGE_BYTES", 100)
    with pytest.raises(DataError, match=r"al/w\.bmp has \d+ bytes, expected at most 100"):
        ImageFolder(people).encoded(0)


def listed(people, text):
    path = people.parent / "list.txt"
    path.write_bytes(text.encode())
    return ImageFolder(people, path)


def test_list_keeps_its_order(people):
    faces = listed(people, "eve/2.png 10\nal/w.bmp 9\n\neve/1.JPG 10\n")
    assert read(faces) == [("eve/2.png", "10"), ("al/w.bmp", "9"), ("eve/1.JPG", "10")]
    assert faces.identities == ["9", "10"]
    assert faces.labels.tolist() == [1, 0, 1]


def test_list_with_tabs_spaces_and_windows_ends(people):
    faces = listed(people, "\ufeffbob jr/b.jpeg\tBob Smith\r\nal/w.bmp\t10\r\nal/x.WebP\t9\r\n")
    assert faces.identities == ["10", "9", "Bob Smith"]  # not all are numbers
    assert faces.encoded(0) == JPEG + b"bob jr/b.jpeg"


def test_list_with_min_images(people):
    path = people.parent / "list.txt"
    path.write_text("eve/1.JPG a\nal/w.bmp b\neve/2.png a\n")
    assert read(ImageFolder(people, path, 2)) == [("eve/1.JPG", "a"), ("eve/2.png", "a")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "list of images .* is empty"),
        ("al/w.bmp 1\nbob jr/b.jpeg 1\n", "line 2: expected 'path<tab>label'.* got 'bob jr"),
        ("al/w.bmp\n", "line 1: expected"),
        ("al/w.bmp\t\n", "line 1: expected"),
        ("1\tal/w.bmp\t0\n", "line 1: expected"),
    ],
)
def test_a_wrong_list(people, text, message):
    with pytest.raises(DataError, match=message):
        listed(people, text)


def test_a_list_that_is_no_text(people):
    (people.parent / "list.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(DataError, match="as UTF-8 text"):
        ImageFolder(people, people.parent / "list.txt")
    with pytest.raises(DataError, match="list of images not found"):
        ImageFolder(people, people.parent / "nothing.txt")


def test_a_list_with_missing_images(people):
    lines = ["al/w.bmp 0", "al 1", "b\0b/x.jpg 1", *(f"gone/{i}.jpg 1" for i in range(5))]
    with pytest.raises(DataError, match=r"7 of 8 listed images are not in .*gone/.* and 2 more;"):
        listed(people, "\n".join(lines))


@pytest.mark.parametrize(
    "path", ["../secret/a.jpg", "al/../../secret/a.jpg", "{root}/secret/a.jpg"]
)
def test_a_list_that_leaves_the_root(people, path):
    root = fill(people.parent, "secret/a.jpg")
    with pytest.raises(DataError, match=r"1 listed paths leave the root .*secret"):
        listed(people, f"al/w.bmp 0\n{path.format(root=root)} 1\n")


def test_a_list_that_leaves_the_root_through_links(people):
    fill(people.parent, "secret/a.jpg")
    (people / "folder").symlink_to(people.parent / "secret")
    (people / "al" / "link.jpg").symlink_to(people.parent / "secret" / "a.jpg")
    (people / "al" / "inside.jpg").symlink_to(people / "eve" / "1.JPG")
    for path in ("folder/a.jpg", "al/link.jpg"):
        with pytest.raises(DataError, match="1 listed paths leave the root"):
            listed(people, f"al/w.bmp 0\n{path} 1\n")
    assert listed(people, "al/inside.jpg 0\n").encoded(0) == JPEG + b"eve/1.JPG"


def test_stays_small(people):
    faces = ImageFolder(people)
    assert pickle.loads(pickle.dumps(faces)).encoded(0) == faces.encoded(0)
    paths = [f"identity{i // 20:05d}/{i:06d}.jpg" for i in range(20_000)]
    packed = PackedPaths(paths)
    assert [packed[i] for i in (0, 19_999, -1)] == [paths[0], paths[-1], paths[-1]]
    assert len(pickle.dumps(packed)) < 35 * len(paths)
    assert PackedPaths(["ü/é.jpg", "\udc80"])[1] == "\udc80"
