"""The packages form layers; lower never imports higher."""

import ast
from pathlib import Path

import lrfr_lightning

LAYERS = {
    "functional": 0,
    "utils": 0,
    "datasets": 1,
    "transforms": 1,
    "backbones": 1,
    "preprocessing": 1,
    "heads": 2,
    "metrics": 2,
    "protocols": 2,
    "datamodules": 3,
    "tasks": 3,
    "reports": 3,
    "embedders": 4,
    "callbacks": 5,
    "export": 5,
    "recognition": 5,
    "demo": 6,
    "cli": 7,
}
SOURCE = Path(lrfr_lightning.__file__).parent


def imported_packages(path: Path) -> set[str]:
    """The library's own packages that a file imports, at any depth of the code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {n.split(".")[1] for n in names if n.startswith("lrfr_lightning.")}
    return found


def test_every_package_has_a_layer() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert packages == set(LAYERS)


def test_lower_layers_never_import_higher_ones() -> None:
    upward = [
        f"{path.relative_to(SOURCE)} imports {package}"
        for path in SOURCE.rglob("*.py")
        for package in imported_packages(path)
        if path.parent != SOURCE and LAYERS[package] > LAYERS[path.relative_to(SOURCE).parts[0]]
    ]
    assert upward == []


def test_only_the_command_line_reads_the_command_line() -> None:
    readers = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if "sys.argv" in path.read_text() or "import argparse" in path.read_text()
    ]
    assert all(reader.startswith("cli/") for reader in readers), readers
