"""What is written is read back, whatever it is; what is read is a value or a DataError."""

import json
import struct
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr_lightning.cli.yaml_files import read_yaml
from lrfr_lightning.datasets.bin_file import read_bin, write_bin
from lrfr_lightning.datasets.image_list import read_list
from lrfr_lightning.datasets.lfw import image_name, read_pairs, read_people
from lrfr_lightning.datasets.mat_lists import mat_names, mat_numbers, write_mat
from lrfr_lightning.datasets.record_file import MAGIC, RecordFile, as_record
from lrfr_lightning.embedders.metadata import read_metadata, read_pixel_spec
from lrfr_lightning.protocols.outcomes import Outcomes, read_outcomes
from lrfr_lightning.protocols.result import read_results
from lrfr_lightning.recognition import Thresholds
from lrfr_lightning.utils.errors import DataError

# the same examples every time: a test that fails now and then helps nobody
settings.register_profile("repeat", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("repeat")

MAGIC_BYTES = struct.pack("<I", MAGIC)
NAMES = st.text("abcXYZ0189_-.äß漢 ", min_size=1, max_size=20).filter(
    lambda name: name.strip() == name and name.strip(".")
)
PAYLOADS = st.lists(st.one_of(st.binary(max_size=9), st.just(MAGIC_BYTES)), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def written(data: bytes) -> Path:
    """A file of its own for every example."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(data)
    return Path(file.name)


@given(st.lists(PAYLOADS, min_size=1, max_size=4))
def test_records_come_back(payloads: list[list[bytes]]) -> None:
    whole = [b"".join(parts) for parts in payloads]
    records = [as_record(payload) for payload in whole]
    path = written(b"".join(records))
    starts = np.cumsum([0, *map(len, records)]).tolist()
    file = RecordFile(path)
    assert [file.payload(key, starts[key]) for key in range(len(whole))] == whole
    path.unlink()


@given(
    st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=30), st.booleans()), min_size=1),
    st.integers(0, 5),
)
def test_pairs_of_images_come_back(pairs: list[tuple[bytes, bytes, bool]], protocol: int) -> None:
    images = [image for first, second, _ in pairs for image in (b"x" + first, b"x" + second)]
    path = written(b"")
    write_bin(path, images, np.asarray([same for *_, same in pairs]), protocol)
    found, same = read_bin(path)
    assert found == images
    assert same.tolist() == [same for *_, same in pairs]
    path.unlink()


@given(st.lists(st.tuples(NAMES, st.integers(0, 2**53)), min_size=1, max_size=8))
def test_lists_of_matlab_come_back(rows: list[tuple[str, int]]) -> None:
    path = written(b"")
    names, numbers = zip(*rows, strict=True)
    write_mat(path, names=np.asarray(names), ids=np.asarray(numbers))
    assert mat_names(path, "names")[:, 0].tolist() == list(names)
    assert mat_numbers(path, "ids").tolist() == list(numbers)
    path.unlink()


@given(st.lists(st.tuples(NAMES, st.integers(0, 10**6), NAMES, st.integers(0, 10**6)), min_size=1))
def test_pairs_lists_come_back(rows: list[tuple[str, int, str, int]]) -> None:
    genuine = [f"{one}\t{i}\t{j}" for one, i, _, j in rows]
    impostor = [f"{one}\t{i}\t{other}\t{j}" for one, i, other, j in rows]
    path = written("\n".join([str(len(rows)), *genuine, *impostor]).encode())
    pairs, folds = read_pairs(path)
    assert folds == 1
    assert [pair.second for pair in pairs[: len(rows)]] == [image_name(a, j) for a, _, _, j in rows]
    assert [pair.second for pair in pairs[len(rows) :]] == [image_name(b, j) for _, _, b, j in rows]
    path.unlink()


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1))
def test_lists_of_images_come_back(rows: list[tuple[str, str]]) -> None:
    path = written("".join(f"{image}\t{label}\n" for image, label in rows).encode())
    assert list(zip(*read_list(path), strict=True)) == rows
    path.unlink()


@given(st.lists(st.tuples(st.booleans(), st.integers(-(2**31), 2**31 - 1)), min_size=1))
def test_outcomes_come_back(rows: list[tuple[bool, int]]) -> None:
    correct = np.asarray([right for right, _ in rows])
    people = np.asarray([[who, 0] for _, who in rows], np.int32)
    found = read_outcomes(Outcomes("verification", "ab", "accuracy", correct, people).to_json())
    assert found.correct.tolist() == correct.tolist()
    assert found.people is not None
    assert found.people.tolist() == people.tolist()


READERS: dict[str, Callable[[Path], Any]] = {
    "results": read_results,
    "thresholds": Thresholds.load,
    "metadata": lambda path: read_metadata({"lrfr.model": path.read_text()}, path),
    "pixels": lambda path: read_pixel_spec({"lrfr.pixel_spec": path.read_text()}, path),
    "pairs": read_pairs,
    "people": read_people,
    "list": read_list,
}


@pytest.mark.parametrize("name", READERS)
@given(content=JSON, whole=st.booleans())
def test_any_json_is_read_or_refused(name: str, content: Any, whole: bool) -> None:
    path = written(json.dumps(content if whole else {"results": [content], "format": 1}).encode())
    with suppress(DataError):
        READERS[name](path)
    path.unlink()


@pytest.mark.parametrize("name", ["pairs", "people", "list"])
@given(text=st.text("aB1²\t\n\r /.\0\ufeff漢", max_size=40))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    path = written(text.encode())
    with suppress(DataError):
        READERS[name](path)
    path.unlink()


@given(
    st.dictionaries(st.text("ab", min_size=1), st.lists(st.integers() | st.text("xy ")), min_size=1)
)
def test_settings_are_what_yaml_says(content: dict[str, Any]) -> None:
    path = written(yaml.safe_dump(content).encode())
    assert read_yaml(str(path), "settings") == content
    path.unlink()
