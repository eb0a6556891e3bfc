"""Errors by group of people: known answers, and every rate counted pair by pair."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import binomtest

from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.embedded import verification_pairs, write_bin_layout, write_lfw_layout
from lrfr_lightning.datasets.groups import image_groups
from lrfr_lightning.functional.error_rates import error_interval, exact_interval
from lrfr_lightning.protocols import EmbeddedVerification, LFWVerification
from lrfr_lightning.protocols.bin import BinVerification
from lrfr_lightning.utils.errors import DataError

SIZE = {"identities": 40, "images_per_identity": 6, "pairs_per_fold": 40}


@pytest.fixture
def table(tmp_path: Path) -> str:
    """The first 15 of forty people are young, the next 20 old, five are in no group."""
    names = EmbeddedFaces(40, 6, "test").identities
    groups = ["young"] * 15 + ["old"] * 20
    lines = [f"{name},{group}" for name, group in zip(names, groups, strict=False)]
    path = tmp_path / "groups.csv"
    path.write_text("name,group\n" + "\n".join(lines) + "\n")
    return str(path)


def embeddings(count: int) -> np.ndarray:
    """A person's images are alike, people of one half a little."""
    rng = np.random.default_rng(0)
    person, half = rng.normal(size=(40, 16)), rng.normal(size=(2, 16))
    each = np.arange(count) // 6
    return person[each] + 0.8 * half[each // 20] + rng.normal(size=(count, 16))


def test_every_rate_is_that_of_counting(table: str) -> None:
    protocol = EmbeddedVerification(**SIZE, resolutions=(112,), groups=table)
    rows = embeddings(240)
    result = protocol.evaluate({112: rows}, "m")[0]
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs, young, old = protocol.pairs, set(range(15)), set(range(15, 35))
    scores = [float(unit[a] @ unit[b]) for a, b in zip(pairs.first, pairs.second, strict=True)]
    impostors = sorted(s for s, same in zip(scores, pairs.same, strict=True) if not same)
    ats = {entry["at"] for entry in result.groups}
    assert ats == {"accuracy", "tar@far=0.1", "tar@far=0.01"}  # 400 impostors: not 0.001
    names = ["all", "old", "young", "old x young"]
    assert [entry["group"] for entry in result.groups] == names * 3
    for entry in result.groups:
        if entry["at"] == "accuracy":
            continue
        far = float(entry["at"].partition("=")[2])
        limit = impostors[-1 - int(far * len(impostors))]
        counts = {True: [0, 0], False: [0, 0]}  # by genuine: pairs, errors
        for score, same, a, b in zip(scores, pairs.same, pairs.first, pairs.second, strict=True):
            sides = {"young" if p in young else "old" if p in old else "" for p in (a // 6, b // 6)}
            if entry["group"] == "all" or sides == set(entry["group"].split(" x ")):
                counts[bool(same)][0] += 1
                counts[bool(same)][1] += (score > limit) != same
        assert (entry["genuine"], entry["impostor"]) == (counts[True][0], counts[False][0])
        for kind, rate, least in ((True, "fnmr", 30), (False, "fmr", max(30, 1 / far))):
            pairs_of, errors = counts[kind]
            expected = errors / pairs_of if pairs_of >= least else None
            assert entry[rate] == pytest.approx(expected)
            if expected is not None:
                low, high = entry[f"{rate}_interval"]
                assert low <= expected <= high
    everybody = {entry["at"]: entry for entry in result.groups if entry["group"] == "all"}
    assert 1 - everybody["tar@far=0.01"]["fnmr"] == pytest.approx(result.metrics["tar@far=0.01"])
    assert everybody["tar@far=0.01"]["fmr"] <= 0.01
    both = everybody["accuracy"]
    accuracy = 1 - (both["fnmr"] * both["genuine"] + both["fmr"] * both["impostor"]) / 800
    assert accuracy == pytest.approx(result.metrics["accuracy"])


def test_a_group_that_is_served_worse_is_found(table: str) -> None:
    protocol = EmbeddedVerification(**SIZE, resolutions=(112,), groups=table)
    rows = embeddings(240)
    rows[: 15 * 6] += 3  # the young look alike
    found = protocol.evaluate({112: rows}, "m")[0].groups
    fmr = {entry["group"]: entry for entry in found if entry["at"] == "tar@far=0.1"}
    assert fmr["young"]["fmr_interval"][0] > fmr["old"]["fmr_interval"][1]
    assert fmr["old x young"]["fmr"] < fmr["young"]["fmr"]


def test_few_pairs_have_no_rate(table: str) -> None:
    size = SIZE | {"pairs_per_fold": 5}
    protocol = EmbeddedVerification(**size, resolutions=(112,), groups=table)
    protocol.intervals = 0
    found = protocol.evaluate({112: embeddings(240)}, "m")[0].groups
    young = next(entry for entry in found if entry["group"] == "young")
    assert 0 < young["genuine"] < 30
    assert young["fnmr"] is None
    assert "fnmr_interval" not in found[0]


@pytest.mark.parametrize(("errors", "count"), [(0, 40), (3, 40), (40, 40)])
def test_the_exact_interval_is_scipys(errors: int, count: int) -> None:
    expected = binomtest(errors, count).proportion_ci(0.95, "exact")
    assert exact_interval(errors, count) == pytest.approx((expected.low, expected.high))


def test_shared_people_widen_an_interval() -> None:
    errors = np.arange(400) % 2 == 0
    errors[:100] = True
    one_in_many = np.stack([np.arange(400) // 100, np.arange(400) // 100], 1).astype(np.int32)
    wide = error_interval(errors, one_in_many)
    narrow = error_interval(errors, None)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])
    assert error_interval(np.zeros(40, bool), None)[1] == pytest.approx(1 - 0.025 ** (1 / 40))


def test_a_line_of_an_image_goes_before_one_of_its_person(tmp_path: Path) -> None:
    write_lfw_layout(EmbeddedFaces(20, 2, "test"), tmp_path, verification_pairs(20, 2, 2))
    images = LFWVerification(str(tmp_path)).images
    person, image = images.person(0), images.name(0)
    (tmp_path / "g.csv").write_text(f"{person},a\n{image},b\n")
    assert image_groups(images, tmp_path / "g.csv").tolist() == ["b", "a", *[""] * 38]


def test_a_bin_file_is_grouped_by_its_images(tmp_path: Path) -> None:
    write_bin_layout(EmbeddedFaces(20, 2, "test"), tmp_path, verification_pairs(20, 2, 2))
    table = tmp_path / "g.csv"
    table.write_text("".join(f"image {i},{'ab'[i % 2]}\n" for i in range(80)))
    protocol = BinVerification(
        str(tmp_path / "embedded.bin"), resolutions=(112,), groups=str(table)
    )
    rows = np.random.default_rng(0).normal(size=(len(protocol.images), 8))
    found = protocol.evaluate({112: rows}, "m")[0].groups
    assert found[0]["genuine"] == 20
    assert {entry["group"] for entry in found} >= {"all", "a x b"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a,b,c\n", "line 1: expected name,group, got 'a,b,c'"),
        ("name,group\nAnn,\n", "line 2: expected name,group"),
        ("Ann,a\nAnn,b\n", "'Ann' is in two groups, 'a' and 'b'"),
        ("name,group\nAnn,a\n", "1 names, none of an image such as 'embedded face"),
        ("", "0 names"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "g.csv").write_text(content)
    with pytest.raises(DataError, match=says):
        EmbeddedVerification(20, 2, 2, groups=str(tmp_path / "g.csv"))
    with pytest.raises(DataError, match="table of groups not found"):
        EmbeddedVerification(20, 2, 2, groups=str(tmp_path / "none.csv"))


def test_the_command_and_its_report(
    tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--floors", "--groups", table, "--examples", "0", "--intervals", "50"]
    pairs = {"class_path": "EmbeddedVerification", "init_args": SIZE | {"resolutions": [14]}}
    Path("pairs.yaml").write_text(yaml.safe_dump({"protocols": [pairs]}))
    main(["evaluate", "--config", "pairs.yaml", *options])
    entries = json.loads(Path("results.json").read_text())["results"]
    assert [entry["group"] for entry in entries[0]["groups"][:3]] == ["all", "old", "young"]
    said = capsys.readouterr().out
    assert "errors in % by group of people" in said
    assert "old x young" in said
    main(["report", "results.json"])
    page, text = Path("report.html").read_text(), Path("report.md").read_text()
    assert "Errors by group of people" in page
    assert "<td>old x young</td>" in page
    assert "| old x young |" in text
    search = {"class_path": "EmbeddedIdentification", "init_args": {"identities": 20}}
    Path("search.yaml").write_text(yaml.safe_dump({"protocols": [search]}))
    with pytest.raises(SystemExit, match="measured in verification of pairs, not in embedded-1n"):
        main(["evaluate", "--config", "search.yaml", *options])
