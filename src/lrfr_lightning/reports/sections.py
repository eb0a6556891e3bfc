"""What the page shows of one block: its tables, figures and pictures, drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import (
    FLOORS,
    Block,
    by_control,
    controls,
    is_matrix,
    models,
    shown_label,
)
from lrfr_lightning.reports.curves import FAMILIES, Family, curve_figures
from lrfr_lightning.reports.drawing import inline_svg
from lrfr_lightning.reports.figures import accuracy_figure
from lrfr_lightning.reports.groups import groups_table
from lrfr_lightning.reports.heatmap import heatmap_figure
from lrfr_lightning.reports.pictures import KINDS, HardPair, hardest
from lrfr_lightning.reports.scores import histogram_figure, scatter_figure
from lrfr_lightning.reports.styles import LineStyle
from lrfr_lightning.reports.table import (
    Table,
    best_note,
    full_table,
    main_caption,
    main_table,
    threshold_table,
)
from lrfr_lightning.reports.values import headline, label

_FULL_RESOLUTION = 112


@dataclass(frozen=True)
class Chart:
    """A figure of the page: its name, unique in a section, and the SVG element."""

    name: str
    svg: str


@dataclass(frozen=True)
class Hard:
    """The hardest comparisons of one model at one resolution.

    Attributes:
        title: model and resolution.
        kinds: for ``genuine: lowest scores`` and its like, the comparisons.
    """

    title: str
    kinds: dict[str, list[HardPair]]


@dataclass(frozen=True)
class Section:
    """A block as the page shows it; a part that its results do not have is empty.

    Attributes:
        block: the results.
        metric: name of the headline metric.
        caption: of the main table, without its full stop.
        main: the headline metric.
        full: every metric.
        thresholds: thresholds, if any are known.
        groups: errors by group of people, if any were given.
        unfounded: whether low-resolution numbers stand without floor and controls.
        accuracy: the headline metric against resolution.
        heatmaps: by control, of a matrix.
        curves: of each family, by resolution.
        histograms: by model.
        scatters: by model.
        hard: by model and resolution.
    """

    block: Block
    metric: str
    caption: str
    main: Table
    full: Table
    thresholds: Table | None
    groups: Table | None
    unfounded: bool
    accuracy: Chart
    heatmaps: list[Chart]
    curves: dict[Family, list[Chart]]
    histograms: list[Chart]
    scatters: list[Chart]
    hard: list[Hard]


def section(number: int, block: Block, styles: Mapping[str, LineStyle]) -> Section:
    """Draw one block.

    Histograms, scatters and pictures are those without a control, of a matrix those of its
    diagonal: the page stays light, and the results file holds the others.

    Args:
        number: of the block in the page, for ids.
        block: the results.
        styles: of the models.

    Raises:
        DataError: curves or examples are not as a results file has them.
    """
    results, prefix = block.results, f"block{number}"
    close = [result for result in results if _is_close(result)]
    own = {name: [r for r in close if r.model == name] for name in models(close)}
    return Section(
        block=block,
        metric=label(headline(results)),
        caption=f"{main_caption(results)}; {best_note(results)}",
        main=main_table(results),
        full=full_table(results),
        thresholds=threshold_table(results),
        groups=groups_table(results),
        unfounded=_is_unfounded(results),
        accuracy=_accuracy(prefix, block, styles),
        heatmaps=_heatmaps(prefix, block),
        curves=_curves(prefix, results, styles),
        histograms=_charts(
            f"{prefix}-scores", {f"{name}: scores": histogram_figure(own[name]) for name in own}
        ),
        scatters=_charts(
            f"{prefix}-quality",
            {f"{name}: norm and sharpness": scatter_figure(own[name]) for name in own},
        ),
        hard=[hard for hard in map(_hard, close) if hard.kinds],
    )


def _charts(prefix: str, figures: Mapping[str, Figure | None]) -> list[Chart]:
    known = ((name, figure) for name, figure in figures.items() if figure is not None)
    return [
        Chart(name, inline_svg(figure, f"{prefix}-{number}"))
        for number, (name, figure) in enumerate(known)
    ]


def _accuracy(prefix: str, block: Block, styles: Mapping[str, LineStyle]) -> Chart:
    figure = accuracy_figure(by_control(block), styles)
    return Chart(
        f"{label(headline(block.results))} against resolution",
        inline_svg(figure, f"{prefix}-accuracy"),
    )


def _heatmaps(prefix: str, block: Block) -> list[Chart]:
    if not is_matrix(block.results):
        return []
    parts = {f"control: {controls(part.results)[0]}": part for part in by_control(block)}
    return _charts(f"{prefix}-matrix", {name: heatmap_figure(parts[name]) for name in parts})


def _curves(
    prefix: str, results: Sequence[ProtocolResult], styles: Mapping[str, LineStyle]
) -> dict[Family, list[Chart]]:
    drawn = {
        family: {
            f"{family} at {shown}": figure
            for shown, figure in curve_figures(results, family, styles).items()
        }
        for family in FAMILIES
    }
    return {
        family: _charts(f"{prefix}-{family}", figures)
        for family, figures in drawn.items()
        if figures
    }


def _is_close(result: ProtocolResult) -> bool:
    """Whether the page looks behind the number."""
    gallery = result.gallery_resolution
    return result.control == "none" and gallery in (None, result.resolution)


def _is_unfounded(results: Sequence[ProtocolResult]) -> bool:
    low = any(r.resolution is None or r.resolution < _FULL_RESOLUTION for r in results)
    floor = any(name in FLOORS for name in models(results))
    return low and not (floor and len(controls(results)) > 1)


def _hard(result: ProtocolResult) -> Hard:
    found = {f"{kind}: {which}": hardest(result, kind) for kind, which in KINDS.items()}
    title = f"{result.model} at {shown_label(result)}"
    return Hard(title, {kind: pairs for kind, pairs in found.items() if pairs})
