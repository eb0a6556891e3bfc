"""A page to try models on: two faces, a resolution, and what each model says of them."""

from lrfr_lightning.demo.album import Album
from lrfr_lightning.demo.comparer import Comparer
from lrfr_lightning.demo.floor import Floor
from lrfr_lightning.demo.server import DemoServer

__all__ = ["Album", "Comparer", "DemoServer", "Floor"]
