"""``python -m benchmarks``: every measurement, as ``results.json``, ``.md`` and ``.png``."""

import argparse
import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from tqdm import tqdm

from benchmarks.machine import describe
from benchmarks.page import write_page
from benchmarks.row import Row
from lrfr_lightning.utils.memory import keep_freed_memory
from lrfr_lightning.utils.paths import whole_file

# each is a module with ``measure(quick: bool) -> list[Row]``
PARTS: tuple[str, ...] = (
    "input",
    "heads",
    "verification",
    "search",
    "extraction",
    "training",
    "imports",
    "layers",
)


def main() -> None:
    """Run the parts asked for, all by default; what is done is written after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="by default all")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument(
        "--output", type=Path, help="by default beside this file; runs/benchmarks for a part"
    )
    options = parser.parse_args()
    part_of_it = options.parts or options.quick
    folder = options.output or (Path("runs/benchmarks") if part_of_it else Path(__file__).parent)
    keep_freed_memory()  # as the console script does
    rows: list[Row] = []
    for part in tqdm(options.parts or PARTS, desc="benchmarks"):
        rows += import_module(f"benchmarks.{part}").measure(options.quick)
        write(folder, rows, describe() | {"quick": options.quick})
    for row in rows:
        print(json.dumps(asdict(row)))


def write(folder: Path, rows: list[Row], machine: dict[str, object]) -> None:
    """``results.json``, and from the same rows ``.md`` and ``.png``."""
    document = {"machine": machine, "results": [asdict(row) for row in rows]}
    with whole_file(folder / "results.json") as file:
        file.write_text(json.dumps(document, indent=1) + "\n")
    write_page(folder, rows, machine)


if __name__ == "__main__":
    main()
