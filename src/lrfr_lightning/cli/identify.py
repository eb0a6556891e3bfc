"""``lrfr identify``: who is on these images, among the people of a gallery."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from lrfr_lightning.cli.recognition_options import (
    add_align,
    aligner_of,
    model_parser,
    number,
    output_path,
    parsed,
    print_table,
    warn_of_failures,
    write_csv,
    write_json,
)
from lrfr_lightning.recognition.answers import Identification
from lrfr_lightning.recognition.faces import check_resolution, image_files
from lrfr_lightning.recognition.gallery import Gallery
from lrfr_lightning.recognition.probes import Probes, embed_files
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.recognition.thresholds import Thresholds

Row = dict[str, Any]

_COLUMNS = (
    *("probe", "resolution", "sharpness", "norm", "decision"),
    *("name", "score", "margin", "threshold", "fpir"),
)


def run(args: list[str]) -> list[Row]:
    """Look for every probe, print and write a row for each."""
    parser = model_parser("identify", "Look for faces in a gallery.")
    parser.add_argument("probes", type=str, nargs="+", help="image files, or folders of them")
    parser.add_argument("--gallery", type=str, required=True, help="file of lrfr enroll")
    parser.add_argument(
        "--thresholds", type=str | None, help="file of lrfr calibrate; without it none is decided"
    )
    parser.add_argument("--top", type=int, default=5, help="people named for each probe")
    parser.add_argument("--resolution", type=int | None, help="shrink the probes to this side, px")
    parser.add_argument("--output", type=str | None, help="a .csv or .json file")
    add_align(parser)
    options, model = parsed(parser, args)
    output = output_path(options.output, (".csv", ".json")) if options.output else None
    check_resolution(options.resolution)
    gallery = Gallery.load(options.gallery)
    thresholds = Thresholds.load(options.thresholds) if options.thresholds else None
    recogniser = Recogniser(model, thresholds, gallery.flip, aligner_of(options))
    recogniser.check(gallery)
    probes = embed_files(recogniser, image_files(options.probes), options.resolution)
    found = recogniser.identify_embedded(probes.embedded, gallery, options.top)
    rows = [_row(probes, found, *entry) for entry in probes.rows()]
    _print(rows, thresholds, len(gallery))
    warn_of_failures(probes)
    if output:
        _write(output, rows, recogniser, len(gallery))
        print(f"answers: {output}")
    return rows


def _row(
    probes: Probes, found: list[Identification], file: Path, reason: str | None, at: int | None
) -> Row:
    """What is written of a probe; all but the reason is empty where it failed."""
    if at is None:
        return {"probe": str(file), "decision": "failed", "reason": reason, "matches": []}
    answer, embedded = found[at], probes.embedded
    matches = [{"name": name, "score": round(score, 6)} for name, score in answer.matches]
    return (
        {
            "probe": str(file),
            "resolution": int(embedded.resolution[at]),
            "sharpness": round(float(embedded.sharpness[at]), 3),
            "norm": round(float(embedded.norm[at]), 3),
            "name": answer.matches[0][0] if answer.decision == "known" else None,
            "score": matches[0]["score"],
        }
        | asdict(answer)
        | {"matches": matches}
    )


def _print(rows: list[Row], thresholds: Thresholds | None, people: int) -> None:
    lines = [
        (
            row["probe"],
            str(row.get("resolution", "\u2013")),
            number(row.get("sharpness"), 1),
            row["decision"],
            row["matches"][0]["name"] if row["matches"] else "\u2013",
            number(row.get("score")),
            number(row.get("margin")),
            number(row.get("threshold")),
            number(row.get("fpir"), 5),
        )
        for row in rows
    ]
    header = ("probe", "px", "sharpness", "decision", "most alike", "score", "margin")
    table = thresholds.search if thresholds else None
    rule = f"thresholds at FPIR {table.wished:g}" if table else "no threshold, so none is decided"
    print_table((*header, "threshold", "FPIR"), lines, f"gallery of {people:,} people; {rule}")


def _write(path: Path, rows: list[Row], recogniser: Recogniser, people: int) -> None:
    if path.suffix == ".json":
        table = recogniser.thresholds.search if recogniser.thresholds else None
        setting = {
            "model": recogniser.embedder.name,
            "fingerprint": recogniser.fingerprint,
            "flip": recogniser.flip,
            "people": people,
            "fpir": table.wished if table else None,
        }
        write_json(path, setting | {"probes": rows})
        return
    top = max(len(row["matches"]) for row in rows)
    names = [f"{what}{place + 1}" for place in range(top) for what in ("name", "score")]
    write_csv(path, [_flat(row) for row in rows], [*_COLUMNS, *names, "reason"])


def _flat(row: Row) -> Row:
    """Without the list of matches, which becomes a column for each name and score."""
    flat = {key: value for key, value in row.items() if key != "matches"}
    for place, match in enumerate(row["matches"], start=1):
        flat |= {f"name{place}": match["name"], f"score{place}": match["score"]}
    return flat
