"""Damaged files for every reader, a few hundred each, and all that once were read badly."""

from pathlib import Path

import pytest
from fuzz.parsers import PARSERS
from fuzz.worker import Source, write

from lrfr_lightning.utils.errors import ConfigError, DataError

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"
FOUND = sorted(path for path in CORPUS.rglob("*") if path.is_file())
INPUTS = 300


def outcome(name: str, folder: Path) -> str:
    try:
        PARSERS[name].read(folder)
    except (DataError, ConfigError, SystemExit):
        return "refused"
    return "read"


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.filterwarnings("ignore")
def test_damage_is_read_or_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    source, work = Source(name, 1, tmp_path / "seeds"), tmp_path / "work"
    for files in source.good:
        write(files, work)
        assert outcome(name, work) == "read" or name == "metadata"
    kinds = []
    for number in range(INPUTS):
        files, _ = source.files(number)
        write(files, work)
        kinds.append(outcome(name, work))
    # damaged parts of a cache are passed over, with a warning
    assert ("refused" in kinds) == (name != "cache")


@pytest.mark.parametrize("path", FOUND, ids=lambda path: str(path.relative_to(CORPUS)))
@pytest.mark.filterwarnings("ignore")
def test_what_was_found(path: Path, tmp_path: Path) -> None:
    """``corpus/PARSER/NAME/FILE``: the file in place of the good one."""
    name, _, *file = path.relative_to(CORPUS).parts
    (tmp_path / "seeds").mkdir()
    good = Source(name, 1, tmp_path / "seeds").good[0]
    write(good | {"/".join(file): path.read_bytes()}, tmp_path / "work")
    assert outcome(name, tmp_path / "work") in ("read", "refused")
