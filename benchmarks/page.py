"""Markdown and a picture of the results."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.row import Row

HEAD = ("what", "to the limit", "limit", "to the peer", "peer", "MB", "peer's MB", "target", "met")


def write_page(folder: Path, rows: Sequence[Row], machine: dict[str, object]) -> None:
    """Write ``results.md`` and ``results.png``."""
    lines = [
        "# Benchmarks",
        "",
        "`python -m benchmarks`; times are medians and given as ratios. `x` speed: more is "
        "better; `x` time: less is better.",
        "",
        *(f"* {key}: {value}" for key, value in machine.items()),
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
        *("| " + " | ".join(_cells(row)) + " |" for row in rows),
    ]
    (folder / "results.md").write_text("\n".join(lines) + "\n")
    _figure(rows).savefig(folder / "results.png", dpi=110)


def _cells(row: Row) -> list[str]:
    unit = f" x {row.sense}" if row.sense in ("speed", "time") else ""
    ratios = [
        "" if ratio is None else f"{ratio:.2f}{unit}"
        for ratio in (row.ratio_to_limit, row.ratio_to_peer)
    ]
    memories = ["" if mb is None else f"{mb:,.0f}" for mb in (row.memory_mb, row.peer_memory_mb)]
    name = row.name if row.sense != "seconds" else f"{row.name}: {row.seconds:.2f} s"
    met = {None: "", True: "yes", False: "no"}[row.met]
    noted = f"{name} ({row.note})" if row.note else name
    return [noted, ratios[0], row.limit, ratios[1], row.peer, *memories, row.target, met]


def _figure(rows: Sequence[Row]) -> Figure:
    """Speed-up over each peer, on a logarithmic axis."""
    compared = [row for row in rows if row.ratio_to_peer]
    speedups = [
        row.ratio_to_peer if row.sense == "speed" else 1 / row.ratio_to_peer
        for row in compared
        if row.ratio_to_peer
    ]
    figure = Figure(figsize=(12, 1 + 0.32 * max(1, len(compared))), layout="constrained")
    axes = figure.subplots()
    labels = [f"{row.name}\n{row.peer}" for row in compared]
    axes.barh(labels, speedups, color="#3b6ea5")
    axes.axvline(1, color="#333333", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("times as fast as the peer")
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=7)
    return figure
