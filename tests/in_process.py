"""Studies whose commands run in the test's own process; those of tests/cli do start others."""

import pytest

from lrfr_lightning.cli import study, study_runs
from lrfr_lightning.cli.main import main


def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``lrfr study`` run its commands here, one after the other (``jobs: 1``)."""

    def run(who: str, folder: object, jobs: int, *args: str) -> None:
        main(list(args))

    for module in (study, study_runs):
        monkeypatch.setattr(module, "lrfr", run)
