"""The library's own errors: what was expected, what came, what to do."""


class DataError(ValueError):
    """Data on disk is missing, malformed or does not fit what was asked of it."""


class ConfigError(ValueError):
    """A setting contradicts another one, or cannot be met by the data or the machine."""


class DiskError(OSError):
    """A disk is full, a quota used up, or a file longer than the process may write."""

    def __str__(self) -> str:
        return str(self.strerror)


def lost_worker(error: BaseException) -> ConfigError | None:
    """What to do about a process that loads data and died or hangs; None for any other error."""
    reason = str(error).partition("\n")[0].strip()
    if not isinstance(error, RuntimeError) or not reason.startswith("DataLoader "):
        return None
    return ConfigError(
        f"a process that loads data is lost ({reason}): expected it to live as long as the run; "
        "killed or exited mostly means that the memory was full: lower num_workers or batch_size; "
        "bus error: raise the limit of /dev/shm; timed out: the disk does not answer. A training "
        "goes on from its last checkpoint with --ckpt_path"
    )


def first_few(names: list[str], count: int = 5) -> str:
    """The first ``count`` names as text, and how many more there are.

    >>> first_few(["a", "b", "c"], count=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:count])
    rest = len(names) - count
    return f"{shown} and {rest} more" if rest > 0 else shown
