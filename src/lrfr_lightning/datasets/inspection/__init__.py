"""Which data set lies at a path, what of it is there, and what it shares with another."""

from lrfr_lightning.datasets.inspection.check import DataReport, check_data, same_people
from lrfr_lightning.datasets.inspection.inventory import Inventory, Layout
from lrfr_lightning.datasets.inspection.layouts import LAYOUTS, recognise

__all__ = ["LAYOUTS", "DataReport", "Inventory", "Layout", "check_data", "recognise", "same_people"]
