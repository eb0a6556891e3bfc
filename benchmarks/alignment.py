"""Recall and landmark error of the detectors per face size: ``python -m benchmarks.alignment``.

Aligned faces at ``LRFR_DATA`` are pasted into photographs at known places, and ``align_folder`` has
to find them. Writes ``alignment.json`` and prints its tables, which docs/alignment.md shows.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.photographs import SIZES, Placed, make_photographs
from lrfr_lightning.functional.alignment import ARCFACE_TEMPLATE, similarity
from lrfr_lightning.preprocessing import MTCNN, Detector, FaceAligner, YuNet, align_folder
from lrfr_lightning.preprocessing.record import COLUMNS, Row
from lrfr_lightning.utils.paths import existing, whole_file

POLICIES = ("fail", "upscale")
_FIRST = COLUMNS.index("left_eye_x")
_HEADER = ("recall %", "elsewhere %", "error px", "% of eyes", "crop px")


def main() -> None:
    """Measure both detectors under both policies."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alignment", description=__doc__)
    parser.add_argument("--photographs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    faces = existing("${LRFR_DATA}/lfw-112/images", "aligned faces")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        placed = make_photographs(faces, root / "photographs", options.photographs)
        detectors: tuple[Detector, ...] = (MTCNN(), YuNet())
        results = {
            detector.name: {
                policy: measure(placed, _align(root, detector, policy, options.workers))
                for policy in POLICIES
            }
            for detector in detectors
        }
    with whole_file(options.output) as file:
        file.write_text(json.dumps(results, indent=1) + "\n")
    print(tables(results))


def _align(root: Path, detector: Detector, policy: Any, workers: int) -> list[Row]:
    output = root / f"{detector.name}-{policy}"
    aligner = FaceAligner(detector, too_small=policy)
    return align_folder(root / "photographs", output, aligner, workers=workers)


def measure(placed: Sequence[Placed], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What became of the faces of each size.

    Args:
        placed: where they are.
        rows: of ``alignment.csv``.

    Returns:
        One dict per size: ``size`` in px, ``photographs`` and ``rows``, how many; ``found`` with
        the middle of the landmarks within a fourth of the side of the right place; ``elsewhere``,
        how many faces were found where none is. Of those found, means: ``error``, distance of a
        landmark from the template's in px, ``error_eyes`` the same over the distance of the eyes,
        and ``crop_error``, px in the aligned face between the template's points and where the
        crop has them.
    """
    by_path = {row["path"]: row for row in rows}
    return [
        _measure_size(size, here, by_path)
        for size in SIZES
        if (here := [face for face in placed if face.size == size])
    ]


def _measure_size(size: int, placed: list[Placed], by_path: dict[str, Row]) -> dict[str, Any]:
    rows = [(face, by_path[face.path]) for face in placed if face.path in by_path]
    pairs = [(face.landmarks, _landmarks(row)) for face, row in rows if row["outcome"] != "failed"]
    right = [(t, f) for t, f in pairs if np.linalg.norm(t.mean(0) - f.mean(0)) < size / 4]
    errors = [float(np.linalg.norm(found - true, axis=1).mean()) for true, found in right]
    eyes = [float(np.linalg.norm(true[0] - true[1])) for true, _ in right]
    crops = [_crop_error(true, found) for true, found in right]
    return {
        "size": size,
        "photographs": len(placed),
        "rows": len(rows),
        "found": len(right),
        "elsewhere": len(pairs) - len(right),
        "error": _mean(errors),
        "error_eyes": _mean([error / eye for error, eye in zip(errors, eyes, strict=True)]),
        "crop_error": _mean(crops),
    }


def _landmarks(row: Row) -> Any:
    return np.array([float(row[name]) for name in COLUMNS[_FIRST:]]).reshape(5, 2)


def _crop_error(true: Any, found: Any) -> float:
    transform = similarity(found, ARCFACE_TEMPLATE)
    there = true @ transform[:, :2].T + transform[:, 2]
    return float(np.linalg.norm(there - ARCFACE_TEMPLATE, axis=1).mean())


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def tables(results: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    """A Markdown table per detector, the policies side by side."""
    return "\n\n".join(_table(name, results[name]) for name in results)


def _table(detector: str, policies: dict[str, list[dict[str, Any]]]) -> str:
    header = ["face px", "files", "rows"] + [f"{p}: {c}" for p in policies for c in _HEADER]
    lines = [f"**{detector}**", "", _line(header), _line(["--:"] * len(header))]
    for sizes in zip(*policies.values(), strict=True):
        cells = [str(sizes[0][name]) for name in ("size", "photographs", "rows")]
        for measured in sizes:
            cells += _cells(measured)
        lines.append(_line(cells))
    return "\n".join(lines)


def _cells(measured: dict[str, Any]) -> list[str]:
    shares = [
        f"{100 * measured[name] / measured['photographs']:.0f}" for name in ("found", "elsewhere")
    ]
    if not measured["found"]:
        return [*shares, "", "", ""]
    error, eyes, crop = (measured[name] for name in ("error", "error_eyes", "crop_error"))
    return [*shares, f"{error:.1f}", f"{100 * eyes:.0f}", f"{crop:.1f}"]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
