"""Data sets that a stranger made: sizes, paths and code."""

import json
import os
import pickle
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas  # noqa: F401
import pytest
from scipy.io import savemat

from lrfr_lightning.datasets import bin_pickle, mat_lists
from lrfr_lightning.datasets.bin_file import read_bin
from lrfr_lightning.datasets.codec import decode_image, encode_jpeg
from lrfr_lightning.datasets.ijb import IJBImages, read_faces
from lrfr_lightning.datasets.image_list import read_list
from lrfr_lightning.datasets.inspection.inventory import FileImages
from lrfr_lightning.datasets.inspection.look import look_at
from lrfr_lightning.datasets.lfw import LFWPeople, read_pairs, read_people
from lrfr_lightning.datasets.listed import ListedImages
from lrfr_lightning.datasets.mat_lists import mat_names, mat_numbers
from lrfr_lightning.datasets.parquet import ParquetFaces
from lrfr_lightning.utils import reading
from lrfr_lightning.utils.errors import DataError

JPEG = encode_jpeg(np.zeros((8, 8, 3), np.uint8))


def peak_of(call: Callable[[], Any]) -> int:
    """Most bytes that Python and NumPy had allocated during a call; pandas is here already."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["../secret", "a/b", "..", ".", "", "a\0b"])
def test_lfw_lists_cannot_name_other_folders(tmp_path: Path, name: str) -> None:
    path = tmp_path / "list.txt"
    for line in (f"{name}\t1\t2", f"A\t1\t{name}\t2"):
        path.write_text(f"1\nA\t1\t2\n{line}\n")
        with pytest.raises(DataError, match="line 3: expected 'name<TAB>i<TAB>j'"):
            read_pairs(path)
    path.write_text(f"2\nA\t1\n{name}\t1\n")
    with pytest.raises(DataError, match="line 3: expected 'name<TAB>count'"):
        read_people(path)


def test_lfw_lists_cannot_promise_more_than_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_text("A\t999999999\n")
    with pytest.raises(DataError, match="names 999999999 images, expected at most 1000000"):
        LFWPeople(str(tmp_path), "people.txt")
    for count in ("9" * 5000, "many", "²", "-1"):
        path.write_text(f"A\t{count}\n")
        with pytest.raises(DataError, match="line 1: expected 'name<TAB>count'"):
            read_people(path)
    for first in ("9" * 5000, "²", "0\t5"):
        path.write_text(f"{first}\n")
        with pytest.raises(DataError, match="expected a first line"):
            read_pairs(path)


@pytest.mark.parametrize("read", [read_pairs, read_people, read_list])
def test_one_long_line_is_not_read(tmp_path: Path, read: Any, monkeypatch: Any) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"")
    os.truncate(path, 2**31)  # two thousand million NULs and no end of a line
    with pytest.raises(DataError, match="line 1: expected text of at most 65536 bytes"):
        read(path)
    path.write_bytes(b"A\t1\n\xff\xfe\t1\n")
    with pytest.raises(DataError, match="as UTF-8 text"):
        read(path)
    monkeypatch.setattr(reading, "MAX_LIST_BYTES", 5)
    with pytest.raises(DataError, match="expected a text file of at most 5 bytes"):
        read(path)


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "{root}/secret.jpg", "link.jpg", "out/secret.jpg"]
)
def test_listed_images_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    folder = tmp_path / "loose_crop"
    folder.mkdir()
    (folder / "own.jpg").write_bytes(JPEG)
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "out").symlink_to(tmp_path)
    (folder / "inside.jpg").symlink_to("own.jpg")
    assert ListedImages(folder, ["own.jpg", "inside.jpg"]).image(1).shape == (8, 8, 3)
    for kind in (ListedImages, lambda *given: IJBImages(*given, np.zeros((2, 5, 2)))):
        with pytest.raises(DataError, match="1 listed paths leave the root .*loose_crop"):
            kind(folder, ["own.jpg", name.format(root=tmp_path)])


def test_pipes_and_devices_are_no_images(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    looks = look_at(FileImages(tmp_path, ["pipe.jpg", "zero.jpg"]))
    assert all("is no regular file" in look.error for look in looks)
    with pytest.raises(DataError, match="2 of 2 listed images are missing"):
        ListedImages(tmp_path, ["pipe.jpg", "none.jpg"])


def ijb(folder: Path, **changes: str) -> Path:
    (folder / "meta").mkdir()
    points = "1.jpg " + " ".join(map(str, range(10))) + " 0.9\n"
    files = {"face_tid_mid": "1.jpg 1 1\n", "name_5pts_score": points} | changes
    for name, text in files.items():
        (folder / "meta" / f"ijbc_{name}.txt").write_text(text)
    return folder


def test_a_wide_line_does_not_make_a_wide_table(tmp_path: Path) -> None:
    wide = "\n" + " ".join(["1"] * 20_000) + "\n" + "1\n" * 20_000
    root = str(ijb(tmp_path, face_tid_mid=wide))

    def read() -> None:
        with pytest.raises(DataError, match="expected 3 columns, got 20000"):
            read_faces(root, "ijbc")

    assert peak_of(read) < 2**24  # as a table it has 3,200 million bytes


def test_a_quote_does_not_join_lines(tmp_path: Path) -> None:
    quoted = '1.jpg 1 "1\n' + " ".join(["1"] * 20_000) + '"\n'
    with pytest.raises(DataError, match="face_tid_mid.txt cannot be read"):
        read_faces(str(ijb(tmp_path, face_tid_mid=quoted)), "ijbc")


@pytest.mark.parametrize("number", ["inf", "1e300", "nan", "-inf"])
def test_landmarks_that_lie_nowhere(tmp_path: Path, number: str) -> None:
    points = f"1.jpg {number} " + " ".join(map(str, range(9))) + " 0.9\n"
    with pytest.raises(DataError, match="expected numbers, one in every column"):
        read_faces(str(ijb(tmp_path, name_5pts_score=points)), "ijbc")


def element(kind: int, data: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(
    form: int, shape: tuple[int, ...], *parts: bytes, name: bytes = b"", order: str = "<"
) -> bytes:
    flags = element(6, struct.pack(f"{order}II", form, 0), order)
    dims = element(5, struct.pack(f"{order}{len(shape)}i", *shape), order)
    return element(14, flags + dims + element(1, name, order) + b"".join(parts), order)


def mat(path: Path, *variables: bytes, order: str = "<") -> Path:
    version = b"\0\1IM" if order == "<" else b"\1\0MI"
    path.write_bytes(b"MATLAB 5.0".ljust(124) + version + b"".join(variables))
    return path


TEXT = matrix(4, (1, 5), element(16, b"a.jpg"))


def nested(depth: int) -> bytes:
    return TEXT if depth == 0 else matrix(1, (1, 1), nested(depth - 1))


def test_mat_files_made_by_hand_are_read(tmp_path: Path) -> None:
    for order in "<>":
        text = matrix(4, (1, 5), element(16, b"a.jpg", order), order=order)
        cells = matrix(1, (1, 2), text, text, name=b"names", order=order)
        path = mat(tmp_path / "a.mat", cells, order=order)
        assert mat_names(path, "names").ravel().tolist() == ["a.jpg"] * 2


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (matrix(1, (2**30, 1), TEXT, name=b"names"), "claims .1073741824, 1. elements"),
        (matrix(1, (2**16, 2**15), TEXT, name=b"names"), "claims .65536, 32768. elements"),
        (matrix(1, (-1, 1), TEXT, name=b"names"), "claims .-1, 1. elements"),
        (matrix(1, (1, 1), TEXT, TEXT, name=b"names"), "expected 1 cells, got 2"),
        (matrix(4, (1, 40), element(16, b""), name=b"names"), "expected 40 values, got 0 bytes"),
        (matrix(6, (1, 2), element(99, bytes(16)), name=b"names"), "bytes of kind 99"),
        (matrix(2, (1, 1), name=b"names"), "got a variable of class 2"),
        (matrix(1, (1, 1), nested(5), name=b"names"), "cells nested more than 3 deep"),
        (matrix(1, (1, 1), TEXT, name=b"names")[:-8], "ends within a part"),
        (element(3, b"12345678"), "got a part of kind 3"),
        (matrix(6, (1, 0), element(9, b""), name=b"names"), "the list 'names', it is empty"),
    ],
)
def test_mat_shapes_are_held_against_the_bytes(
    tmp_path: Path, variable: bytes, message: str
) -> None:
    path = mat(tmp_path / "a.mat", variable)
    with pytest.raises(DataError, match=message):
        mat_names(path, "names")


def test_mat_bombs_of_either_byte_order(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(mat_lists, "MAX_BYTES", 2**20)
    for order in "<>":
        numbers = matrix(6, (1, 2**21), element(9, bytes(2**24), order), name=b"ids", order=order)
        packed = zlib.compress(numbers)
        variable = struct.pack(f"{order}II", 15, len(packed)) + packed
        path = mat(tmp_path / "a.mat", variable, order=order)
        with pytest.raises(DataError, match="holds more than 1048576 bytes"):
            mat_numbers(path, "ids")
    os.truncate(path, 2**40)
    with pytest.raises(DataError, match="has 1099511627776 bytes, expected at most 1048576"):
        mat_numbers(path, "ids")


def test_mat_files_of_version_4_are_none_and_wild_numbers_neither(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"ids": np.ones((3, 1))}, format="4")
    with pytest.raises(DataError, match="expected a MATLAB file of version 5 to 7"):
        mat_numbers(path, "ids")
    savemat(path, {"ids": np.asarray([[1e300]])})
    with pytest.raises(DataError, match="expected whole numbers from 0"):
        mat_numbers(path, "ids")


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def array_of(data: bytes) -> bytes:
    """``numpy.ndarray`` whose elements are whatever ``data`` puts on the stack."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
        b"(K\1K\1\x85cnumpy\ndtype\nU\2u1K\0K\1\x87R" + data + b"\x89" + data + b"tb"
    )


LAUGHS = b"]q\0" + b"".join(
    b"](h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1]) for i in range(60)
)


@pytest.mark.parametrize(
    "content",
    [
        # bytes(2**30): zeros that nobody wrote
        b"(K\1K\1\x85cnumpy\ndtype\nU\2u1K\0K\1\x87R\x89" + number(2**30) + b"t",
        # the class of arrays, called
        b"cnumpy\nndarray\n(U\2u1K\1\x85K\1tR",
    ],
)
def test_a_bin_gets_no_memory_for_the_asking(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
    whole = start + content + b"b" if content.startswith(b"(") else content
    path.write_bytes(b"\x80\2](" + whole + b"U\1ae](\x88e\x86.")

    def read() -> None:
        with pytest.raises(DataError):
            read_bin(path)

    assert peak_of(read) < 2**24


def test_a_bin_does_not_multiply_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    text = b"X" + struct.pack("<i", 2**16) + b"a" * 2**16 + b"q\1"
    again = b"c_codecs\nencode\nh\1U\6latin1\x86R"
    path.write_bytes(b"\x80\2" + text + b"0](" + again * 4000 + b"e](" + b"\x88" * 2000 + b"e\x86.")

    def read() -> None:
        with pytest.raises(DataError, match="makes more bytes than it has"):
            read_bin(path)

    assert peak_of(read) < 2**24  # of 262 million bytes
    image = bytearray(2**16)
    path.write_bytes(pickle.dumps(([image] * 4000, [True] * 2000), 5))
    assert peak_of(lambda: read_bin(path)) < 2**24


def test_a_flag_that_is_a_tree_is_not_written_out(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x80\2" + LAUGHS + b"0](U\1aU\1be](h\x3ce\x86.")
    with pytest.raises(DataError, match="expected flags True or False, got list"):
        read_bin(path)


def test_a_bin_of_too_many_objects(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(bin_pickle, "MAX_INSTRUCTIONS", 1000)
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x80\2](" + b"]" * 1000 + b"e.")
    with pytest.raises(DataError, match="more than 1000 instructions"):
        read_bin(path)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(x) print\n%%EOF\n"


def test_an_image_that_is_a_program_is_not_run(tmp_path: Path, monkeypatch: Any) -> None:
    mark = tmp_path / "it-ran"
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), os.pathsep)
    (tmp_path / "a.jpg").write_bytes(EPS)
    (look,) = look_at(FileImages(tmp_path, ["a.jpg"]))
    assert "that are no image" in look.error
    with pytest.raises(DataError, match="cannot decode"):
        decode_image(EPS, "a.jpg")
    assert not mark.exists()


@pytest.mark.parametrize("suffix", [".jp2", ".tiff", ".ppm"])
def test_other_formats_are_none(suffix: str) -> None:
    data = bytes(cv2.imencode(suffix, np.zeros((16, 16, 3), np.uint8))[1])
    with pytest.raises(DataError, match="expected an encoded image .JPEG, PNG, BMP, WebP."):
        decode_image(data, "a")


def test_one_image_under_many_rows_is_held_once(tmp_path: Path, monkeypatch: Any) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.setattr("lrfr_lightning.datasets.parquet_shard.MAX_GROUP_BYTES", 2**22)
    image = np.random.default_rng(0).bytes(100_000)
    plain, hub = [image] * 400, [{"bytes": image, "path": "a"}] * 400
    for images in (plain, hub):
        table = arrow.table({"image": images, "label": [1] * 400})
        parquet.write_table(table, tmp_path / "a.parquet", dictionary_pagesize_limit=2**22)
        del table
        assert (tmp_path / "a.parquet").stat().st_size < 2**17
        faces, before = ParquetFaces(tmp_path / "a.parquet"), arrow.total_allocated_bytes()
        assert faces.encoded(399) == image
        assert arrow.total_allocated_bytes() - before < 2**20  # written out they have 40 million


def test_more_rows_than_bytes(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = arrow.table({"image": [b"x"] * 100_000, "label": [1] * 100_000})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"claims 100000 rows of images in \d{3,4} bytes"):
        ParquetFaces(tmp_path / "a.parquet")


def test_a_huge_cell(tmp_path: Path, monkeypatch: Any) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(
        arrow.table({"image": [b"x" * 200], "label": ["a"]}), tmp_path / "a.parquet"
    )
    monkeypatch.setattr("lrfr_lightning.datasets.parquet.MAX_IMAGE_BYTES", 100)
    with pytest.raises(DataError, match="row 0 of .*a.parquet has 200 bytes, expected at most 100"):
        ParquetFaces(tmp_path / "a.parquet").encoded(0)


class Touch:
    """A pickle of it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_streamed_items_are_not_unpickled(tmp_path: Path) -> None:
    pytest.importorskip("litdata")
    from fuzz.seeds import Drawn

    from lrfr_lightning.datasets.streamed import StreamedFaces, write_streamed

    folder, mark = tmp_path / "set", tmp_path / "it-ran"
    write_streamed(Drawn(), folder)
    good = json.loads((folder / "images" / "index.json").read_text())
    data = (folder / "images" / "chunk-0-0.bin").read_bytes()
    pickled = pickle.dumps(Touch(mark))
    changes: list[dict[str, Any]] = [
        {"config": good["config"] | {"data_format": ["pickle"]}},
        {"config": good["config"] | {"compression": "zstd"}},
        {"chunks": [good["chunks"][0] | {"filename": "../../secret"}]},
        {"chunks": None},
    ]
    start = struct.unpack_from("<I", data, 4)[0]
    (folder / "images" / "chunk-0-0.bin").write_bytes(data[:start] + pickled + data[start:])
    for number, change in enumerate(changes):
        text = json.dumps(good | change | {"updated_at": str(number)})
        (folder / "images" / "index.json").write_text(text)
        with pytest.raises(DataError, match="none that write_streamed made|cannot open"):
            StreamedFaces(str(folder)).encoded(0)
    assert not mark.exists()
