"""What differs between two results files of one measurement, and what may be why."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lrfr_lightning.protocols.result import ProtocolResult, resolution_label

_CAUSES = ("versions", "machine", "commits", "command", "seed", "config")
_WHICH = ("model", "protocol", "setting", "resolution", "gallery_resolution", "degraded", "down",
          "up", "flip", "control", "threshold_rule", "precision")  # fmt: skip
_FINGERPRINTS = {"data_fingerprint": "images", "model_fingerprint": "model"}


@dataclass(frozen=True)
class Difference:
    """One value that is another in the second file.

    Attributes:
        where: the result and the value, for example ``best on lfw at 14 px: accuracy``.
        before: the first file's; None where it has none.
        after: the second file's.
    """

    where: str
    before: Any
    after: Any


def differences(
    before: Sequence[ProtocolResult], after: Sequence[ProtocolResult]
) -> list[Difference]:
    """Every metric that is not equal to the last bit, and every further part of a result.

    Fingerprints are no part: see :func:`causes`.
    """
    first, second = _by_name(before), _by_name(after)
    found = [Difference(name, "there", None) for name in first if name not in second]
    found += [Difference(name, None, "there") for name in second if name not in first]
    for name in first.keys() & second.keys():
        found += _between(name, asdict(first[name]), asdict(second[name]))
    return sorted(found, key=lambda difference: difference.where)


def causes(
    before: dict[str, Any],
    after: dict[str, Any],
    first: Sequence[ProtocolResult],
    second: Sequence[ProtocolResult],
) -> list[Difference]:
    """What else is not as it was: packages, machine, commits, options, images, models.

    What a file does not say, as those of older versions do not, is not compared.

    Args:
        before: the first file's content.
        after: the second file's.
        first: the results of the first.
        second: those of the second.
    """
    known = [key for key in _CAUSES if before.get(key) and after.get(key)]
    found = [entry for key in known for entry in _leaves(key, before[key], after[key])]
    others = _by_name(second)
    seen: dict[Difference, None] = {}
    for name, result in _by_name(first).items():
        other = others.get(name, result)
        for field, what in _FINGERPRINTS.items():
            one, two = getattr(result, field), getattr(other, field)
            if one and two and one != two:
                whose = result.model if what == "model" else result.protocol
                seen[Difference(f"{what} {whose}", one[:12], two[:12])] = None
    return found + list(seen)


def _by_name(results: Sequence[ProtocolResult]) -> dict[str, ProtocolResult]:
    """Each result under what it is, shortest form that tells all apart."""
    return {_name(result, results): result for result in results}


def _name(result: ProtocolResult, results: Sequence[ProtocolResult]) -> str:
    gallery = result.gallery_resolution
    against = "" if gallery is None else f" against {resolution_label(gallery)}"
    shown = f"{result.model} on {result.protocol} at {resolution_label(result.resolution)}{against}"
    fixed = ("model", "protocol", "resolution", "gallery_resolution")
    varied = [
        f"{name} {getattr(result, name)}"
        for name in _WHICH
        if name not in fixed and len({str(getattr(r, name)) for r in results}) > 1
    ]
    return ", ".join([shown, *varied])


def _between(name: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for metric in before["metrics"].keys() | after["metrics"].keys():
        one, two = before["metrics"].get(metric), after["metrics"].get(metric)
        if one != two:
            yield Difference(f"{name}: {metric}", one, two)
    for field in before.keys() - {"metrics", *_FINGERPRINTS}:
        if before[field] != after[field]:
            yield Difference(f"{name}: {field}", "one", "another")


def _leaves(name: str, before: Any, after: Any) -> Iterator[Difference]:
    """Plain data, down to the values that differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _leaves(f"{name}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, two) in enumerate(zip(before, after, strict=True)):
            yield from _leaves(f"{name}.{number}", one, two)
    elif before != after:
        yield Difference(name, before, after)
