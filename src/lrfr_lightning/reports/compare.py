"""Two models, or one before and after: what changed, and whether chance would explain it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lrfr_lightning.functional.paired import PairedTest, paired_test
from lrfr_lightning.protocols.outcomes import read_outcomes
from lrfr_lightning.protocols.result import ProtocolResult, resolution_name
from lrfr_lightning.utils.errors import ConfigError, DataError

SETTINGS = (
    "protocol", "setting", "degraded", "down", "up", "flip", "control", "threshold_rule"
)  # fmt: skip
"""What two results must share to be compared, besides their resolutions."""

Models = tuple[str, str]
"""Names of the model before and of the one after."""


@dataclass(frozen=True)
class Comparison:
    """Two results of the same measurement.

    Attributes:
        before: the first.
        after: the second.
        tested: name of the metric that ``test`` is about; None without a test.
        test: the paired test; None where a file does not say which items were right.
    """

    before: ProtocolResult
    after: ProtocolResult
    tested: str | None = None
    test: PairedTest | None = None

    @property
    def changes(self) -> dict[str, tuple[float, float]]:
        """Both values, 0..1, of every metric that both measured."""
        old, new = self.before.metrics, self.after.metrics
        return {
            name: (value, other)
            for name, value in old.items()
            if value is not None and (other := new.get(name)) is not None
            if value == value and other == other and not name.endswith("_std")
        }

    @property
    def title(self) -> str:
        """``lfw · standard · control: grey · before → after``, whatever the resolution."""
        result = self.before
        further = [f"degraded: {result.degraded}"] if result.degraded != "both" else []
        further += ["flip"] if result.flip else []
        further += [f"control: {result.control}"] if result.control != "none" else []
        models = f"{result.model} → {self.after.model}"
        return " · ".join((result.protocol, result.setting, *further, models))

    def to_json(self) -> dict[str, Any]:
        """Settings, models, both values of each metric with their difference, and the test."""
        metrics = {
            name: {"before": old, "after": new, "difference": new - old}
            for name, (old, new) in self.changes.items()
        }
        test = None if self.test is None else asdict(self.test) | {"metric": self.tested}
        significant = None if self.test is None else self.test.significant
        return {
            **{name: getattr(self.before, name) for name in (*SETTINGS, *_RESOLUTIONS)},
            "models": [self.before.model, self.after.model],
            "metrics": metrics,
            "test": test,
            "significant": significant,
        }


_RESOLUTIONS = ("resolution", "gallery_resolution")


def compare(
    before: Sequence[ProtocolResult],
    after: Sequence[ProtocolResult],
    models: Models | None = None,
) -> list[Comparison]:
    """Join results of the same settings and resolutions.

    Args:
        before: of one or several models.
        after: of one or several models.
        models: which model is compared with which; by default each with its namesake, and where
            one on each side has none, these two.

    Raises:
        ConfigError: it is not clear which models to compare.
        DataError: they share no measurement, or one was made on other items.
    """
    found = []
    for old_name, new_name in [models] if models else _pairs(before, after):
        new = {_key(result): result for result in after if result.model == new_name}
        old = [result for result in before if result.model == old_name]
        found += [_comparison(r, new[_key(r)]) for r in old if _key(r) in new]
    if not found:
        raise DataError(
            "the results share no measurement (protocol, setting, resolution, kernels, flip, "
            f"control) of the models to compare: {_described(before)} against {_described(after)}"
        )
    return found


def _key(result: ProtocolResult) -> tuple[Any, ...]:
    return tuple(getattr(result, name) for name in (*SETTINGS, *_RESOLUTIONS))


def _pairs(before: Sequence[ProtocolResult], after: Sequence[ProtocolResult]) -> list[Models]:
    old, new = (list(dict.fromkeys(r.model for r in results)) for results in (before, after))
    alone = [name for name in old if name not in new], [name for name in new if name not in old]
    if not alone[0] and not alone[1]:
        return [(name, name) for name in old]
    if len(alone[0]) == len(alone[1]) == 1:
        both = [(name, name) for name in old if name in new]
        return [(alone[0][0], alone[1][0]), *both]
    raise ConfigError(
        f"which models to compare? before: {', '.join(old)}; after: {', '.join(new)}; name one of "
        "each with --before and --after"
    )


def _comparison(before: ProtocolResult, after: ProtocolResult) -> Comparison:
    shared = before.counts.keys() & after.counts.keys()
    if any(before.counts[name] != after.counts[name] for name in shared):
        raise DataError(f"{_where(before)}: other items, {before.counts} against {after.counts}")
    if not before.outcomes or not after.outcomes:
        return Comparison(before, after)
    old, new = read_outcomes(before.outcomes), read_outcomes(after.outcomes)
    if (old.items, old.metric, len(old.correct)) != (new.items, new.metric, len(new.correct)):
        raise DataError(
            f"{_where(before)}: the two were measured on other {old.kind} items, or on these in "
            "another order; measure both models with the same lists"
        )
    return Comparison(before, after, old.metric, paired_test(old.correct, new.correct, old.people))


def _where(result: ProtocolResult) -> str:
    return f"{result.protocol} at {resolution_name(result.resolution)} px"


def _described(results: Sequence[ProtocolResult]) -> str:
    names = dict.fromkeys(f"{result.model} on {_where(result)}" for result in results)
    return ", ".join(list(names)[:5]) or "nothing"
