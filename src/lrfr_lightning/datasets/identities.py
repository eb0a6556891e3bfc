"""From the names of identities to labels: one order for every form the images come in."""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def in_order(names: Iterable[str]) -> list[str]:
    """Distinct names of identities, sorted: by number if all are integers, or else as text.

    The same rule in every form keeps the labels of a data set when it is converted.

    >>> in_order(["10", "9", "10"])
    ['9', '10']
    >>> in_order(["n10", "n9"])
    ['n10', 'n9']
    """
    distinct = sorted(set(names))
    if all(_WHOLE_NUMBER.fullmatch(name) for name in distinct):
        distinct.sort(key=int)
    return distinct


def number(names: list[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Labels int64 ``(N,)`` in 0..K-1 for the identity of each of N images, and K names in order.

    >>> labels, identities = number(["eve", "bob", "eve"])
    >>> labels.tolist(), identities
    ([1, 0, 1], ['bob', 'eve'])
    """
    identities = in_order(names)
    position = {name: label for label, name in enumerate(identities)}
    labels = np.fromiter((position[name] for name in names), np.int64, len(names))
    return labels, identities
