"""``python -m lrfr_lightning``: the console script by another name."""

from lrfr_lightning.cli.main import console

if __name__ == "__main__":
    console()
