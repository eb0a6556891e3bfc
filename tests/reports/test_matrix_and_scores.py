"""Figures of a resolution matrix, of scores, and of identification."""

from dataclasses import replace

import numpy as np
import pytest

from lrfr_lightning.reports.blocks import by_control, group
from lrfr_lightning.reports.curves import curve_figures
from lrfr_lightning.reports.figures import accuracy_figure
from lrfr_lightning.reports.heatmap import heatmap_figure
from lrfr_lightning.reports.pictures import hardest, pairs_grid
from lrfr_lightning.reports.scores import histogram_figure, scatter_figure
from lrfr_lightning.reports.styles import line_styles
from lrfr_lightning.reports.table import full_table, main_table

STYLES = line_styles(["base", "tuned", "raw-pixels"])


@pytest.fixture
def matrix(full):
    return next(block for block in group(full) if block.results[0].degraded == "matrix")


def test_heatmap_has_probes_in_rows_and_galleries_in_columns(matrix):
    axes = heatmap_figure(matrix).axes[0]
    assert axes.get_title(loc="left") == "base"
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["112", "7"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["112", "7"]
    assert axes.yaxis_inverted()
    values = np.ma.asarray(axes.collections[0].get_array()).reshape(2, 2)
    np.testing.assert_allclose(values, [[90, 88], [72, 70]])
    assert [text.get_text() for text in axes.texts] == ["90.0", "88.0", "72.0", "70.0"]


def test_heatmap_leaves_out_what_was_not_measured(matrix):
    some = replace(matrix, results=matrix.results[:3])
    axes = heatmap_figure(some).axes[0]
    assert [text.get_text() for text in axes.texts] == ["90.0", "88.0", "72.0"]


def test_matrix_in_the_main_table(matrix):
    table = main_table(matrix.results)
    assert table.header == ("model", "probe", "gallery 112 px", "gallery 7 px")
    texts = [[cell.text for cell in row] for row in table.rows]
    assert texts[:2] == [
        ["base", "112 px", "90.0 [88.0, 91.0]", "88.0 [86.0, 89.0]"],
        ["base", "7 px", "72.0 [70.0, 73.0]", "70.0 [68.0, 71.0]"],
    ]
    best = [[row[0].text, row[1].text] for row in table.rows if row[2].best]
    assert best == [["tuned", "112 px"], ["tuned", "7 px"]]
    assert full_table(matrix.results).header[:3] == ("model", "px", "gallery px")


def test_matrix_against_resolution_is_that_of_the_best_gallery(matrix):
    axes = accuracy_figure([matrix], STYLES).axes[0]
    line = next(
        line
        for line in axes.get_lines()
        if line.get_color() == STYLES["base"].color and line.get_linestyle() == "-"
    )
    assert list(line.get_xdata()) == [112, 7]
    assert list(line.get_ydata()) == pytest.approx([90, 72])
    assert axes.get_xlabel() == "resolution of the probes, gallery 112 px (px)"


def test_a_panel_per_control(full):
    block = group(full)[0]
    parts = by_control(block)
    assert [part.title for part in parts] == [
        f"{block.title} · control: none",
        f"{block.title} · control: grey",
    ]
    assert [len(part.results) for part in parts] == [6, 6]
    assert {r.control for r in parts[1].results} == {"grey"}


def test_controls_compete_among_themselves(full):
    table = main_table(group(full)[0].results)
    assert table.header == ("model", "control", "112 px", "7 px")
    best = [[cell.text for cell in row[:2]] for row in table.rows if row[2].best]
    assert best == [["tuned", "none"], ["tuned", "grey"]]
    assert [row[0].text for row in table.rows][-1] == "raw-pixels (floor)"


def test_error_bars_are_the_interval_and_never_negative(full):
    odd = replace(full[0], intervals={"accuracy": [0.91, 0.95]})
    axes = accuracy_figure(group([odd]), STYLES).axes[0]
    bar = axes.containers[-1].lines[2][0].get_segments()[0]
    assert bar[:, 1].tolist() == pytest.approx([90, 95])


def test_native_images_stand_apart(full):
    native = replace(full[0], resolution=None)
    axes = accuracy_figure(group([full[0], native]), STYLES).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["native", "112"]
    points = [list(line.get_xdata()) for line in axes.get_lines() if line.get_marker() == "o"]
    assert points == [[pytest.approx(112 * 1.6)], [112]]


def test_cmc_and_det(full):
    search = [result for result in full if result.protocol == "survface-open"]
    cmc, det = (
        curve_figures(search, family, STYLES)["native"].axes[0] for family in ("CMC", "DET")
    )
    assert cmc.get_xlim() == (1, 20)
    assert (cmc.get_xlabel(), cmc.get_ylabel()) == ("rank", "identification rate")
    assert (det.get_xlabel(), det.get_ylabel()) == ("FPIR", "FNIR")
    line = next(line for line in det.get_lines() if line.get_color() == STYLES["tuned"].color)
    assert list(line.get_ydata()) == search[1].curves["fnir"]
    assert curve_figures(search, "ROC", STYLES) == {}


def test_histograms_of_one_model(full):
    own = [r for r in full if r.model == "base" and r.degraded == "both" and r.control == "none"]
    figure = histogram_figure(own)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["112 px", "7 px"]
    genuine, _, impostor, _ = figure.axes[0].patches
    np.testing.assert_allclose(genuine.get_data().values, own[0].curves["genuine_density"])
    np.testing.assert_allclose(impostor.get_data().values, own[0].curves["impostor_density"])
    assert figure.axes[0].get_lines()[0].get_xdata()[0] == 0.25
    assert histogram_figure([replace(own[0], curves={})]) is None


def test_scatter_of_one_model(full):
    figure = scatter_figure([full[0]])
    norm, sharpness = figure.axes
    assert norm.get_ylabel() == "smaller norm"
    assert sharpness.get_ylabel() == "smaller sharpness (grey levels)"
    impostor, genuine = (points.get_offsets() for points in norm.collections)
    curves = full[0].curves
    np.testing.assert_allclose(
        genuine, np.column_stack((curves["sample_score"], curves["sample_norm"]))[:60]
    )
    assert len(impostor) == 60
    assert scatter_figure([replace(full[0], curves={})]) is None


def test_grid_of_pairs_is_enlarged_without_smoothing(full):
    pairs = hardest(next(r for r in full if r.resolution == 7), "genuine")
    grid = pairs_grid(pairs, 14)
    assert grid.shape == (28, 28, 3)
    assert np.unique(grid[:14, :14]).tolist() == [40, 255]
    assert (grid[:6, :6] == 255).all()
    assert (grid[6:14, :14] == 40).all()
