"""YAML of bounded size: safe loaders run no code, but multiply aliases and go to any depth."""

import re
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.plain import check_size
from lrfr_lightning.utils.reading import read_bounded

MAX_YAML_BYTES = 1 << 22
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
    except (ConfigError, DataError):
        raise
    except (ValueError, yaml.YAMLError) as error:
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
    try:
        check_size(_tree(node, {}))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"YAML of no settings, with its aliases written out: {error}") from None


def _tree(node: Any, known: dict[int, Any]) -> Any:
    """The nodes of PyYAML as lists, an alias being the list it stands for."""
    if isinstance(node, yaml.ScalarNode) or node is None:
        return None
    if id(node) not in known:
        known[id(node)] = tree = []
        for entry in node.value:
            tree += [
                _tree(child, known) for child in (entry if isinstance(entry, tuple) else [entry])
            ]
    return known[id(node)]
