"""The number and everything that says what it is; JSON first, all tables and plots read that."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from lrfr_lightning.functional.controls import Control
from lrfr_lightning.protocols.provenance import commits, machine, versions
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import whole_file
from lrfr_lightning.utils.plain import check_types
from lrfr_lightning.utils.reading import MAX_JSON_BYTES, parse_json, read_bounded

Setting = Literal["standard", "deck"]
Side = Literal["both", "first", "second", "matrix"]
ThresholdRule = Literal["best", "youden", "grid"]
RULE_OF_SETTING: dict[Setting, ThresholdRule] = {"standard": "best", "deck": "youden"}
"""Where none is chosen."""

Resolution = int | None
"""Side of an image before upscaling, px; None for an image as its data set has it."""


def falling(resolution: Resolution) -> float:
    """Sort key: native images first, then the highest resolution."""
    return float("-inf") if resolution is None else -resolution


def resolution_name(resolution: Resolution) -> str:
    """``14`` or ``native``, for tables and logs."""
    return "native" if resolution is None else str(resolution)


def resolution_label(resolution: Resolution) -> str:
    """``14 px`` or ``native``."""
    return resolution_name(resolution) + ("" if resolution is None else " px")


@dataclass(frozen=True)
class ProtocolResult:
    """One protocol, measured with one model at one resolution.

    Attributes:
        model: the embedder's name.
        protocol: for example ``lfw-devtest``.
        setting: ``standard`` (correct) or ``deck`` (as the slides measured).
        resolution: side of the degraded images (with ``matrix`` of the first: the probes) before
            upscaling, px; None for images as the data set has them.
        degraded: which side of a comparison was degraded; ``matrix``: each by its own resolution.
        down: kernel that made the image small, for example ``bicubic, antialias``.
        up: kernel that brought it back to the network's size.
        flip: whether the embedding of the mirrored image was added.
        metrics: ``accuracy``, ``accuracy_std``, ``auc``, ``eer``, ``tar@far=0.001`` ..., all 0..1;
            None where the counts are too small to measure it.
        counts: ``images``, ``people`` (where they are known), ``pairs``, ``genuine``,
            ``impostor``, ``folds``.
        thresholds: the cosine threshold behind a metric, by the metric's name.
        curves: lists for plots, of equal length within a family: ``far``, ``tar``; ``rank``,
            ``cmc``; ``fpir``, ``fnir``; ``score_edges`` (one more than), ``genuine_density``,
            ``impostor_density``; ``sample_score``, ``sample_norm``, ``sample_sharpness``,
            ``sample_genuine``; see :mod:`lrfr_lightning.protocols.curves`.
        control: what was taken from each face before it was degraded, see
            :func:`~lrfr_lightning.functional.controls.apply_control`.
        gallery_resolution: side of the second (gallery) images, with ``matrix`` only, px.
        intervals: ``[low, high]`` that holds a metric with 95 % confidence, by the metric's name,
            0..1; from a bootstrap over people where they are known (``counts`` has ``people``),
            over pairs elsewhere.
        outcomes: what a paired test between two models needs, see
            :mod:`lrfr_lightning.protocols.outcomes`.
        examples: pictures of the hardest comparisons, see :mod:`lrfr_lightning.protocols.examples`.
        threshold_rule: how the threshold of ``accuracy`` was found on the other folds, see
            :class:`~lrfr_lightning.protocols.verification.VerificationConditions`; None where
            nothing is decided by one.
        precision: what the model computed in, ``float32`` or ``bf16``.
        groups: errors by group of people, where groups were given, see
            :func:`~lrfr_lightning.protocols.groups.group_rates`.
        data_fingerprint: SHA-256 of the pixels that the network saw, in order, hex; None where
            it was not taken. Which of them were compared, ``outcomes`` says.
        model_fingerprint: of the model, see
            :meth:`~lrfr_lightning.embedders.base.Embedder.fingerprint`.
    """

    model: str
    protocol: str
    setting: Setting
    resolution: Resolution
    degraded: Side
    down: str
    up: str
    flip: bool
    metrics: dict[str, float | None]
    counts: dict[str, int]
    thresholds: dict[str, float] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    control: Control = "none"
    gallery_resolution: int | None = None
    intervals: dict[str, list[float]] = field(default_factory=dict)
    outcomes: dict[str, Any] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)
    threshold_rule: ThresholdRule | None = None
    precision: str = "float32"
    groups: list[dict[str, Any]] = field(default_factory=list)
    data_fingerprint: str | None = None
    model_fingerprint: str | None = None


def write_results(
    path: str | Path,
    results: Sequence[ProtocolResult],
    config: dict[str, Any] | None = None,
    command: Sequence[str] = (),
    seed: int = 0,
) -> None:
    """Write results as one JSON object, whole or not at all.

    The object holds ``versions``, ``machine`` and ``commits`` (see
    :mod:`~lrfr_lightning.protocols.provenance`), what is given here, the list ``results`` and, by
    the items' hash, ``people``: who stands on either side of the items, which all results on the
    same items share. It holds no time, so that a repeated run writes the same file.

    Args:
        path: the file.
        results: what was measured.
        config: the options behind it, plain data.
        command: the command line behind it, without those that are no part of a result.
        seed: of the run that trained, or of the bootstrap where nothing was trained.
    """
    entries = [_finite(asdict(result)) for result in results]
    content = {
        "versions": versions(),
        "machine": machine(),
        "commits": commits(),
        "command": list(command),
        "seed": seed,
        "config": config or {},
        "people": _people_apart(entries),
        "results": entries,
    }
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_results(path: str | Path) -> list[ProtocolResult]:
    """Read what :func:`write_results` wrote; keys it does not know are ignored.

    Raises:
        DataError: no such file, not JSON, no list ``results``, or an entry lacks a key.
    """
    if not Path(path).exists():
        raise DataError(f"results file not found: {path}; make one with lrfr evaluate")
    data = read_bounded(path, MAX_JSON_BYTES, "results file")
    try:
        content = parse_json(data)
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); expected a results file") from None
    entries = content.get("results") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise DataError(f"{path}: expected a JSON object with a list 'results'")
    found = [_entry(path, number, entry) for number, entry in enumerate(entries)]
    people = content.get("people", {})
    if not isinstance(people, dict):
        raise DataError(f"{path}: expected 'people' by the hash of the items they stand in")
    for result in found:
        items = str(result.outcomes.get("items"))
        if items in people:
            result.outcomes["people"] = people[items]
    return found


def _people_apart(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Take the people out of every result's outcomes; by the hash of the items."""
    outcomes = [entry["outcomes"] for entry in entries]
    return {own["items"]: own.pop("people") for own in outcomes if "people" in own}


def _entry(path: str | Path, number: int, entry: dict[str, Any]) -> ProtocolResult:
    known = {f.name for f in fields(ProtocolResult)}
    try:
        found = ProtocolResult(**{key: entry[key] for key in entry if key in known})
        check_types(found)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: results[{number}] is not a result: {error}") from None
    if "accuracy" in found.thresholds and "threshold_rule" not in entry:
        # a file from before the rule could be chosen has the setting's
        return replace(found, threshold_rule=RULE_OF_SETTING.get(found.setting))
    return found


def _finite(value: Any) -> Any:
    """JSON has no NaN: a number that could not be measured becomes null."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
