"""Checks of what is measured while training."""

from lrfr_lightning.callbacks.evaluation import ProtocolEvaluation, logged_under
from lrfr_lightning.cli.plan.finding import Found, Run
from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.result import ProtocolResult, resolution_name
from lrfr_lightning.utils.errors import ConfigError


def protocols(run: Run) -> Found:
    """Every protocol of every ``ProtocolEvaluation``; the first image of each is read.

    Raises:
        DataError: it cannot be read, or is no aligned face.
    """
    found = protocols_of(run)
    if not found:
        yield "ok", "none: nothing is measured while training"
    elif run.trainer.limit_val_batches == 0:
        yield "doubt", "limit_val_batches is 0: ProtocolEvaluation does not measure in training"
    for protocol in found:
        shown = protocol.embedded_resolutions
        _ = protocol.view(int(protocol.positions(shown[0])[0]), shown[0])
        sides = ", ".join(map(resolution_name, shown))
        yield "ok", f"{protocol.name}: {len(protocol.images):,} images at {sides} px"


def monitors(run: Run) -> Found:
    """Whether the metrics that callbacks wait for will be measured.

    Raises:
        ConfigError: one will not.
    """
    measured = _measured(run)
    for callback in run.callbacks:
        metric = getattr(callback, "monitor", None)
        if not isinstance(metric, str) or not metric.startswith("val/"):
            continue
        if not metric.startswith(measured):
            raise ConfigError(
                f"{type(callback).__name__} waits for {metric!r}, expected a metric that is "
                f"measured: {', '.join(f'{name}...' for name in measured) or 'there is none'}"
            )
        yield "ok", f"{type(callback).__name__} follows {metric}"


def protocols_of(run: Run) -> list[Protocol]:
    """All protocols of all ``ProtocolEvaluation``, whole."""
    return [protocol for callback in _evaluations(run) for protocol in callback.protocols]


def _evaluations(run: Run) -> list[ProtocolEvaluation]:
    return [entry for entry in run.callbacks if isinstance(entry, ProtocolEvaluation)]


def _measured(run: Run) -> tuple[str, ...]:
    """What stands before each metric that is logged while training."""
    parts = [part for callback in _evaluations(run) for part in callback.parts]
    return tuple(
        logged_under(
            ProtocolResult(
                model="", protocol=part.name, metrics={}, counts={}, **part.conditions(*sides)
            ),
            "val",
        )
        for part in parts
        for sides in part.comparisons
    )
