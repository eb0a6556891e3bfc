"""Embedded faces: procedural people, drawn from numbers, for tests, demos and teaching."""

from lrfr_lightning.datasets.embedded.bin_layout import write_bin_layout
from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.datasets.embedded.ijbc_layout import write_ijbc_layout
from lrfr_lightning.datasets.embedded.lfw_layout import write_lfw_layout
from lrfr_lightning.datasets.embedded.lists import (
    SearchLists,
    gallery_and_probes,
    verification_pairs,
)
from lrfr_lightning.datasets.embedded.picture import grid
from lrfr_lightning.datasets.embedded.scface_layout import write_scface_layout
from lrfr_lightning.datasets.embedded.survface_layout import write_survface_layout
from lrfr_lightning.datasets.embedded.tinyface_layout import write_tinyface_layout
from lrfr_lightning.datasets.pairs import VerificationPairs

__all__ = [
    "EmbeddedFaces",
    "SearchLists",
    "VerificationPairs",
    "gallery_and_probes",
    "grid",
    "verification_pairs",
    "write_bin_layout",
    "write_ijbc_layout",
    "write_lfw_layout",
    "write_scface_layout",
    "write_survface_layout",
    "write_tinyface_layout",
]
