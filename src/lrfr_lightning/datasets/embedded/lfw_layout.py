"""The embedded faces as files in the layout of Labeled Faces in the Wild."""

from pathlib import Path

import numpy as np

from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.utils.errors import DataError


def write_lfw_layout(dataset: EmbeddedFaces, root: str | Path, pairs: VerificationPairs) -> None:
    """Write ``images/<Name>/<Name>_0001.jpg`` of all images, and ``pairs.txt``, below ``root``.

    ``pairs.txt`` has LFW's published form: ``folds<TAB>n``, then for each fold n genuine lines
    ``name<TAB>i<TAB>j`` and n impostor lines ``name<TAB>i<TAB>other<TAB>j``; images count from 1.

    Raises:
        DataError: the pairs were made for a larger data set than this.
    """
    largest = int(max(pairs.first.max(), pairs.second.max()))
    if largest >= len(dataset):
        raise DataError(
            f"the pairs name image {largest}, the data set has {len(dataset)} images; make the "
            "pairs with the identities and images_per_identity of the data set"
        )
    for index in range(len(dataset)):
        _write_image(dataset, index, Path(root) / "images")
    (Path(root) / "pairs.txt").write_text(pairs_text(dataset, pairs), encoding="utf-8")


def pairs_text(dataset: EmbeddedFaces, pairs: VerificationPairs) -> str:
    """The content of ``pairs.txt``, ending in a line break."""
    folds = int(pairs.fold.max()) + 1
    lines = [f"{folds}\t{int(pairs.same.sum()) // folds}"]
    for fold in range(folds):
        for same in (True, False):
            chosen = np.flatnonzero((pairs.fold == fold) & (pairs.same == same)).tolist()
            lines += [_line(dataset, int(pairs.first[k]), int(pairs.second[k])) for k in chosen]
    return "\n".join(lines) + "\n"


def _line(dataset: EmbeddedFaces, first: int, second: int) -> str:
    (name, number), (other, other_number) = _place(dataset, first), _place(dataset, second)
    parts = [name, number, other_number] if name == other else [name, number, other, other_number]
    return "\t".join(str(part) for part in parts)


def _place(dataset: EmbeddedFaces, index: int) -> tuple[str, int]:
    identity, number = divmod(index, dataset.population.images_per_identity)
    return dataset.identities[identity], number + 1


def _write_image(dataset: EmbeddedFaces, index: int, root: Path) -> None:
    name, number = _place(dataset, index)
    path = root / name / f"{name}_{number:04d}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(dataset.image(index)))
