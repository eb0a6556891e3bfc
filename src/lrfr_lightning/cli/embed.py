"""``lrfr embed``: image files → a file of embeddings."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr_lightning.cli.recognition_options import (
    add_align,
    aligner_of,
    model_parser,
    output_path,
    parsed,
    warn_of_failures,
    write_csv,
)
from lrfr_lightning.recognition.faces import check_resolution, image_files
from lrfr_lightning.recognition.probes import Probes, embed_files
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.utils.paths import whole_file


def run(args: list[str]) -> Probes:
    """Embed, write the file, name what could not be read."""
    parser = model_parser("embed", "Embed aligned faces.")
    parser.add_argument("images", type=str, nargs="+", help="image files, or folders of them")
    parser.add_argument("--output", type=str, default="embeddings.npz", help="an .npz or .csv file")
    parser.add_argument("--resolution", type=int | None, help="shrink the faces to this side, px")
    parser.add_argument("--flip", action="store_true", help="add the mirrored image's embedding")
    add_align(parser)
    options, model = parsed(parser, args)
    output = output_path(options.output, (".npz", ".csv"))
    check_resolution(options.resolution)
    recogniser = Recogniser(model, flip=options.flip, aligner=aligner_of(options))
    probes = embed_files(recogniser, image_files(options.images), options.resolution)
    columns = _columns(probes)
    if output.suffix == ".csv":
        _write_csv(output, columns)
    else:
        made_by = {"model": model.name, "fingerprint": recogniser.fingerprint, "flip": options.flip}
        with whole_file(output) as partial, open(partial, "wb") as file:
            np.savez(file, **columns, **made_by)
    warn_of_failures(probes)
    print(f"{len(probes.embedded)} embeddings of {len(probes.files)} images: {output}")
    return probes


def _columns(probes: Probes) -> dict[str, Any]:
    """An entry for each file; NaN and a resolution of 0 where it failed, with the reason."""
    place = {i: row for i, (_, _, row) in enumerate(probes.rows()) if row is not None}
    found, count = probes.embedded, len(probes.files)

    def filled(values: np.ndarray[Any, Any], empty: float) -> np.ndarray[Any, Any]:
        column = np.full((count, *values.shape[1:]), empty, values.dtype)
        column[list(place)] = values[list(place.values())]
        return column

    return {
        "image": np.asarray([str(file) for file in probes.files]),
        "resolution": filled(found.resolution, 0),
        "norm": filled(found.norm, np.nan),
        "sharpness": filled(found.sharpness, np.nan),
        "reason": np.asarray([probes.failed.get(i, "") for i in range(count)]),
        "embedding": filled(found.embedding, np.nan),
    }


def _write_csv(path: Path, columns: dict[str, Any]) -> None:
    embedding = columns.pop("embedding")
    names = [f"e{i}" for i in range(embedding.shape[1])]
    lines = zip(*columns.values(), strict=True)
    rows = [
        dict(zip((*columns, *names), (*line, *own), strict=True))
        for line, own in zip(lines, embedding.tolist(), strict=True)
    ]
    write_csv(path, rows, [*columns, *names])
