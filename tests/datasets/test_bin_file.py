"""InsightFace's .bin files: what is read, and what is refused before anything runs."""

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_lightning.datasets.bin_file import BinImages, read_bin, write_bin
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.utils.errors import DataError

IMAGES = [encode_jpeg(np.full((8, 8, 3), 40 * k, np.uint8)) for k in range(6)]
SAME = np.asarray([True, False, True])


def py2_string(data: bytes) -> bytes:
    return b"T" + struct.pack("<i", len(data)) + data


def py2_array(data: bytes) -> bytes:
    """``numpy.frombuffer(data, uint8)`` as Python 2 pickles it with protocol 2."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01J" + struct.pack("<i", len(data)) + b"\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + py2_string(data) + b"tb"
    )


def py2_file(images: list[bytes], same: np.ndarray) -> bytes:
    flags = b"".join(b"\x88" if flag else b"\x89" for flag in same)
    return b"\x80\x02](" + b"".join(images) + b"e](" + flags + b"e\x86."


def forms() -> dict[str, bytes]:
    arrays = [np.frombuffer(image, np.uint8) for image in IMAGES]
    return {
        **{f"bytes-{p}": pickle.dumps((IMAGES, SAME.tolist()), protocol=p) for p in range(6)},
        **{f"arrays-{p}": pickle.dumps((arrays, list(SAME)), protocol=p) for p in range(6)},
        "array of flags": pickle.dumps([IMAGES, SAME]),
        "python 2": py2_file([py2_string(image) for image in IMAGES], SAME),
        "python 2 arrays": py2_file([py2_array(image) for image in IMAGES], SAME),
    }


@pytest.mark.parametrize("form", forms())
def test_reads_every_form(tmp_path: Path, form: str) -> None:
    (tmp_path / "a.bin").write_bytes(forms()[form])
    images, same = read_bin(tmp_path / "a.bin")
    assert images == IMAGES
    assert same.dtype == bool
    assert same.tolist() == SAME.tolist()


@pytest.mark.parametrize("protocol", [2, 4])
def test_an_image_of_several_pairs_is_held_once(tmp_path: Path, protocol: int) -> None:
    a, b, c = IMAGES[:3]
    write_bin(tmp_path / "a.bin", [a, b, b, a, c, c], SAME, protocol)
    images = BinImages(tmp_path / "a.bin")
    assert len(images) == 3
    assert images.first.tolist() == [0, 1, 2]
    assert images.second.tolist() == [1, 0, 2]
    assert images.image(2).shape == (8, 8, 3)
    assert images.describe(2) == f"image 4 of {tmp_path / 'a.bin'}"


class Code:
    """A pickle of it runs a command when it is loaded."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_and_nothing_runs(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "it-ran"
    command = Code(os.system, f"touch {mark}")
    path = tmp_path / "evil.bin"
    path.write_bytes(pickle.dumps((IMAGES, [*SAME.tolist(), command]), protocol=protocol))
    with pytest.raises(DataError, match=r"evil.bin asks for (posix.system|nt.system).* refused"):
        BinImages(path)
    assert not mark.exists()
    pickle.loads(path.read_bytes())  # the file does what it is said to do
    assert mark.exists()


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        (Code(eval, "1"), "builtins.eval"),
        (Code(getattr, "a", "upper"), "builtins.getattr"),
        (Code(np.load, "x.npy"), "numpy.load"),
        (np.float64(1), "a NumPy scalar of type 'f8'"),
        ({"a": 1}, "the pickle instruction EMPTY_DICT"),
        (1.5, "the pickle instruction BINFLOAT"),
    ],
)
def test_whatever_else_is_named(tmp_path: Path, value: Any, asked: str) -> None:
    (tmp_path / "a.bin").write_bytes(pickle.dumps((IMAGES, [True, True, value])))
    with pytest.raises(DataError, match=f"a.bin asks for {asked}"):
        read_bin(tmp_path / "a.bin")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as one"),
        (b"\x80\x02](", "cannot be read as one"),
        (IMAGES[0], "cannot be read as one|asks for"),
        # 2**60 bytes that are not there
        (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"x.", "cannot be read as one"),
        # a place for two thousand million objects
        (b"\x80\x02]r\xff\xff\xff\x7f.", "numbers 2147483647 objects"),
        (pickle.dumps(IMAGES), r"expected \(images, issame\), got list"),
        (pickle.dumps((IMAGES, True)), "expected lists of images and flags, got bool"),
        (pickle.dumps((IMAGES, [True])), "two images for each of 1 pairs, got 6 images"),
        (pickle.dumps(([], [])), "two images for each of 0 pairs"),
        (pickle.dumps((IMAGES, [True, 2, False])), "flags True or False, got 2"),
        (pickle.dumps((["a", "b"], [True])), "image 0: expected encoded bytes or .* got str"),
        (pickle.dumps(([b"a", np.zeros((2, 2), np.uint8)], [True])), "image 1: .* got Array"),
        (pickle.dumps(([b"a", np.zeros(2, np.int64)], [True])), "image 1: .* got Array"),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_bin(tmp_path / "a.bin")


def test_other_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=".bin verification set not found"):
        BinImages(tmp_path / "none.bin")
    with pytest.raises(DataError, match="expected 6 images for 3 pairs, got 1"):
        write_bin(tmp_path / "a.bin", IMAGES[:1], SAME)
    write_bin(tmp_path / "a.bin", [b"text"] * 6, SAME)
    with pytest.raises(DataError, match="cannot decode image 0 of .*a.bin"):
        BinImages(tmp_path / "a.bin").image(0)
    monkeypatch.setattr("lrfr_lightning.datasets.bin_file.MAX_FILE_BYTES", 10)
    with pytest.raises(DataError, match="bytes, expected at most 10"):
        read_bin(tmp_path / "a.bin")
