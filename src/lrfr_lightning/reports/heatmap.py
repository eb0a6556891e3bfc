"""The headline metric for each pair of probe and gallery resolution."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lrfr_lightning.protocols.result import ProtocolResult, falling, resolution_name
from lrfr_lightning.reports.blocks import Block, model_label, models, resolutions
from lrfr_lightning.reports.drawing import dress
from lrfr_lightning.reports.styles import RC
from lrfr_lightning.reports.values import headline, label, measured

_COLUMNS = 2


def heatmap_figure(block: Block) -> Figure:
    """A panel per model: rows are probe resolutions, columns gallery resolutions.

    Args:
        block: results of a matrix under one control.
    """
    names, metric = models(block.results), headline(block.results)
    columns = min(len(names), _COLUMNS)
    rows = -(-len(names) // columns)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(4.2 * columns + 0.6, 3.4 * rows), layout="constrained")
        every = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, name in zip(every, names, strict=False):
            own = [result for result in block.results if result.model == name]
            mesh = _draw(axes, own, metric)
            dress(axes, model_label(name), "gallery (px)", "probe (px)")
            axes.grid(visible=False)
        for axes in every[len(names) :]:
            axes.set_axis_off()
        figure.colorbar(mesh, ax=list(every), label=f"{label(metric)} (%)", shrink=0.9)
    return figure


def _draw(axes: Axes, results: Sequence[ProtocolResult], metric: str) -> QuadMesh:
    probes = resolutions(results)
    galleries = sorted({result.gallery_resolution for result in results}, key=falling)
    values = np.full((len(probes), len(galleries)), np.nan)
    for result in results:
        place = probes.index(result.resolution), galleries.index(result.gallery_resolution)
        value = measured(result, metric)
        values[place] = np.nan if value is None else value
    low = 50 if metric == "accuracy" else 0
    mesh = axes.pcolormesh(np.ma.masked_invalid(values), cmap="cividis", vmin=low, vmax=100)
    _write(axes, values, dark_below=(low + 100) / 2)
    axes.set_xticks(np.arange(len(galleries)) + 0.5, [resolution_name(px) for px in galleries])
    axes.set_yticks(np.arange(len(probes)) + 0.5, [resolution_name(px) for px in probes])
    axes.tick_params(length=0)
    axes.invert_yaxis()
    return mesh


def _write(axes: Axes, values: NDArray[np.float64], dark_below: float) -> None:
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if value < dark_below else "black"
            axes.text(
                column + 0.5, row + 0.5, f"{value:.1f}", color=colour, ha="center", va="center"
            )
