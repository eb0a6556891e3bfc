"""The library's own errors: what was expected, what came, what to do."""


class DataError(ValueError):
    """Data on disk is missing, malformed or does not fit what was asked of it."""


class ConfigError(ValueError):
    """A setting contradicts another one, or cannot be met by the data or the machine."""


class DiskError(OSError):
    """A disk is full, a quota used up, or a file longer than the process may write."""

    def __str__(self) -> str:
        return str(self.strerror)


def first_few(names: list[str], count: int = 5) -> str:
    """The first ``count`` names as text, and how many more there are.

    >>> first_few(["a", "b", "c"], count=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:count])
    rest = len(names) - count
    return f"{shown} and {rest} more" if rest > 0 else shown
