"""``lrfr align``: a folder of photographs to a folder of aligned faces."""

import os
from collections import Counter
from typing import get_args

from jsonargparse import ArgumentParser

from lrfr_lightning.preprocessing import DETECTORS, FaceAligner, align_folder
from lrfr_lightning.preprocessing.aligner import Face, Outcome, TooSmall
from lrfr_lightning.preprocessing.record import Row
from lrfr_lightning.preprocessing.workers import Form
from lrfr_lightning.reports.table import Cell, Table
from lrfr_lightning.reports.terminal import plain, rich_table, stdout

_SHOWN = 5


def run(args: list[str]) -> list[Row]:
    """Align, print what became of the photographs and return the rows."""
    options = _parser().parse_args(args[1:])
    aligner = FaceAligner(
        DETECTORS[options.detector](), options.face, options.margin, options.too_small
    )
    rows = align_folder(options.folder, options.output, aligner, options.form, options.workers)
    table = rich_table(outcome_table(rows), "")
    stdout([table]).print(table)
    print(f"{len(rows)} files → {options.output}, a row of each in alignment.csv")
    failed = [row for row in rows if row["outcome"] == "failed"]
    for row in failed[:_SHOWN]:
        print(plain(f"{row['path']}: {row['reason']}"))
    if len(failed) > _SHOWN:
        print(f"and {len(failed) - _SHOWN} more without a crop")
    return rows


def outcome_table(rows: list[Row]) -> Table:
    """How many files had each outcome, and their share."""
    counts = Counter(row["outcome"] for row in rows)
    lines = [
        (outcome, str(counts[outcome]), f"{counts[outcome] / len(rows):.1%}")
        for outcome in get_args(Outcome)
    ]
    return Table(
        ("outcome", "files", "share"), tuple(tuple(Cell(text) for text in line) for line in lines)
    )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="lrfr align",
        description="Find a face in every file of a folder and the folders below it and bring it "
        "to the ArcFace template, 112x112 px. Every file has a row in OUTPUT/alignment.csv. "
        "A run that was stopped goes on when started again.",
    )
    parser.add_argument("folder", type=str, help="the photographs")
    parser.add_argument("--output", type=str, required=True, help="a new folder, or one to go on")
    parser.add_argument("--detector", choices=list(DETECTORS), default="mtcnn")
    parser.add_argument("--face", type=Face, default="largest", help="which of several faces")
    parser.add_argument(
        "--margin", type=float, default=0.0, help="each edge moves outwards by this share of a side"
    )
    parser.add_argument(
        "--too_small",
        "--too-small",
        type=TooSmall,
        default="fail",
        help="no face found: no crop, the whole image, or look in the picture enlarged",
    )
    parser.add_argument("--form", type=Form, default="jpeg", help="how crops are kept")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes; 0: this one"
    )
    return parser
