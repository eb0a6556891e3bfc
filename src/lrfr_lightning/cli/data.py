"""``lrfr data check | convert | embedded``: what a data set is, its forms, or one of nothing."""

from collections.abc import Callable
from pathlib import Path

from jsonargparse import ArgumentParser

from lrfr_lightning.cli.data_check import check, check_parser
from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.convert import Form, convert
from lrfr_lightning.datasets.embedded import (
    EmbeddedFaces,
    VerificationPairs,
    verification_pairs,
    write_bin_layout,
    write_ijbc_layout,
    write_lfw_layout,
    write_scface_layout,
    write_survface_layout,
    write_tinyface_layout,
)
from lrfr_lightning.datasets.image_folder import ImageFolder
from lrfr_lightning.datasets.inspection import DataReport
from lrfr_lightning.datasets.new_folder import new_folder
from lrfr_lightning.datasets.parquet import ParquetFaces
from lrfr_lightning.datasets.recordio import RecordIO
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import existing


def _lfw(faces: EmbeddedFaces, target: Path, pairs_per_fold: int, seed: int) -> None:
    write_lfw_layout(faces, target, _pairs(faces, pairs_per_fold, seed))


def _survface(faces: EmbeddedFaces, target: Path, pairs_per_fold: int, seed: int) -> None:
    write_survface_layout(faces, target, _pairs(faces, pairs_per_fold, seed), seed)


def _bin(faces: EmbeddedFaces, target: Path, pairs_per_fold: int, seed: int) -> None:
    write_bin_layout(faces, target, _pairs(faces, pairs_per_fold, seed))


def _pairs(faces: EmbeddedFaces, per_fold: int, seed: int) -> VerificationPairs:
    people = faces.population
    return verification_pairs(people.identities, people.images_per_identity, per_fold, seed=seed)


LAYOUTS: dict[str, Callable[[EmbeddedFaces, Path, int, int], None]] = {
    "lfw": _lfw,
    "survface": _survface,
    "scface": lambda faces, target, _, seed: write_scface_layout(faces, target, seed),
    "tinyface": lambda faces, target, _, seed: write_tinyface_layout(faces, target, seed),
    "ijbc": lambda faces, target, _, seed: write_ijbc_layout(faces, target, seed),
    "bin": _bin,
}
"""What writes each layout, from the faces, a folder, the pairs per fold and a seed."""


def run(args: list[str]) -> DataReport | None:
    """Run ``lrfr data``'s own subcommand; a check's report is returned."""
    parser = ArgumentParser(prog="lrfr data", description="Check, convert or make data sets.")
    commands = parser.add_subcommands(required=True)
    commands.add_subcommand("check", check_parser(), help="say what is there, missing, damaged")
    commands.add_subcommand("convert", _convert_parser(), help="write a data set in another form")
    commands.add_subcommand("embedded", _embedded_parser(), help="write embedded faces to disk")
    options = parser.parse_args(args[1:])
    if options.subcommand == "check":
        return check(**options.check.as_dict())
    if options.subcommand == "convert":
        _convert(**options.convert.as_dict())
    else:
        _embedded(**options.embedded.as_dict())
    return None


def _convert_parser() -> ArgumentParser:
    parser = ArgumentParser(
        description="The source is a folder per identity, InsightFace RecordIO or Parquet files; "
        "which one it is shows from what lies in it."
    )
    parser.add_argument("source", help="folder of the data set")
    parser.add_argument("target", help="a new folder")
    parser.add_argument("--form", type=Form, required=True, help="what to write")
    parser.add_argument("--image_list", type=str | None, help="list of 'path label' lines")
    return parser


def _embedded_parser() -> ArgumentParser:
    parser = ArgumentParser(
        description="Writes invented people as files, in the true layout of a data set, to try a "
        "command before there is a licence for the data."
    )
    parser.add_argument("target", help="a new folder")
    parser.add_argument("--layout", choices=list(LAYOUTS), default="lfw")
    parser.add_argument("--identities", type=int, default=300)
    parser.add_argument("--images_per_identity", type=int, default=4)
    parser.add_argument(
        "--pairs_per_fold",
        type=int,
        default=100,
        help="pairs of each kind (lfw, survface)",
    )
    parser.add_argument("--split", choices=["train", "test"], default="test")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def _convert(source: str, target: str, form: Form, image_list: str | None) -> None:
    written = convert(open_dataset(source, image_list), target, form)
    print(f"{written.images} images of {written.identities} identities → {target} ({form})")


def _embedded(
    target: str,
    layout: str,
    identities: int,
    images_per_identity: int,
    pairs_per_fold: int,
    split: str,
    seed: int,
) -> None:
    faces = EmbeddedFaces(identities, images_per_identity, split, seed)  # type: ignore[arg-type]
    with new_folder(target) as partial:
        LAYOUTS[layout](faces, partial, pairs_per_fold, seed)
    print(f"{len(faces)} images of {identities} invented people → {target} ({layout})")


def open_dataset(source: str, image_list: str | None = None) -> FaceDataset:
    """The data set at a path, in whichever form it is kept.

    Raises:
        ConfigError: a list was given for a form that has its labels inside.
        DataError: nothing is there, or it cannot be read.
    """
    folder = existing(source, "data set")
    recordio, parquet = (folder / "train.rec").exists(), any(Path(folder).glob("*.parquet"))
    if image_list and (recordio or parquet):
        raise ConfigError(f"{source} holds its own labels; leave out --image_list")
    if recordio:
        return RecordIO(folder)
    return ParquetFaces(folder) if parquet else ImageFolder(folder, image_list)
