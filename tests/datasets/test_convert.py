import cv2
import numpy as np
import pytest
from drawn_faces import DrawnFaces

from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.convert import Converted, convert
from lrfr_lightning.datasets.image_folder import ImageFolder
from lrfr_lightning.datasets.parquet import ParquetFaces
from lrfr_lightning.datasets.recordio import RecordIO
from lrfr_lightning.utils.errors import ConfigError, DataError

READERS = {"recordio": RecordIO, "parquet": ParquetFaces, "folder": ImageFolder}
NAMES = [str(number) for number in (2, 9, 10)]


def stored(faces):
    return [faces.encoded(i) for i in range(len(faces))]


@pytest.mark.parametrize("first", READERS)
@pytest.mark.parametrize("second", READERS)
def test_every_form_becomes_every_other(tmp_path, first, second):
    drawn = DrawnFaces(NAMES)
    assert convert(drawn, tmp_path / "first", first) == Converted(images=6, identities=3)
    source = READERS[first](tmp_path / "first")
    convert(source, tmp_path / "second", second)
    faces = READERS[second](tmp_path / "second")
    assert stored(faces) == [encode_jpeg(drawn.image(i)) for i in range(6)]
    assert faces.labels.tolist() == drawn.labels.tolist()
    lost = "recordio" in (first, second)
    assert faces.identities == (["0", "1", "2"] if lost else NAMES)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("form", ["parquet", "folder"])
def test_lossless_images_stay_lossless(tmp_path, form):
    for name, suffix in (("a", ".png"), ("b", ".bmp"), ("c", ".webp")):
        (tmp_path / "source" / name).mkdir(parents=True)
        data = cv2.imencode(suffix, DrawnFaces(["x"]).image(0))[1]
        (tmp_path / "source" / name / f"1{suffix}").write_bytes(data)
    source = ImageFolder(tmp_path / "source")
    convert(source, tmp_path / "out", form)
    faces = READERS[form](tmp_path / "out")
    assert stored(faces) == stored(source)
    assert faces.identities == ["a", "b", "c"]
    convert(source, tmp_path / "rec", "recordio")
    assert all(data.startswith(b"\xff\xd8") for data in stored(RecordIO(tmp_path / "rec")))


@pytest.mark.parametrize("form", READERS)
def test_refuses_a_target_with_files(tmp_path, form):
    target = tmp_path / "out"
    target.mkdir()
    (target / "precious").touch()
    with pytest.raises(DataError, match=r"new or empty folder, .*out has files in it"):
        convert(DrawnFaces(["a"]), target, form)
    assert [path.name for path in target.iterdir()] == ["precious"]
    with pytest.raises(DataError, match=r"new or empty folder at .*precious, a file"):
        convert(DrawnFaces(["a"]), target / "precious", form)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("form", READERS)
def test_fills_an_empty_target(tmp_path, form):
    (tmp_path / "out").mkdir()
    convert(DrawnFaces(["a"]), tmp_path / "out", form)
    assert len(READERS[form](tmp_path / "out")) == 2


def test_refuses_the_target_of_another_run(tmp_path):
    (tmp_path / "out.partial").mkdir()
    with pytest.raises(DataError, match=r"out\.partial exists: another run .* delete it"):
        convert(DrawnFaces(["a"]), tmp_path / "out", "folder")
    assert (tmp_path / "out.partial").exists()


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("error", [DataError("broken"), KeyboardInterrupt()])
def test_an_interrupted_run_leaves_nothing(tmp_path, form, error):
    class Broken(DrawnFaces):
        def image(self, index):
            if index == 3:
                raise error
            return super().image(index)

    with pytest.raises(type(error)):
        convert(Broken(["a", "b"]), tmp_path / "deep" / "out", form)
    assert not list((tmp_path / "deep").iterdir())


@pytest.mark.parametrize(
    "name", ["../out", "/etc", "a/b", "a\\b", "..", "", ".a", "n\0", "x" * 256]
)
def test_names_that_cannot_be_a_folder(tmp_path, name):
    with pytest.raises(DataError, match="1 names of identities cannot name a folder"):
        convert(DrawnFaces(["fine", name]), tmp_path / "out", "folder")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "1.jpg").write_bytes(b"text")
    with pytest.raises(DataError, match=r"1\.jpg is no JPEG, PNG, BMP or WebP"):
        convert(ImageFolder(tmp_path / "in"), tmp_path / "out", "folder")


def test_an_unknown_form(tmp_path):
    with pytest.raises(ConfigError, match="recordio, parquet or folder, got 'lmdb'"):
        convert(DrawnFaces(["a"]), tmp_path / "out", "lmdb")


def test_a_source_without_images(tmp_path):
    with pytest.raises(DataError, match="with images to write"):
        convert(DrawnFaces([]), tmp_path / "out", "folder")


def test_the_order_of_labels_is_the_same_in_every_form(tmp_path):
    names = [f"{name:03d}" for name in np.random.default_rng(0).permutation(30)]
    drawn = DrawnFaces(sorted(names))
    for form, reader in READERS.items():
        convert(drawn, tmp_path / form, form)
        assert reader(tmp_path / form).labels.tolist() == drawn.labels.tolist()
