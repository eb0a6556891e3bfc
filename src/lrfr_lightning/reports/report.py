"""From results files to a report: an HTML page, texts, a figure and a CSV file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrfr_lightning.protocols.result import ProtocolResult, read_results
from lrfr_lightning.reports.blocks import by_control, group, models
from lrfr_lightning.reports.drawing import png_bytes
from lrfr_lightning.reports.figures import accuracy_figure
from lrfr_lightning.reports.frame import results_frame
from lrfr_lightning.reports.html import Provenance, render_html
from lrfr_lightning.reports.latex import render_latex
from lrfr_lightning.reports.markdown import render_markdown
from lrfr_lightning.reports.styles import line_styles
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import whole_file


@dataclass(frozen=True)
class ReportPaths:
    """The files of a report: page, tables as text, accuracy against resolution, all numbers."""

    html: Path
    markdown: Path
    latex: Path
    figure: Path
    csv: Path


def write_report(
    results_paths: str | Path | Sequence[str | Path],
    out_dir: str | Path | None = None,
    images: Mapping[str, bytes] | None = None,
) -> ReportPaths:
    """Write ``report.html``, ``report.md``, ``report.tex``, ``accuracy.png`` and ``results.csv``.

    Each file appears whole or not at all.

    Args:
        results_paths: one or several results files; their models stand side by side.
        out_dir: where to write; by default the folder of the first results file.
        images: PNG files for the page to show as examples, by caption.

    Raises:
        DataError: a file is no results file or holds no results, or one model has two results
            for the same measurement.
    """
    sources = [results_paths] if isinstance(results_paths, str | Path) else results_paths
    results = load_results(sources)
    folder = Path(sources[0]).parent if out_dir is None else Path(out_dir)
    names = ("report.html", "report.md", "report.tex", "accuracy.png", "results.csv")
    paths = ReportPaths(*(folder / name for name in names))
    panels = [part for block in group(results) for part in by_control(block)]
    content = {
        paths.html: render_html(results, _provenance(sources), images).encode(errors="replace"),
        paths.markdown: render_markdown(results, paths.figure.name).encode(),
        paths.latex: render_latex(results).encode(),
        paths.figure: png_bytes(accuracy_figure(panels, line_styles(models(results)))),
        paths.csv: results_frame(results).to_csv(index=False).encode(),
    }
    for path, data in content.items():
        with whole_file(path) as partial:
            partial.write_bytes(data)
    return paths


def load_results(paths: Sequence[str | Path]) -> list[ProtocolResult]:
    """Read results files one after the other.

    Raises:
        DataError: no file is given, or a file is no results file or holds no results.
    """
    if not paths:
        raise DataError("no results file given; expected at least one, from lrfr evaluate")
    results: list[ProtocolResult] = []
    for path in paths:
        found = read_results(path)
        if not found:
            raise DataError(f"{path} holds no results; make some with lrfr evaluate")
        results += found
    return results


def _provenance(paths: Sequence[str | Path]) -> list[Provenance]:
    """Each file's models, the packages and the options behind them; alike files once."""
    found: dict[Provenance, None] = {}
    for path in paths:
        content = json.loads(Path(path).read_text())
        versions, config = content.get("versions"), content.get("config")
        if isinstance(versions, dict):
            packages = ", ".join(f"{name} {version}" for name, version in versions.items())
            names = ", ".join(models(read_results(path)))
            found[Provenance(names, packages, json.dumps(config, indent=1) if config else "")] = (
                None
            )
    return list(found)
