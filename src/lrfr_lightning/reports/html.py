"""Results as one HTML page that needs nothing else: no network, no script, no other file."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import group, models
from lrfr_lightning.reports.sections import section
from lrfr_lightning.reports.styles import line_styles


@dataclass(frozen=True)
class Provenance:
    """Where the results of one file come from.

    Attributes:
        models: their names.
        packages: names and versions of the packages behind them.
        config: the options of the command that measured them, or nothing.
    """

    models: str
    packages: str
    config: str = ""


def render_html(
    results: Sequence[ProtocolResult],
    provenance: Sequence[Provenance] = (),
    images: Mapping[str, bytes] | None = None,
) -> str:
    """One self-contained page of tables, figures and how each number was measured.

    Args:
        results: of one or several models.
        provenance: where they come from, an entry per results file.
        images: PNG files to show as examples, by caption.

    Raises:
        DataError: there are no results, one model has two results for the same measurement, or
            curves or examples are not as a results file has them.
    """
    styles = line_styles(models(results))
    environment = Environment(
        loader=PackageLoader("lrfr_lightning", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_url"] = _data_url
    return environment.get_template("report.html").render(
        models=models(results),
        sections=[section(n, block, styles) for n, block in enumerate(group(results))],
        provenance=provenance,
        images=images or {},
    )


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode('ascii')}"
