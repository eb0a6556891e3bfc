"""ROC, CMC and DET curves of results, a figure per resolution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import by_shown, models
from lrfr_lightning.reports.drawing import dress
from lrfr_lightning.reports.styles import RC, LineStyle, add_legend, legend_height
from lrfr_lightning.utils.errors import DataError

Family = Literal["ROC", "CMC", "DET"]


@dataclass(frozen=True)
class _Axes:
    """What a family of curves draws.

    Attributes:
        x: name of the curve along x, a rate on a log axis or a rank.
        y: name of the curve along y, 0..1.
        x_label: how the field calls x.
        y_label: how the field calls y.
    """

    x: str
    y: str
    x_label: str
    y_label: str


FAMILIES: dict[Family, _Axes] = {
    "ROC": _Axes("far", "tar", "FAR", "TAR"),
    "CMC": _Axes("rank", "cmc", "rank", "identification rate"),
    "DET": _Axes("fpir", "fnir", "FPIR", "FNIR"),
}


def curve_figures(
    results: Sequence[ProtocolResult], family: Family, styles: Mapping[str, LineStyle]
) -> dict[str, Figure]:
    """Curves of all models, a figure per resolution and control; none where none was kept.

    Raises:
        DataError: the two lists of a curve differ in length.
    """
    own = FAMILIES[family]
    drawn = [result for result in results if curve(result, own.x, own.y)]
    return {
        shown: _figure(shown, members, own, styles) for shown, members in by_shown(drawn).items()
    }


def curve(result: ProtocolResult, *names: str) -> list[list[float]]:
    """The curves of these names, or none at all if the result lacks one of them.

    Raises:
        DataError: they differ in length.
    """
    found = [result.curves.get(name, []) for name in names]
    if not all(found):
        return []
    if len({len(values) for values in found}) > 1:
        lengths = ", ".join(f"{len(values)} of {n}" for n, values in zip(names, found, strict=True))
        raise DataError(
            f"{result.model} on {result.protocol}: expected curves of one length, got {lengths}; "
            "make the results file anew with lrfr evaluate"
        )
    return found


def _figure(
    title: str,
    results: Sequence[ProtocolResult],
    family: _Axes,
    styles: Mapping[str, LineStyle],
) -> Figure:
    names = models(results)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(4, 3.0 + legend_height(names, 4)), layout="constrained")
        axes = figure.add_subplot()
        for result in results:
            _draw(axes, curve(result, family.x, family.y), styles[result.model])
        _scale(axes, [result.curves[family.x] for result in results])
        dress(axes, title, family.x_label, family.y_label)
        add_legend(figure, names, styles)
    return figure


def _scale(axes: Axes, values: Sequence[Sequence[float]]) -> None:
    """A log axis, of a rate up to 1 or of ranks from 1 up."""
    known = [value for line in values for value in line if value > 0]
    lowest, highest = min(known, default=0.1), max(known, default=1.0)
    axes.set_xscale("log", nonpositive="mask")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    if highest > 1:
        axes.set_xlim(1, highest)
    else:
        axes.set_xlim(min(lowest, 0.1), 1)
    axes.set_ylim(0, 1.01)


def _draw(axes: Axes, lines: Sequence[Sequence[float]], style: LineStyle) -> None:
    axes.plot(
        *lines,
        color=style.color,
        marker=style.marker,
        markevery=0.25,
        markersize=5,
        linestyle=style.linestyle,
        linewidth=1.8,
    )
