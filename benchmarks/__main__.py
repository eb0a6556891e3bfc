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
    """Run the parts asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="by default all")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    rows: list[Row] = []
    for part in tqdm(options.parts or PARTS, desc="benchmarks"):
        rows += import_module(f"benchmarks.{part}").measure(options.quick)
    machine = describe() | {"quick": options.quick}
    document = {"machine": machine, "results": [asdict(row) for row in rows]}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    write_page(options.output, rows, machine)
    for row in rows:
        print(json.dumps(asdict(row)))


if __name__ == "__main__":
    main()
