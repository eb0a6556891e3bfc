"""Results that may stand in one table: the same protocol, measured in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from lrfr_lightning.functional.controls import Control
from lrfr_lightning.protocols.result import (
    RULE_OF_SETTING,
    ProtocolResult,
    Resolution,
    falling,
    resolution_label,
)
from lrfr_lightning.utils.errors import DataError

FLOORS = ("raw-pixels", "mean-colour")
"""Names of the models that recognise no face: what scene and colour alone give."""

_SETTINGS = {"standard": "standard", "deck": "deck (as the slides measured)"}
_SIDES = {
    "both": "both images",
    "first": "first image",
    "second": "second image",
    "matrix": "probe and gallery, each by its own resolution",
}


@dataclass(frozen=True)
class Block:
    """Comparable results, one per model, control and resolution (or pair of resolutions).

    Attributes:
        title: protocol, setting and whatever else tells this block from the others.
        facts: how the numbers were measured, by name.
        results: in the order of their models, each from no control to the strongest and from the
            highest resolution to the lowest.
    """

    title: str
    facts: dict[str, str]
    results: tuple[ProtocolResult, ...]


def group(results: Sequence[ProtocolResult]) -> list[Block]:
    """Sort results into blocks; blocks and models keep the order in which they came.

    A protocol under a control stands in the block of the protocol itself, so that no
    low-resolution number stands without its controls.

    Raises:
        DataError: there are no results, or one model has two results for the same measurement.
    """
    if not results:
        raise DataError("no results to report; make some with lrfr evaluate")
    _check_distinct(results)
    groups: dict[tuple[str, ...], list[ProtocolResult]] = {}
    for result in results:
        groups.setdefault(tuple(_shared(result).values()), []).append(result)
    titles = _titles([members[0] for members in groups.values()])
    return [_block(*pair) for pair in zip(titles, groups.values(), strict=True)]


def by_control(block: Block) -> list[Block]:
    """The block's results under each control, as a block each, for a panel each."""
    found = controls(block.results)
    if found == ["none"]:
        return [block]
    return [
        replace(
            block,
            title=f"{block.title} · control: {control}",
            facts=block.facts | {"control": control},
            results=tuple(r for r in block.results if r.control == control),
        )
        for control in found
    ]


def models(results: Sequence[ProtocolResult]) -> list[str]:
    """Names of the models, each once, in the order in which they came."""
    return list(dict.fromkeys(result.model for result in results))


def model_label(name: str) -> str:
    """The name, with a mark where it is no face recogniser.

    >>> model_label("raw-pixels")
    'raw-pixels (floor)'
    """
    return f"{name} (floor)" if name in FLOORS else name


def resolutions(results: Sequence[ProtocolResult]) -> list[Resolution]:
    """Resolutions of the results, each once, native first, then the highest."""
    return sorted({result.resolution for result in results}, key=falling)


def controls(results: Sequence[ProtocolResult]) -> list[str]:
    """Controls of the results, each once, none first."""
    return sorted({result.control for result in results}, key=_strength)


def is_matrix(results: Sequence[ProtocolResult]) -> bool:
    """Whether the results are those of a block of probe resolutions x gallery resolutions."""
    return results[0].degraded == "matrix"


def shown_label(result: ProtocolResult) -> str:
    """What was compared with what: ``14 px``, ``14 px against 112 px``, ``14 px, grey``."""
    gallery = result.gallery_resolution
    against = "" if gallery is None else f" against {resolution_label(gallery)}"
    control = "" if result.control == "none" else f", {result.control}"
    return resolution_label(result.resolution) + against + control


def by_shown(results: Sequence[ProtocolResult]) -> dict[str, list[ProtocolResult]]:
    """The results of all models by what was compared with what, see :func:`shown_label`."""
    found: dict[str, list[ProtocolResult]] = {}
    for result in sorted(results, key=_place):
        found.setdefault(shown_label(result), []).append(result)
    return found


def conditions(result: ProtocolResult) -> dict[str, str]:
    """How a result was measured, but for the resolution of its images or probes, by name."""
    return {
        "protocol": result.protocol,
        "setting": _SETTINGS.get(result.setting, result.setting),
        "degraded": _degraded(result),
        "down": result.down,
        "up": result.up,
        "flip": "yes" if result.flip else "no",
        "control": result.control,
        **_threshold(result),
    }


def _threshold(result: ProtocolResult) -> dict[str, str]:
    """The rule of the threshold, where it is not the setting's own."""
    rule = result.threshold_rule
    own = rule in (None, RULE_OF_SETTING.get(result.setting))
    return {} if own else {"threshold": str(rule)}


def _shared(result: ProtocolResult) -> dict[str, str]:
    """What two results must share to stand in one block."""
    shared = conditions(result) | {"degraded": _SIDES.get(result.degraded, result.degraded)}
    del shared["control"]
    return shared


def _degraded(result: ProtocolResult) -> str:
    if result.degraded == "matrix":
        return f"first image; second at {resolution_label(result.gallery_resolution)}"
    return _SIDES.get(result.degraded, result.degraded)


def _strength(control: str) -> tuple[int, str]:
    known = get_args(Control)
    return (known.index(control) if control in known else len(known), control)


def _place(result: ProtocolResult) -> tuple[tuple[int, str], float, float]:
    sides = falling(result.resolution), falling(result.gallery_resolution)
    return (_strength(result.control), *sides)


def _block(title: str, members: list[ProtocolResult]) -> Block:
    order = models(members)
    ordered = sorted(members, key=lambda result: (order.index(result.model), *_place(result)))
    facts = {
        **_shared(members[0]),
        "control": ", ".join(controls(members)),
        "counts": _counts(members),
    }
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
    facts = [_shared(result) for result in examples]
    further = [name for name in facts[0] if name not in ("protocol", "setting")]
    varied = [name for name in further if len({entry[name] for entry in facts}) > 1]
    return [
        " · ".join((r.protocol, r.setting, *(f"{name}: {entry[name]}" for name in varied)))
        for r, entry in zip(examples, facts, strict=True)
    ]


def _check_distinct(results: Sequence[ProtocolResult]) -> None:
    seen: set[tuple[str, ...]] = set()
    for result in results:
        measured = (shown_label(result), *conditions(result).values())
        if (result.model, *measured) in seen:
            raise DataError(
                f"model {result.model!r} has two results for {' / '.join(measured)}; "
                "rename the model in one of the results files"
            )
        seen.add((result.model, *measured))
