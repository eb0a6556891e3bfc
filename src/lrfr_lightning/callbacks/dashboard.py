"""Results on a Weights & Biases dashboard: tables, curves, figures and pictures."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytorch_lightning as pl
import wandb
from matplotlib.figure import Figure
from PIL import Image as PillowImage
from pytorch_lightning.loggers import WandbLogger

from lrfr_lightning.protocols.result import ProtocolResult, resolution_name
from lrfr_lightning.reports.blocks import Block, by_control, group, is_matrix, models, shown_label
from lrfr_lightning.reports.curves import FAMILIES, Family, curve
from lrfr_lightning.reports.drawing import png_bytes
from lrfr_lightning.reports.figures import accuracy_figure
from lrfr_lightning.reports.heatmap import heatmap_figure
from lrfr_lightning.reports.pictures import KINDS, hardest, pairs_grid
from lrfr_lightning.reports.scores import histogram_figure, scatter_figure
from lrfr_lightning.reports.styles import line_styles

_DPI = 100


def log_results(trainer: pl.Trainer, results: Sequence[ProtocolResult], stage: str) -> None:
    """Send the results of one model to Weights & Biases, if it is in use and not disabled.

    Of each protocol: a table of resolution x metric, the ROC, CMC and DET curves as plots, figures
    of accuracy against resolution, of the resolution matrix, of scores and of norm and sharpness,
    and the hardest comparisons as pictures; under ``<stage>/<protocol>/...``.
    """
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger) and not logger.experiment.disabled:
            for block in group(results):
                logger.experiment.log(dict(_entries(block, f"{stage}/{_key(block.title)}")))


def _key(title: str) -> str:
    """A block's title as part of a key, which becomes a file name."""
    return re.sub(r"[^\w.+=-]+", "-", title)


def _entries(block: Block, prefix: str) -> Iterator[tuple[str, Any]]:
    yield prefix, _table(block.results)
    for family in FAMILIES:
        lines = _lines(block.results, family)
        if lines:
            axes = FAMILIES[family]
            table = wandb.Table(columns=[axes.x, axes.y, "shown"], data=lines)
            plot = wandb.plot.line(table, axes.x, axes.y, "shown", family)
            yield f"{prefix}/{family}", plot
    for name, figure in _figures(block).items():
        if figure is not None:
            yield f"{prefix}/{name}", _image(figure)
    for kind in KINDS:
        pictures = _pictures(block.results, kind)
        if pictures:
            yield f"{prefix}/hardest-{kind}", pictures


def _table(results: Sequence[ProtocolResult]) -> wandb.Table:
    names = list(dict.fromkeys(name for result in results for name in result.metrics))
    settings = ["gallery", "control"]
    rows: list[Iterable[Any]] = [
        [
            result.resolution,
            *(result.metrics.get(name) for name in names),
            resolution_name(result.gallery_resolution) if is_matrix(results) else None,
            result.control,
        ]
        for result in results
    ]
    return wandb.Table(columns=["resolution", *names, *settings], data=rows)


def _lines(results: Sequence[ProtocolResult], family: Family) -> list[Iterable[Any]]:
    """Points of every curve, each with what was compared."""
    axes = FAMILIES[family]
    drawn = [(shown_label(result), curve(result, axes.x, axes.y)) for result in results]
    return [[x, y, shown] for shown, lines in drawn if lines for x, y in zip(*lines, strict=True)]


def _figures(block: Block) -> dict[str, Figure | None]:
    results, parts = block.results, by_control(block)
    matrices = {f"matrix-{part.results[0].control}": part for part in parts if is_matrix(results)}
    return {
        "resolutions": accuracy_figure(parts, line_styles(models(results))),
        **{name: heatmap_figure(part) for name, part in matrices.items()},
        "scores": histogram_figure(results),
        "quality": scatter_figure(results),
    }


def _pictures(results: Sequence[ProtocolResult], kind: str) -> list[wandb.Image]:
    """The hardest comparisons of each result, above each other."""
    found = {shown_label(result): hardest(result, kind) for result in results}
    return [
        wandb.Image(
            PillowImage.fromarray(pairs_grid(pairs)),
            caption=f"{shown}: {', '.join(f'{pair.score:.3f}' for pair in pairs)}",
        )
        for shown, pairs in found.items()
        if pairs
    ]


def _image(figure: Figure) -> wandb.Image:
    with io.BytesIO(png_bytes(figure, _DPI)) as buffer, PillowImage.open(buffer) as image:
        return wandb.Image(image.convert("RGB"))
