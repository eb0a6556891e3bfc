"""Many image files → embeddings, with a reason for each file that gave none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from lrfr_lightning.recognition.faces import Face, read_face
from lrfr_lightning.recognition.recogniser import Embedded, Recogniser
from lrfr_lightning.utils.errors import DataError

_BLOCK = 256


@dataclass(frozen=True)
class Probes:
    """Image files and what came of them.

    Attributes:
        files: all of them.
        failed: why a file gave no face, by its position.
        embedded: the others, in order.
    """

    files: list[Path]
    failed: dict[int, str]
    embedded: Embedded

    def rows(self) -> Iterator[tuple[Path, str | None, int | None]]:
        """Each file, why it failed, or else its row in ``embedded``."""
        row = 0
        for position, file in enumerate(self.files):
            reason = self.failed.get(position)
            yield file, reason, None if reason else row
            row += reason is None


def embed_files(
    recogniser: Recogniser, files: Sequence[Path], resolution: int | None = None
) -> Probes:
    """Embed the faces in image files; one that cannot be read does not stop the others.

    Args:
        recogniser: the model.
        files: aligned faces, or photographs where the recogniser has an aligner.
        resolution: shrink them to this side first, px; a smaller one stays as it is.

    Raises:
        ConfigError: a resolution outside 7..112.
        DataError: no file gave a face; the message has the reasons.
    """
    failed: dict[int, str] = {}
    parts = []
    for start in tqdm(range(0, len(files), _BLOCK), "embed", leave=False, disable=None):
        block = range(len(files))[start : start + _BLOCK]
        faces = list(_read(recogniser, files, block, resolution, failed))
        if faces:
            parts.append(recogniser.embed_faces(faces))
    if not parts:
        reasons = "\n  ".join(failed.values())
        raise DataError(f"no image could be used:\n  {reasons}")
    return Probes(list(files), failed, Embedded.joined(parts))


def _read(
    recogniser: Recogniser,
    files: Sequence[Path],
    positions: range,
    resolution: int | None,
    failed: dict[int, str],
) -> Iterator[Face]:
    for position in positions:
        try:
            yield read_face(files[position], resolution, recogniser.aligner)
        except DataError as error:
            failed[position] = str(error)
