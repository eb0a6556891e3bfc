"""What ``lrfr fit`` looks at before it trains: the whole plan, in seconds, on one page.

A check is a function of the :class:`Run` that yields what it found; it is added to ``CHECKS``.
"""

from collections.abc import Callable

from lrfr_lightning.cli.plan.data import batches, data, people
from lrfr_lightning.cli.plan.evaluation import monitors, protocols
from lrfr_lightning.cli.plan.finding import Check, Found, Run
from lrfr_lightning.cli.plan.machine import devices, disk, output, precision
from lrfr_lightning.cli.plan.rate import learning_rate, schedule
from lrfr_lightning.cli.plan.weights import checkpoint, weights
from lrfr_lightning.utils.errors import ConfigError, DataError

__all__ = ["CHECKS", "Check", "Run", "faults", "look"]

CHECKS: dict[str, Callable[[Run], Found]] = {
    "data": data,
    "batches": batches,
    "protocols": protocols,
    "people": people,
    "monitors": monitors,
    "weights": weights,
    "checkpoint": checkpoint,
    "learning rate": learning_rate,
    "schedule": schedule,
    "devices": devices,
    "precision": precision,
    "output": output,
    "disk": disk,
}
"""In the order of the page."""


def look(run: Run) -> list[Check]:
    """All that the checks find; the library's own errors become faults, and the next check follows.

    Nothing is written, no image is read but the first of each list, no weight but its shape.
    """
    found = []
    for name, check in CHECKS.items():
        try:
            found += [Check(name, state, text) for state, text in check(run)]
        except (ConfigError, DataError) as error:
            found.append(Check(name, "fault", str(error)))
    return found


def faults(found: list[Check]) -> str:
    """What keeps a run from beginning, a line each; empty if nothing does."""
    return "\n".join(f"{check.name}: {check.text}" for check in found if check.state == "fault")
