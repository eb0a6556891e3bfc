"""Results as a data frame, for notebooks and CSV."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from lrfr_lightning.protocols.result import ProtocolResult


def results_frame(results: Sequence[ProtocolResult]) -> pd.DataFrame:
    """One row per result: its settings, then ``metrics.*``, ``counts.*`` and ``thresholds.*``.

    Intervals are ``intervals.<metric>.low`` and ``.high``. Curves, outcomes, examples and groups
    are left out; a metric that could not be measured is NaN.
    """
    entries = [asdict(result) for result in results]
    for entry in entries:
        for name in ("curves", "outcomes", "examples", "groups"):
            del entry[name]
        entry["intervals"] = {
            metric: dict(zip(("low", "high"), ends, strict=True))
            for metric, ends in entry["intervals"].items()
        }
    return pd.json_normalize(entries)
