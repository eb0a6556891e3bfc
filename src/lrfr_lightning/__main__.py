"""``python -m lrfr_lightning``: the console script by another name."""

from lrfr_lightning.cli.main import console

console()
