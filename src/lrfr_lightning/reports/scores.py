"""What is behind one model's numbers: score histograms, and norm and sharpness against score."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import by_shown
from lrfr_lightning.reports.curves import curve
from lrfr_lightning.reports.drawing import dress
from lrfr_lightning.reports.styles import INK, RC
from lrfr_lightning.utils.errors import DataError

_GENUINE, _IMPOSTOR = "#0072B2", "#D55E00"
_QUALITIES = {"sample_norm": "smaller norm", "sample_sharpness": "smaller sharpness (grey levels)"}
_COLUMNS = 3


def histogram_figure(results: Sequence[ProtocolResult]) -> Figure | None:
    """One model's score histograms, a panel per resolution, the threshold dashed.

    Args:
        results: of one model, one per resolution or control.

    Returns:
        None where no histogram was kept.

    Raises:
        DataError: edges and densities do not fit each other.
    """
    panels = {name: own for name, (own, *_) in by_shown(results).items() if _histogram(own)}
    columns = min(len(panels), _COLUMNS)
    if not panels:
        return None
    rows = -(-len(panels) // columns)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(3 * columns, 2.3 * rows + 0.3), layout="constrained")
        for number, (name, result) in enumerate(panels.items(), start=1):
            _draw_histogram(figure.add_subplot(rows, columns, number), name, result)
        _add_legend(figure)
    return figure


def scatter_figure(results: Sequence[ProtocolResult]) -> Figure | None:
    """One model's norm and sharpness against score, a column per resolution.

    The smaller norm of the two embeddings of a comparison, and the smaller sharpness of its two
    images as the network saw them.

    Args:
        results: of one model, one per resolution or control.

    Returns:
        None where no sample was kept.

    Raises:
        DataError: the lists of a sample differ in length.
    """
    panels = {name: own for name, (own, *_) in by_shown(results).items() if _sample(own)}
    if not panels:
        return None
    size = (2.6 * len(panels) + 0.6, 4.6)
    with mpl.rc_context(RC):
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(2, len(panels), squeeze=False, sharex=True, sharey="row")
        for column, (name, result) in zip(grid.T, panels.items(), strict=True):
            _draw_scatter(column, name, result)
        for row, text in zip(grid, _QUALITIES.values(), strict=True):
            row[0].set_ylabel(text)
        _add_legend(figure)
    return figure


def _histogram(result: ProtocolResult) -> list[list[float]]:
    """Densities of genuine and impostor scores, or nothing."""
    densities = curve(result, "genuine_density", "impostor_density")
    edges = result.curves.get("score_edges", [])
    if densities and len(edges) != len(densities[0]) + 1:
        raise DataError(
            f"{result.model} on {result.protocol}: expected {len(densities[0]) + 1} score_edges "
            f"around {len(densities[0])} densities, got {len(edges)}"
        )
    return densities


def _sample(result: ProtocolResult) -> list[list[float]]:
    return curve(result, "sample_score", "sample_genuine", *_QUALITIES)


def _draw_histogram(axes: Axes, name: str, result: ProtocolResult) -> None:
    edges = result.curves["score_edges"]
    for density, colour in zip(_histogram(result), (_GENUINE, _IMPOSTOR), strict=True):
        axes.stairs(density, edges, color=colour, alpha=0.35, fill=True)
        axes.stairs(density, edges, color=colour, linewidth=1.2)
    for threshold in list(result.thresholds.values())[:1]:
        axes.axvline(threshold, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    dress(axes, name, "score", "share")


def _draw_scatter(column: Sequence[Axes], name: str, result: ProtocolResult) -> None:
    score, genuine, *qualities = (np.array(values) for values in _sample(result))
    for axes, quality in zip(column, qualities, strict=True):
        for kind, colour in ((0, _IMPOSTOR), (1, _GENUINE)):
            own = genuine == kind
            # points as a picture: a page of many models stays light
            axes.scatter(
                score[own], quality[own], s=9, color=colour, alpha=0.55, linewidths=0,
                rasterized=True,
            )  # fmt: skip
        dress(axes, "", "", "")
    column[0].set_title(name, loc="left", fontsize=10, fontweight="bold")
    column[-1].set_xlabel("score")


def _add_legend(figure: Figure) -> None:
    kinds: Mapping[str, str] = {"genuine": _GENUINE, "impostor": _IMPOSTOR}
    lines = [Line2D([], [], color=colour, linewidth=4) for colour in kinds.values()]
    figure.legend(lines, list(kinds), loc="outside lower center", ncols=2, frameon=False)
