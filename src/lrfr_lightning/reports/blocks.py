"""Results that may stand in one table: the same protocol, measured in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass

from lrfr_lightning.protocols.result import ProtocolResult, Resolution, falling, resolution_label
from lrfr_lightning.utils.errors import DataError

_SETTINGS = {"standard": "standard", "deck": "deck (as the slides measured)"}
_SIDES = {"both": "both images", "first": "first image", "second": "second image"}


@dataclass(frozen=True)
class Block:
    """Comparable results, one per model and resolution.

    Attributes:
        title: protocol, setting and whatever else tells this block from the others.
        facts: how the numbers were measured, by name.
        results: in the order of their models, from the highest resolution to the lowest.
    """

    title: str
    facts: dict[str, str]
    results: tuple[ProtocolResult, ...]


def group(results: Sequence[ProtocolResult]) -> list[Block]:
    """Sort results into blocks; blocks and models keep the order in which they came.

    Raises:
        DataError: there are no results, or one model has two results for the same measurement.
    """
    if not results:
        raise DataError("no results to report; make some with lrfr evaluate")
    _check_distinct(results)
    groups: dict[tuple[str, ...], list[ProtocolResult]] = {}
    for result in results:
        groups.setdefault(tuple(conditions(result).values()), []).append(result)
    titles = _titles([members[0] for members in groups.values()])
    return [_block(*pair) for pair in zip(titles, groups.values(), strict=True)]


def models(results: Sequence[ProtocolResult]) -> list[str]:
    """Names of the models, each once, in the order in which they came."""
    return list(dict.fromkeys(result.model for result in results))


def resolutions(results: Sequence[ProtocolResult]) -> list[Resolution]:
    """Resolutions of the results, each once, native first, then the highest."""
    return sorted({result.resolution for result in results}, key=falling)


def conditions(result: ProtocolResult) -> dict[str, str]:
    """What two results must share to stand in one table, by name."""
    return {
        "protocol": result.protocol,
        "setting": _SETTINGS.get(result.setting, result.setting),
        "degraded": _degraded(result),
        "down": result.down,
        "up": result.up,
        "flip": "yes" if result.flip else "no",
        "control": result.control,
    }


def _degraded(result: ProtocolResult) -> str:
    if result.degraded == "matrix":
        return f"first image; second at {resolution_label(result.gallery_resolution)}"
    return _SIDES.get(result.degraded, result.degraded)


def _block(title: str, members: list[ProtocolResult]) -> Block:
    order = models(members)
    ordered = sorted(
        members, key=lambda result: (order.index(result.model), falling(result.resolution))
    )
    facts = {**conditions(members[0]), "counts": _counts(members)}
    return Block(title, facts, tuple(ordered))


def _counts(members: list[ProtocolResult]) -> str:
    """``6,000 pairs, 10 folds``; a range where the results differ."""
    names = dict.fromkeys(name for result in members for name in result.counts)
    found = {name: [r.counts[name] for r in members if name in r.counts] for name in names}
    return ", ".join(f"{_range(values)} {name}" for name, values in found.items())


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _titles(examples: list[ProtocolResult]) -> list[str]:
    """Per example of a block: protocol, setting, and the further conditions that vary."""
    facts = [conditions(result) for result in examples]
    further = [name for name in facts[0] if name not in ("protocol", "setting")]
    varied = [name for name in further if len({entry[name] for entry in facts}) > 1]
    return [
        " · ".join((r.protocol, r.setting, *(f"{name}: {entry[name]}" for name in varied)))
        for r, entry in zip(examples, facts, strict=True)
    ]


def _check_distinct(results: Sequence[ProtocolResult]) -> None:
    seen: set[tuple[str, ...]] = set()
    for result in results:
        measured = (resolution_label(result.resolution), *conditions(result).values())
        if (result.model, *measured) in seen:
            raise DataError(
                f"model {result.model!r} has two results for {' / '.join(measured)}; "
                "rename the model in one of the results files"
            )
        seen.add((result.model, *measured))
