"""Lists in MATLAB files, and files that are none."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from lrfr_lightning.datasets import mat_lists
from lrfr_lightning.datasets.mat_lists import mat_names, mat_numbers, write_mat
from lrfr_lightning.utils.errors import DataError


def cells(*names: str) -> np.ndarray:
    return np.asarray([[name] for name in names], object)


def test_round_trip(tmp_path: Path) -> None:
    names = np.array([["a.jpg", "bc.jpg"], ["a.jpg", "d.jpg"]])
    write_mat(tmp_path / "a.mat", pairs=names, ids=np.array([3, 1]))
    assert mat_names(tmp_path / "a.mat", "pairs", 2).tolist() == names.tolist()
    assert mat_numbers(tmp_path / "a.mat", "ids").tolist() == [3, 1]
    assert mat_numbers(tmp_path / "a.mat", "ids").dtype == np.int64


@pytest.mark.parametrize("compressed", [True, False])
def test_other_forms_of_the_same(tmp_path: Path, compressed: bool) -> None:
    content = {
        "flat": np.asarray(["a.jpg", "bc.jpg"], object),
        "padded": np.asarray(["a.jpg", "bc.jpg"]),
        "ids": np.asarray([[1], [2]], np.uint16),
        "cells": np.asarray([[1.0], [2.0]], object),
    }
    savemat(tmp_path / "a.mat", content, do_compression=compressed)
    for key in ("flat", "padded"):
        assert mat_names(tmp_path / "a.mat", key)[:, 0].tolist() == ["a.jpg", "bc.jpg"]
    for key in ("ids", "cells"):
        assert mat_numbers(tmp_path / "a.mat", key).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"other": cells("a.jpg")}, "expected a variable 'names' in it, there is none"),
        ({"names": cells("a.jpg", "../../secret")}, r"got 1 that are none: '../../secret'"),
        ({"names": cells("/etc/passwd", "")}, "got 2 that are none"),
        ({"names": np.arange(3.0)}, "got 3 that are none"),
        ({"names": {"a": 1}}, "expected names of image files"),
    ],
)
def test_names_that_are_none(tmp_path: Path, content: dict, message: str) -> None:
    savemat(tmp_path / "a.mat", content)
    with pytest.raises(DataError, match=message):
        mat_names(tmp_path / "a.mat", "names")


@pytest.mark.parametrize("values", [[1.5], [-1.0], [np.nan], np.asarray(["x"], object)])
def test_numbers_that_are_none(tmp_path: Path, values: list) -> None:
    savemat(tmp_path / "a.mat", {"ids": np.asarray(values)})
    with pytest.raises(DataError, match="expected whole numbers from 0"):
        mat_numbers(tmp_path / "a.mat", "ids")


def test_pairs_need_two_columns(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"names": cells("a.jpg")})
    with pytest.raises(DataError, match=r"expected N x 2 names, got shape \(1, 1\)"):
        mat_names(tmp_path / "a.mat", "names", 2)


def test_files_that_are_no_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with pytest.raises(DataError, match="list not found"):
        mat_names(path, "names")
    for data in (b"", b"nothing of the kind", b"\x89HDF\r\n\x1a\n" + bytes(600)):
        path.write_bytes(data)
        with pytest.raises(DataError, match="cannot be read .*expected a MATLAB file of version 5"):
            mat_names(path, "names")
    savemat(path, {"names": cells(*(f"{i}.jpg" for i in range(50)))}, do_compression=True)
    whole = path.read_bytes()
    for cut in (130, 140, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError):
            mat_names(path, "names")


def test_a_file_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mat_lists, "MAX_BYTES", 2**20)
    path = tmp_path / "a.mat"
    savemat(path, {"names": cells("a.jpg")})
    bomb = zlib.compress(bytes(2**24), 9)
    path.write_bytes(path.read_bytes()[:128] + struct.pack("<II", 15, len(bomb)) + bomb)
    assert path.stat().st_size < 2**15
    with pytest.raises(DataError, match="holds more than 1048576 bytes"):
        mat_names(path, "names")
