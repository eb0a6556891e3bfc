"""What the commands that use a model have in common: its options, its tables and its files."""

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace
from lightning_fabric import Fabric

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.embedders.opening import open_model
from lrfr_lightning.preprocessing import DETECTORS, FaceAligner
from lrfr_lightning.recognition.probes import Probes
from lrfr_lightning.reports.table import Cell, Table
from lrfr_lightning.reports.terminal import rich_table, stdout
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import expand, whole_file


def model_parser(command: str, description: str) -> ArgumentParser:
    """A parser with the options that say which model is used, and where."""
    parser = ArgumentParser(prog=f"lrfr {command}", description=description)
    parser.add_argument(
        "--model", type=str, required=True, help=".ckpt of lrfr fit, .onnx, or a weight file"
    )
    parser.add_subclass_arguments(
        Backbone, "backbone", required=False, help="the network of a weight file, by name"
    )
    parser.add_argument("--accelerator", type=str, default="auto", help="cpu, gpu or auto")
    return parser


def parsed(parser: ArgumentParser, args: list[str]) -> tuple[Namespace, Embedder]:
    """The options, and the model they name, ready on its device."""
    options = parser.instantiate_classes(parser.parse_args(args[1:]))
    model = open_model(options.model, options.backbone)
    model.to(Fabric(accelerator=options.accelerator, devices=1).device)
    return options, model


def add_align(parser: ArgumentParser) -> None:
    """The option that takes photographs instead of aligned faces."""
    parser.add_argument(
        "--align",
        choices=list(DETECTORS),
        help="the images are photographs: find the largest face in each with this detector",
    )


def aligner_of(options: Namespace) -> FaceAligner | None:
    """What ``--align`` asks for; small faces are looked for in the picture enlarged as well."""
    return FaceAligner(DETECTORS[options.align](), too_small="upscale") if options.align else None


def output_path(path: str, suffixes: Sequence[str]) -> Path:
    """The expanded path of a file to write.

    Raises:
        ConfigError: its suffix is none of these.
    """
    target = expand(path)
    if target.suffix not in suffixes:
        raise ConfigError(f"--output: expected a file {' or '.join(suffixes)}, got {path}")
    return target


def write_json(path: Path, content: Any) -> None:
    """Write JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    """Write a header and a line for each row, whole or not at all; what a row lacks stays empty."""
    with whole_file(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
    """Print a table to the terminal, or whole to a pipe."""
    cells = tuple(tuple(Cell(text) for text in row) for row in rows)
    table = rich_table(Table(tuple(header), cells), caption)
    stdout([table]).print(table)


def number(value: float | None, digits: int = 3) -> str:
    """``0.123``, or a dash where nothing was measured."""
    return "\u2013" if value is None else f"{value:.{digits}f}"


def warn_of_failures(probes: Probes) -> None:
    """Name the images that gave no face, on stderr."""
    if probes.failed:
        print(
            f"{len(probes.failed)} of {len(probes.files)} images could not be used:",
            *probes.failed.values(),
            sep="\n  ",
            file=sys.stderr,
        )
