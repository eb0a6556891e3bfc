"""Results as one HTML page that needs nothing else: no network, no script, no other file."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from lrfr_lightning.protocols.result import ProtocolResult, resolution_name
from lrfr_lightning.reports.blocks import Block, group, models
from lrfr_lightning.reports.figures import accuracy_figure, inline_svg, roc_figures
from lrfr_lightning.reports.styles import LineStyle, line_styles
from lrfr_lightning.reports.table import Table, full_table, headline, main_table, threshold_table


@dataclass(frozen=True)
class _Section:
    """What the page shows of one block."""

    block: Block
    metric: str
    main: Table
    full: Table
    thresholds: Table | None
    accuracy: str
    rocs: dict[str, str]


def render_html(
    results: Sequence[ProtocolResult],
    versions: Sequence[tuple[str, str]] = (),
    images: Mapping[str, bytes] | None = None,
) -> str:
    """One self-contained page of tables, figures and how each number was measured.

    Args:
        results: of one or several models.
        versions: names of models, and the packages behind their results.
        images: PNG files to show as examples, by caption.

    Raises:
        DataError: there are no results, or one model has two results for the same measurement.
    """
    styles = line_styles(models(results))
    sections = [_section(n, block, styles) for n, block in enumerate(group(results))]
    page = files("lrfr_lightning.reports").joinpath("report.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(page).render(
        models=models(results),
        sections=sections,
        versions=versions,
        images={caption: _data_url(png) for caption, png in (images or {}).items()},
    )


def _section(number: int, block: Block, styles: Mapping[str, LineStyle]) -> _Section:
    rocs = roc_figures(block, styles)
    accuracy = inline_svg(accuracy_figure([block], styles), f"accuracy{number}")
    return _Section(
        block=block,
        metric=headline(block.results),
        main=main_table(block.results),
        full=full_table(block.results),
        thresholds=threshold_table(block.results),
        accuracy=accuracy,
        rocs={
            name: inline_svg(figure, f"roc{number}-{name}")
            for name, figure in ((resolution_name(px), rocs[px]) for px in rocs)
        },
    )


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode('ascii')}"
