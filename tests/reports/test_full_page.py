"""The page of results that hold everything."""

from dataclasses import replace

import pytest
from page import Page

from lrfr_lightning.reports.blocks import group
from lrfr_lightning.reports.html import render_html
from lrfr_lightning.reports.sections import section
from lrfr_lightning.reports.styles import line_styles
from lrfr_lightning.utils.errors import DataError

STYLES = line_styles(["base", "tuned", "raw-pixels"])


@pytest.fixture(scope="module")
def html(full):
    return render_html(full)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_page_holds_every_figure_once(page):
    verification, matrix, search = (
        "lfw-devtest · standard · degraded: both images",
        "lfw-devtest · standard · degraded: probe and gallery, each by its own resolution",
        "survface-open · standard · degraded: first image",
    )
    behind = [
        f"{name}: {what}" for what in ("scores", "norm and sharpness") for name in ("base", "tuned")
    ]
    expected = {
        verification: [
            "accuracy against resolution",
            "ROC at 112 px", "ROC at 7 px", "ROC at 112 px, grey", "ROC at 7 px, grey",
            *behind,
        ],
        matrix: [
            "accuracy against resolution",
            "control: none",
            *(f"ROC at {one} px against {two} px" for one in (112, 7) for two in (112, 7)),
            *behind,
        ],
        search: ["rank-1 against resolution", "CMC at native", "DET at native"],
    }  # fmt: skip
    labels = [f"{label}, {title}" for title, own in expected.items() for label in own]
    assert page.labels == ["Contents", *labels]
    assert page.tags.count("svg") == len(labels)
    assert len(page.ids) == len(set(page.ids))


def test_contents_lead_to_every_section(page):
    assert [f"#{name}" for name in page.ids if name.startswith("section")] == [
        link for link in page.links if link.startswith("#section")
    ]


def test_controls_and_floors_stand_beside_each_number(page):
    text = " ".join(page.text.split())
    assert "raw-pixels (floor)" in text
    assert "none, grey" in text
    assert "floor: no face recogniser" in text
    assert "90.0 [88.0, 91.0]" in text
    assert "70.0 ± 1.0" in text


def test_warning_where_controls_or_floor_are_missing(full):
    def warned(results):
        return section(0, group(results)[0], STYLES).unfounded

    own = [r for r in full if r.degraded == "both"]
    assert not warned(own)
    assert warned([r for r in own if r.control == "none"])
    assert warned([r for r in own if r.model != "raw-pixels"])
    assert not warned([r for r in own if r.model == "base" and r.resolution == 112])


def test_hardest_pairs_are_shown_at_their_size(full, html):
    lowest = [r for r in full if r.resolution == 7]
    encoded = lowest[0].examples[0]["first_png"]
    assert f'<img src="data:image/png;base64,{encoded}" width="7" height="7"' in html
    assert "image-rendering: pixelated" in html
    text = " ".join(Page(html).text.split())
    assert "base at 7 px genuine: lowest scores 0.100 · 7x7 px person0/0001.jpg" in text
    assert "impostor: highest scores 0.600 · 7x7 px person0/0001.jpg" in text


def test_page_looks_behind_the_numbers_without_control_and_on_the_diagonal(full):
    hard = [one.title for block in group(full) for one in section(0, block, STYLES).hard]
    assert hard[:4] == ["base at 112 px", "base at 7 px", "tuned at 112 px", "tuned at 7 px"]
    assert hard[4:6] == ["base at 112 px against 112 px", "base at 7 px against 7 px"]
    assert hard[8:] == ["base at native", "tuned at native"]


@pytest.mark.parametrize(
    "change",
    [
        {"first_png": "bm8gcG5n"},
        {"first_png": '"><script>'},
        {"first_png": "A" * 500_000},
        {"score": None},
        {"second_png": None},
    ],
)
def test_examples_that_are_none(full, change):
    broken = replace(full[0], examples=[full[0].examples[0] | change])
    with pytest.raises(DataError, match="expected examples with kind, score, names and pictures"):
        render_html([broken])


def test_a_picture_too_large(full):
    from full_results import png

    broken = replace(full[0], examples=[full[0].examples[0] | {"first_png": png(300, 1)}])
    with pytest.raises(DataError, match="got ValueError: a picture of 300x300 px"):
        render_html([broken])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tar": [0.5]}, "curves of one length, got 21 of far, 1 of tar"),
        ({"score_edges": [0.0, 1.0]}, "expected 41 score_edges around 40 densities, got 2"),
        ({"sample_norm": [1.0]}, "120 of sample_score, 120 of sample_genuine, 1 of sample_norm"),
    ],
)
def test_curves_that_do_not_fit(full, change, message):
    broken = replace(full[0], curves=full[0].curves | change)
    with pytest.raises(DataError, match=message):
        render_html([broken])
