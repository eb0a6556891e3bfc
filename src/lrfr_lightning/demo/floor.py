"""What the page compares with where no model was given."""

from dataclasses import asdict

from lrfr_lightning.embedders.floors import RawPixels
from lrfr_lightning.utils.fingerprint import fingerprint_of


class Floor(RawPixels):
    """Raw pixels that a recogniser takes: they never change, so that their name tells them."""

    def fingerprint(self) -> str:
        """Name and input format."""
        return fingerprint_of([self.name, asdict(self.pixel_spec)], [])
