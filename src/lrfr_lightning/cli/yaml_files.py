"""YAML of bounded size: safe loaders run no code, but multiply aliases and go to any depth."""

import re
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.reading import read_bounded

MAX_YAML_BYTES = 1 << 22
MAX_NODES, MAX_DEPTH = 100_000, 60
"""Entries with every alias written out, and how deep they stand; a recipe has some 200 and 12."""

_COMPOSED = re.compile(r"[&\[{\n]")
_load = get_loader("yaml")


def read_yaml(path: str, what: str) -> dict[str, Any]:
    """A YAML file of settings.

    Raises:
        ConfigError: it has too many entries, or too deep ones.
        DataError: there is none, or it is no YAML of settings.
    """
    file: Path = existing(path, what)
    try:
        text = read_bounded(file, MAX_YAML_BYTES, what).decode()
        check_yaml(text)
        content = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        if isinstance(error, ConfigError | DataError):
            raise
        raise DataError(f"{what} {file} cannot be read as YAML: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{what} {file}: expected settings by name, got {type(content).__name__}")
    return content


def bound_yaml() -> None:
    """Have the parser of the command line refuse what :func:`check_yaml` refuses."""
    set_loader("yaml", _bounded_load, (yaml.YAMLError,))


def _bounded_load(text: str) -> Any:
    check_yaml(text)
    return _load(text)


def check_yaml(text: str) -> None:
    """Refuse YAML that grows when it is read; nothing is built from it yet.

    Raises:
        ConfigError: it has too many entries, or too deep ones.
        yaml.YAMLError: it is none.
    """
    if not _COMPOSED.search(text):
        return
    if len(text) > MAX_YAML_BYTES:
        raise ConfigError(f"YAML of {len(text)} characters, expected at most {MAX_YAML_BYTES}")
    node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    _count(node, {}, 1)


def _count(node: Any, known: dict[int, int], depth: int) -> int:
    """Entries of a node with every alias written out.

    Args:
        node: of PyYAML; an alias is the node it stands for.
        known: of the nodes that were counted; 0 for those that are being counted.
        depth: of the node.
    """
    if known.get(id(node)) == 0:
        raise ConfigError("YAML with an entry that holds itself: write it out")
    if id(node) not in known:
        if depth > MAX_DEPTH:
            raise ConfigError(f"YAML nested more than {MAX_DEPTH} deep: it is no setting of ours")
        known[id(node)] = 0
        known[id(node)] = 1 + sum(_count(child, known, depth + 1) for child in _children(node))
    if known[id(node)] > MAX_NODES:
        raise ConfigError(
            f"YAML of more than {MAX_NODES} entries with its aliases written out: "
            "it is no setting of ours"
        )
    return known[id(node)]


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
