"""The headline metric against resolution; without pyplot's global state."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrfr_lightning.protocols.result import (
    ProtocolResult,
    Resolution,
    falling,
    resolution_label,
    resolution_name,
)
from lrfr_lightning.reports.blocks import Block, is_matrix, models, resolutions
from lrfr_lightning.reports.drawing import dress
from lrfr_lightning.reports.styles import INK, RC, LineStyle, add_legend, legend_height
from lrfr_lightning.reports.values import headline, interval, label, measured

_NATIVE_APART = 1.6
"""Factor on the log axis between the highest resolution and native images."""


def accuracy_figure(blocks: Sequence[Block], styles: Mapping[str, LineStyle]) -> Figure:
    """The headline metric against resolution, a panel per block of one control.

    Error bars are the 95 % interval where it is known, else one std. Of a matrix the probes are
    drawn against the gallery of the highest resolution.
    """
    columns = min(len(blocks), 2)
    rows = -(-len(blocks) // columns)
    names = models([result for block in blocks for result in block.results])
    height = (4.0 if columns == 1 else 3.3 * rows) + legend_height(names, 8)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(8, height), layout="constrained")
        for number, block in enumerate(blocks, start=1):
            _draw_block(figure.add_subplot(rows, columns, number), block, styles)
        add_legend(figure, names, styles)
    return figure


def _draw_block(axes: Axes, block: Block, styles: Mapping[str, LineStyle]) -> None:
    metric, against = headline(block.results), ""
    results: Sequence[ProtocolResult] = block.results
    if is_matrix(results):
        gallery = min((result.gallery_resolution for result in results), key=falling)
        results = [result for result in results if result.gallery_resolution == gallery]
        against = f" of the probes, gallery {resolution_label(gallery)}"
    places = _places(resolutions(results))
    for name in models(results):
        own = [result for result in results if result.model == name]
        _draw_model(axes, own, metric, styles[name], places)
    _scale(axes, places)
    _draw_chance(axes, metric)
    dress(axes, block.title, f"resolution{against} (px)", f"{label(metric)} (%)")


def _places(sizes: Sequence[Resolution]) -> dict[Resolution, float]:
    """Where each resolution stands on the axis; native images beyond the highest."""
    native = max((size for size in sizes if size is not None), default=1) * _NATIVE_APART
    return {size: native if size is None else float(size) for size in sizes}


def _scale(axes: Axes, places: Mapping[Resolution, float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(min(places.values()) / 1.15, max(places.values()) * 1.15)
    axes.set_xticks(list(places.values()), [resolution_name(size) for size in places])
    axes.set_xticks([], minor=True)


def _draw_chance(axes: Axes, metric: str) -> None:
    accuracy = metric == "accuracy"
    if accuracy:
        axes.axhline(50, color=INK, alpha=0.6, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(0.99, 50.5, "chance", transform=axes.get_yaxis_transform(), ha="right")
    axes.set_ylim(min(47.5, axes.get_ylim()[0]) if accuracy else None, 101)


def _draw_model(
    axes: Axes,
    results: Sequence[ProtocolResult],
    metric: str,
    style: LineStyle,
    places: Mapping[Resolution, float],
) -> None:
    known = [result for result in results if measured(result, metric) is not None]
    spreads = [_spread(result, metric) for result in known]
    for native in (True, False):  # no line leads from a resolution to native images
        own = [n for n, result in enumerate(known) if (result.resolution is None) is native]
        axes.errorbar(
            [places[known[n].resolution] for n in own],
            [measured(known[n], metric) or 0.0 for n in own],
            [[spreads[n][0] for n in own], [spreads[n][1] for n in own]],
            color=style.color,
            marker=style.marker,
            linestyle="none" if native else style.linestyle,
            linewidth=1.8,
            markersize=5.5,
            capsize=3,
        )


def _spread(result: ProtocolResult, metric: str) -> tuple[float, float]:
    """How far the error bar reaches down and up, in %."""
    value, ends = measured(result, metric) or 0.0, interval(result, metric)
    std = measured(result, f"{metric}_std") or 0.0
    return (std, std) if ends is None else (max(0.0, value - ends[0]), max(0.0, ends[1] - value))
