import io
from dataclasses import replace

import pytest
from PIL import Image

from lrfr_lightning.reports.blocks import group
from lrfr_lightning.reports.curves import curve_figures
from lrfr_lightning.reports.drawing import inline_svg, png_bytes
from lrfr_lightning.reports.figures import accuracy_figure
from lrfr_lightning.reports.styles import line_styles

STYLES = line_styles(["base", "tuned"])


def drawn(axes, model):
    """The joined line of a model; the caps of its error bars are not joined."""
    found = [
        line
        for line in axes.get_lines()
        if line.get_color() == STYLES[model].color and line.get_linestyle() == "-"
    ]
    assert len(found) == 1
    return found[0]


def test_accuracy_figure_draws_each_model_in_percent(results):
    axes = accuracy_figure(group(results), STYLES).axes[0]
    line = drawn(axes, "base")
    assert list(line.get_xdata()) == [112, 28, 7]
    assert list(line.get_ydata()) == pytest.approx([99.63, 91.2, 55.71])
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["112", "28", "7"]
    assert "chance" in [text.get_text() for text in axes.texts]


def test_a_panel_per_block_and_one_legend(two_blocks):
    third = [replace(result, degraded="first") for result in two_blocks[:6]]
    figure = accuracy_figure(group(two_blocks + third), STYLES)
    assert len(figure.axes) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["base", "tuned"]


def test_no_chance_level_without_accuracy(results):
    ranks = [replace(result, metrics={"rank-1": 0.3}) for result in results]
    axes = accuracy_figure(group(ranks), STYLES).axes[0]
    assert axes.get_ylabel() == "rank-1 (%)"
    assert not axes.texts


def test_unmeasured_points_are_left_out(results):
    some = [replace(results[0], metrics={"accuracy": None}), *results[1:]]
    axes = accuracy_figure(group(some), STYLES).axes[0]
    assert list(drawn(axes, "base").get_xdata()) == [112, 7]


def test_png_is_an_image_of_readme_width(two_blocks):
    data = png_bytes(accuracy_figure(group(two_blocks), STYLES))
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
        assert image.format == "PNG"
        assert image.width == 1600
        assert 600 <= image.height <= 1600
        assert not {"Software", "Creation Time"} & set(image.info)


def test_roc_per_resolution_where_curves_were_kept(results):
    some = [replace(r, curves={}) if r.resolution == 28 else r for r in results]
    figures = curve_figures(some, "ROC", STYLES)
    assert list(figures) == ["112 px", "7 px"]
    axes = figures["112 px"].axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == (0.002, 1)
    assert list(drawn(axes, "tuned").get_ydata()) == [0.1, 0.5, 0.8, 0.95, 1.0]


def test_names_have_no_meaning_in_figures(results):
    names = ["$\\frac{1", "_hidden"]
    odd = [replace(r, model=names[r.model == "tuned"]) for r in results]
    figure = accuracy_figure(group(odd), line_styles(names))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    assert png_bytes(figure)


def test_svg_takes_the_ink_of_the_page_and_repeats_itself(results):
    first, second = (inline_svg(accuracy_figure(group(results), STYLES), "a") for _ in range(2))
    assert first == second
    assert first.startswith("<svg")
    assert "currentColor" in first
    assert "<!--" not in first
    assert "<metadata" not in first


def test_line_styles_differ_beyond_the_palette():
    styles = line_styles([str(number) for number in range(18)])
    assert len(set(styles.values())) == 18
