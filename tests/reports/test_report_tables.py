import subprocess
import sys
from dataclasses import replace

import pytest

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import group
from lrfr_lightning.reports.table import Cell, full_table, headline, main_table, threshold_table
from lrfr_lightning.utils.errors import DataError

DASH = "\u2013"


def with_metrics(result: ProtocolResult, **metrics: float | None) -> ProtocolResult:
    return replace(result, metrics={**result.metrics, **metrics})


def test_main_table_holds_each_accuracy_and_marks_the_best(results):
    table = main_table(results)
    assert table.header == ("model", "112 px", "28 px", "7 px")
    assert table.rows == (
        (
            Cell("base"),
            Cell("99.6 ± 1.2", best=True),
            Cell("91.2 ± 1.2", best=True),
            Cell("55.7 ± 1.2"),
        ),
        (
            Cell("tuned"),
            Cell("99.0 ± 1.2"),
            Cell("91.2 ± 1.2", best=True),
            Cell("70.1 ± 1.2", best=True),
        ),
    )


def test_no_best_without_a_rival(results):
    cells = [cell for row in main_table(results[:3]).rows for cell in row]
    assert not any(cell.best for cell in cells)


@pytest.mark.parametrize("value", [None, float("nan")])
def test_unmeasured_and_absent_results_print_a_dash(results, value):
    some = [with_metrics(results[0], accuracy=value), *results[1:5]]
    base, tuned = main_table(some).rows
    assert base[2] == Cell(DASH)
    assert tuned[1] == Cell(DASH)
    assert not tuned[2].best


def test_accuracy_without_std(results):
    assert main_table([with_metrics(results[0], accuracy_std=None)]).rows[0][1] == Cell("91.2")


def test_full_table_has_every_metric_of_every_result(results):
    table = full_table(group(results)[0].results)
    names = ("accuracy ± std", "EER", "AUC", "TAR@FAR=0.01", "TAR@FAR=0.001")
    assert table.header == ("model", "px", *names)
    assert [(row[0].text, row[1].text) for row in table.rows] == [
        (name, size) for name in ("base", "tuned") for size in ("112", "28", "7")
    ]
    first = [cell.text for cell in table.rows[0]]
    assert first == ["base", "112", "99.63 ± 1.20", "5.43", "98.77", "81.25", DASH]


def test_full_table_shows_the_counts_that_differ(results):
    fewer = replace(results[1], counts={"pairs": 1998, "images": 1720})
    table = full_table([results[0], fewer])
    assert table.header[-4:] == ("pairs", "genuine", "impostor", "folds")
    assert [cell.text for cell in table.rows[1][-4:]] == ["1,998", DASH, DASH, DASH]


def test_threshold_table(results):
    table = threshold_table([results[0], replace(results[1], thresholds={})])
    assert table is not None
    assert table.header == ("model", "px", "accuracy", "TAR@FAR=0.01")
    assert [cell.text for cell in table.rows[0][2:]] == ["0.2468", "0.3100"]
    assert [cell.text for cell in table.rows[1][2:]] == [DASH, DASH]
    assert threshold_table([replace(results[0], thresholds={})]) is None


def test_identification_has_its_own_headline(results):
    ranks = replace(results[0], metrics={"eer": 0.1, "rank-1": 0.5, "rank-5": 0.75})
    assert headline([ranks]) == "rank-1"
    assert main_table([ranks]).rows[0][1].text == "50.0"


def test_group_splits_what_cannot_be_compared(two_blocks):
    standard, deck = group(two_blocks)
    assert standard.title == "lfw-devtest · standard · flip: yes"
    assert deck.title == "lfw-devtest · deck · flip: no"
    assert deck.facts["setting"] == "deck (as the slides measured)"
    assert [r.resolution for r in deck.results] == [112, 28, 7] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": "xqlfw"},
        {"setting": "deck"},
        {"degraded": "first"},
        {"down": "area"},
        {"up": "nearest"},
        {"flip": False},
    ],
)
def test_each_condition_makes_a_block(results, change):
    assert len(group([results[0], replace(results[0], **change)])) == 2


def test_facts_give_the_counts_and_their_range(results):
    fewer = replace(results[1], counts={**results[1].counts, "pairs": 998})
    facts = group([results[0], fewer])[0].facts
    assert facts["degraded"] == "both images"
    expected = "1,720 images, 998 to 1,000 pairs, 500 genuine, 500 impostor, 10 folds"
    assert facts["counts"] == expected


def test_two_results_for_one_measurement(results):
    with pytest.raises(DataError, match=r"'base' has two results for 28 px / lfw.* rename"):
        group([*results, results[0]])


def test_no_results():
    with pytest.raises(DataError, match="no results to report"):
        group([])


def test_tables_load_neither_figures_nor_pages():
    code = (
        "import sys, lrfr_lightning.protocols.result\n"
        "before = set(sys.modules)\n"
        "import lrfr_lightning.reports.table, lrfr_lightning.reports.markdown\n"
        "sys.exit(bool({'matplotlib', 'torch', 'jinja2'} & (set(sys.modules) - before)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
