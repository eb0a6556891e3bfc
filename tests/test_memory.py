"""Freed memory is used again, not asked of the kernel; imports look for no garbage."""

import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from lrfr_lightning.cli.main import main
from lrfr_lightning.utils.memory import no_collection

EXPERIMENTS = Path(__file__).parent.parent / "experiments"

PROGRAM = """
import resource, sys
import numpy as np
from lrfr_lightning.utils.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
np.ones(5_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(5_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    run = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, check=True)
    return int(run.stdout)


def test_the_second_block_of_a_size_costs_no_page() -> None:
    assert faults("kept") < 100 < faults("given back")


def test_a_command_is_imported_without_a_collection(monkeypatch: Any) -> None:
    collects = {}

    def watched(name: str) -> Any:
        collects[name] = gc.isenabled()
        return import_module(name)

    monkeypatch.setattr("lrfr_lightning.cli.main.import_module", watched)
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    assert collects["lrfr_lightning.cli.evaluate"] is False
    assert gc.isenabled()


def test_options_are_parsed_and_classes_made_without_a_collection(
    monkeypatch: Any,
) -> None:
    collects = []

    def parse(*args: Any, **options: Any) -> Any:
        collects.append(gc.isenabled())
        return parse_args(*args, **options)

    def make(cli: LightningCLI) -> None:
        collects.append(gc.isenabled())
        raise SystemExit("made")

    parse_args = LightningArgumentParser.parse_args
    monkeypatch.setattr(LightningArgumentParser, "parse_args", parse)
    monkeypatch.setattr(LightningCLI, "instantiate_classes", make)
    with pytest.raises(SystemExit, match="made"):
        main(["fit", "--config", str(EXPERIMENTS / "quickstart.yaml"), "--dry-run"])
    assert set(collects[:-1]) == {False}, "parsing"
    assert collects[-1] is False, "making classes"
    assert gc.isenabled()


def test_collection_is_afterwards_as_it_was() -> None:
    with pytest.raises(KeyError), no_collection():
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
