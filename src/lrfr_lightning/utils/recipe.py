"""How an object was constructed, as plain data that a checkpoint can hold.

A checkpoint must rebuild its model without pickled classes, whether the model came from YAML or
from Python. Classes that stand in a task's signature derive from :class:`Recorded`; then
:func:`describe` turns them into the ``class_path``/``init_args`` form that the command line reads.
"""

import dataclasses
import functools
import inspect
from pathlib import Path
from typing import Any, Self

from lrfr_lightning.utils.errors import ConfigError


class Recorded:
    """Remembers the arguments it was constructed with."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Note the arguments, before any subclass's ``__init__`` runs."""
        self = super().__new__(cls)
        signature = inspect.signature(cls.__init__)
        bound = signature.bind_partial(self, *args, **kwargs)
        arguments = dict(list(bound.arguments.items())[1:])
        for name, parameter in signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:  # they are the parent's, by name
                arguments |= arguments.pop(name, {})
        # past nn.Module.__setattr__, which is not ready before __init__
        object.__setattr__(self, "init_arguments", arguments)
        return self


def class_path(cls: Any) -> str:
    """The import path of a class or function."""
    return f"{cls.__module__}.{cls.__qualname__}"


def describe(value: Any) -> Any:
    """Plain data (dict, list, str, number, bool, None) from which ``value`` can be built again.

    >>> describe(functools.partial(int, base=2))
    {'class_path': 'builtins.int', 'init_args': {'base': 2}}

    Raises:
        ConfigError: ``value`` holds an object that did not record its construction.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Recorded):
        return _node(type(value), value.init_arguments)  # type: ignore[attr-defined]
    if isinstance(value, functools.partial) and not value.args:
        return _node(value.func, value.keywords)
    if isinstance(value, functools.partial) and isinstance(value.args[-1], type):
        return _node(value.args[-1], value.keywords)  # jsonargparse: partial(make, cls, ...)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: describe(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [describe(entry) for entry in value]
    if isinstance(value, type):
        return class_path(value)
    raise ConfigError(
        f"cannot write {type(value).__name__} into a checkpoint: expected plain data, a class "
        "that derives from Recorded (Backbone, Margin, MarginHead ...) or functools.partial of a "
        "class with keyword arguments"
    )


def _node(cls: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"class_path": class_path(cls), "init_args": describe(arguments)}
