"""How figures look: ink and text, one line style per model, and the legend that says which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrfr_lightning.reports.blocks import FLOORS, model_label

# Okabe and Ito's palette, without the yellow and the black that vanish on a page
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_DASHES: tuple[Literal["-", "--", ":"], ...] = ("-", "--", ":")
_GREY = "#8c959f"
INK = "#24292f"
# a character and a line of text, in inches
CHARACTER, _LINE = 0.085, 0.2
RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "lrfr_lightning",
}


@dataclass(frozen=True)
class LineStyle:
    """How one model is drawn, in every figure of a report."""

    color: str
    marker: str
    linestyle: Literal["-", "--", ":"]


_FLOOR_STYLES = {
    name: LineStyle(_GREY, marker, ":") for name, marker in zip(FLOORS, "x+", strict=True)
}


def line_styles(names: Sequence[str]) -> dict[str, LineStyle]:
    """Tell models apart by colour and marker, after six of them also by dashes; floors are grey."""
    kinds = len(_COLOURS)
    styles = {
        name: LineStyle(
            _COLOURS[n % kinds], _MARKERS[n % kinds], _DASHES[n // kinds % len(_DASHES)]
        )
        for n, name in enumerate(name for name in names if name not in FLOORS)
    }
    return styles | {name: _FLOOR_STYLES[name] for name in names if name in FLOORS}


def add_legend(figure: Figure, names: Sequence[str], styles: Mapping[str, LineStyle]) -> None:
    """Name the models below a figure."""
    lines = [_sample(styles[name]) for name in names]
    columns = _columns(names, figure.get_figwidth())
    legend = figure.legend(
        lines, [" "] * len(names), loc="outside lower center", ncols=columns, frameon=False
    )
    # only now, as a legend leaves out names that begin with an underscore
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(model_label(name))


def _columns(names: Sequence[str], width: float) -> int:
    widest = CHARACTER * (8 + max(len(model_label(name)) for name in names))
    return max(1, min(len(names), int(width / widest)))


def legend_height(names: Sequence[str], width: float) -> float:
    """The room the legend takes from a figure of this width, both in inches."""
    return _LINE * -(-len(names) // _columns(names, width))


def _sample(style: LineStyle) -> Line2D:
    return Line2D(
        [], [], color=style.color, marker=style.marker, linestyle=style.linestyle, linewidth=1.8
    )
