"""``lrfr data check``: which data set lies at a path, and what of it is missing or damaged."""

import json
from dataclasses import asdict
from pathlib import Path

from jsonargparse import ArgumentParser

from lrfr_lightning.datasets.inspection import DataReport, check_data
from lrfr_lightning.utils.paths import whole_file


def check_parser() -> ArgumentParser:
    """The command's options."""
    parser = ArgumentParser(
        description="Says which data set lies at a path, holds it against the published counts "
        "and its own lists, decodes every image, and finds what it shares with a training set."
    )
    parser.add_argument("path", help="folder or file of the data set")
    parser.add_argument("--against", help="another data set, such as the one trained on")
    parser.add_argument("--grid", help="PNG file to write, with 64 of the images")
    parser.add_argument("--json", help="JSON file to write, with all that was found")
    parser.add_argument("--workers", type=int, default=2, help="threads that decode images")
    return parser


def check(
    path: str, against: str | None, grid: str | None, json: str | None, workers: int
) -> DataReport:
    """Check, print, write."""
    report = check_data(path, against, grid, workers)
    print("\n".join(lines(report)))
    if json:
        _write(report, Path(json))
    return report


def lines(report: DataReport) -> list[str]:
    """The report as text; every missing and unreadable image is named."""
    sizes = ", ".join(f"{count:,} of {size} px" for size, count in report.sizes.items())
    shared = report.against
    return [
        f"{report.path}: {report.layout}",
        *(_count(report, name) for name in report.found),
        f"  sizes: {sizes}",
        *_named("lists and folders that are not there", report.absent),
        *_named("listed images that are missing", report.missing),
        *_named("unreadable images", [f"{n}: {why}" for n, why in report.unreadable.items()]),
        *(f"  people in both {both}: {len(who):,}" for both, who in report.shared_by_lists.items()),
        *(_named("people of both data sets", shared.people) if shared else []),
        *(_named("images of both, the same file", _pairs(shared.same_files)) if shared else []),
        *(_named("images of both, alike", _pairs(shared.near_duplicates)) if shared else []),
    ]


def _count(report: DataReport, name: str) -> str:
    published = report.published.get(name)
    same = published == report.found[name]
    against = "" if published is None else ", as published" if same else f" of {published:,}"
    return f"  {name}: {report.found[name]:,}{against}"


def _named(what: str, names: list[str]) -> list[str]:
    return [f"  {what}: {len(names):,}", *(f"    {name}" for name in names)]


def _pairs(pairs: list[tuple[str, str]]) -> list[str]:
    return [f"{one} = {other}" for one, other in pairs]


def _write(report: DataReport, path: Path) -> None:
    with whole_file(path) as partial:
        partial.write_text(json.dumps(asdict(report), indent=1) + "\n")
