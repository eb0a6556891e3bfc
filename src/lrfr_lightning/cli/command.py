"""A command line as a results file notes it."""

from collections.abc import Collection, Sequence


def told(args: Sequence[str], left_out: Collection[str]) -> list[str]:
    """A command without the options that are no part of its results, and without their values.

    >>> told(["evaluate", "--flip", "--output", "a.json", "--devices=2"], ["output", "devices"])
    ['evaluate', '--flip']
    """
    kept, keeping = [], True
    for arg in args:
        if arg.startswith("--"):
            keeping = arg[2:].partition("=")[0] not in left_out
        if keeping:
            kept.append(arg)
    return kept
