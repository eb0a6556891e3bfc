"""What the page compares with where no model was given."""

from dataclasses import asdict

from lrfr_lightning.embedders.base import fingerprint_of
from lrfr_lightning.embedders.floors import RawPixels


class Floor(RawPixels):
    """Raw pixels that a recogniser takes: they never change, so that their name tells them."""

    def fingerprint(self) -> str:
        """Name and input format."""
        return fingerprint_of([self.name, asdict(self.pixel_spec)], [])
