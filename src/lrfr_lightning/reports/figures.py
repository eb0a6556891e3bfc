"""Figures of results: metric against resolution, and ROC curves; without pyplot's global state."""

import io
import re
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrfr_lightning.protocols.result import ProtocolResult, Resolution, resolution_label
from lrfr_lightning.reports.blocks import Block, models, resolutions
from lrfr_lightning.reports.styles import CHARACTER, INK, RC, LineStyle, add_legend, legend_height
from lrfr_lightning.reports.table import headline, label, measured


def accuracy_figure(blocks: Sequence[Block], styles: Mapping[str, LineStyle]) -> Figure:
    """The headline metric against resolution, a panel per block, error bars of one std."""
    columns = min(len(blocks), 2)
    rows = -(-len(blocks) // columns)
    names = models([result for block in blocks for result in block.results])
    height = (4.0 if columns == 1 else 3.3 * rows) + legend_height(names, 8)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(8, height), layout="constrained")
        for number, block in enumerate(blocks, start=1):
            _draw_accuracy(figure.add_subplot(rows, columns, number), block, styles)
        add_legend(figure, names, styles)
    return figure


def roc_figures(block: Block, styles: Mapping[str, LineStyle]) -> dict[Resolution, Figure]:
    """ROC curves of all models, a figure per resolution; none where no curve was kept."""
    drawn = [result for result in block.results if result.curves.get("far")]
    return {
        size: _roc_figure([result for result in drawn if result.resolution == size], styles)
        for size in resolutions(drawn)
    }


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG, twice as fine as it is shown."""
    with mpl.rc_context(RC), io.BytesIO() as buffer:
        figure.savefig(
            buffer, format="png", dpi=200, facecolor="white", metadata={"Software": None}
        )
        return buffer.getvalue()


def inline_svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element on a clear ground, whose ink is the text colour of the page.

    Args:
        figure: what to draw.
        name: prefix of the ids inside, letters, digits and hyphens; another one per figure.
    """
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context(RC), io.StringIO() as buffer:
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
        drawing = buffer.getvalue()
    drawing = re.sub(r"<!--.*?-->", "", drawing[drawing.index("<svg") :], flags=re.DOTALL)
    drawing = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", drawing)
    return drawing.replace(INK, "currentColor")


def _draw_accuracy(axes: Axes, block: Block, styles: Mapping[str, LineStyle]) -> None:
    metric = headline(block.results)
    sizes = [size for size in resolutions(block.results) if size is not None]
    for name in models(block.results):
        _draw_model(axes, [r for r in block.results if r.model == name], metric, styles[name])
    if metric == "accuracy":
        axes.axhline(50, color=INK, alpha=0.6, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(0.99, 50.5, "chance", transform=axes.get_yaxis_transform(), ha="right")
    axes.set_xscale("log")
    axes.set_xlim(min(sizes) / 1.15, max(sizes) * 1.15)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xticks([], minor=True)
    axes.set_ylim(min(47.5, axes.get_ylim()[0]) if metric == "accuracy" else None, 101)
    _dress(axes, block.title, "resolution (px)", f"{label(metric)} (%)")


def _draw_model(
    axes: Axes, results: Sequence[ProtocolResult], metric: str, style: LineStyle
) -> None:
    known = [r for r in results if r.resolution and measured(r, metric) is not None]
    axes.errorbar(
        [result.resolution or 0 for result in known],
        [measured(result, metric) or 0.0 for result in known],
        [measured(result, f"{metric}_std") or 0.0 for result in known],
        color=style.color,
        marker=style.marker,
        linestyle=style.linestyle,
        linewidth=1.8,
        markersize=5.5,
        capsize=3,
    )


def _roc_figure(results: Sequence[ProtocolResult], styles: Mapping[str, LineStyle]) -> Figure:
    lowest = min((far for r in results for far in r.curves["far"] if far > 0), default=0.1)
    names = models(results)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(4, 3.0 + legend_height(names, 4)), layout="constrained")
        axes = figure.add_subplot()
        for result in results:
            _draw_roc(axes, result, styles[result.model])
        axes.set_xscale("log", nonpositive="mask")
        axes.xaxis.set_major_formatter(lambda far, _: f"{far:g}")
        axes.set_xlim(min(lowest, 0.1), 1)
        axes.set_ylim(0, 1.01)
        _dress(axes, resolution_label(results[0].resolution), "FAR", "TAR")
        add_legend(figure, names, styles)
    return figure


def _draw_roc(axes: Axes, result: ProtocolResult, style: LineStyle) -> None:
    axes.plot(
        result.curves["far"],
        result.curves["tar"],
        color=style.color,
        marker=style.marker,
        markevery=0.25,
        markersize=5,
        linestyle=style.linestyle,
        linewidth=1.8,
    )


def _dress(axes: Axes, title: str, x_label: str, y_label: str) -> None:
    room = axes.bbox.width / axes.figure.dpi / CHARACTER
    axes.set_title(textwrap.fill(title, int(room)), loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(color=INK, alpha=0.13, linewidth=0.8)
