"""Folders of people's images → a gallery."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.encoded import read_image_file
from lrfr_lightning.datasets.image_folder import ImageFolder
from lrfr_lightning.preprocessing.aligner import FaceAligner
from lrfr_lightning.recognition.faces import Face, face_of, read_face
from lrfr_lightning.recognition.gallery import Enrolled, Gallery
from lrfr_lightning.recognition.recogniser import Embedded, Recogniser
from lrfr_lightning.utils.errors import DataError

_BLOCK = 1024
"""Faces that are held at once: 40 MB."""


def enrol(recogniser: Recogniser, folder: str | Path) -> Gallery:
    """Embed the people of a folder that has a folder of images for each of them.

    All images are looked at, and the faces of photographs found, before the first is embedded.

    Args:
        recogniser: the model.
        folder: ``folder/person/*.jpg`` (or PNG, BMP, WebP), aligned faces, or photographs where
            the recogniser has an aligner.

    Raises:
        DataError: nobody is there, a person has no image, or images cannot be read or are no
            cropped faces: the message names each of them.
    """
    found = ImageFolder(folder)
    paths = [Path(found.describe(i)) for i in range(len(found))]
    digests, faces = _checked(paths, recogniser.aligner)
    parts = [recogniser.embed_faces(block) for block in _blocks(paths, faces)]
    embedded = Embedded.joined(parts)
    images = tuple(
        Enrolled(
            found.identities[found.labels[i]],
            os.path.relpath(path, found.root),
            int(embedded.resolution[i]),
            digests[i],
        )
        for i, path in enumerate(paths)
    )
    embedder = recogniser.embedder
    return Gallery(
        embedder.name,
        recogniser.fingerprint,
        embedder.pixel_spec,
        recogniser.flip,
        images,
        embedded.embedding,
    )


def _checked(paths: list[Path], aligner: FaceAligner | None) -> tuple[list[str], list[Face]]:
    """SHA-256 of each image file, all of which are faces; of photographs the faces as well.

    To find a face takes longer than all else that is done with it, so that it is held: 38 kB.
    """
    digests: list[str] = []
    faces: list[Face] = []
    wrong = []
    for path in tqdm(paths, "check", leave=False, disable=None):
        try:
            data = read_image_file(path)
            face = face_of(decode_image(data, str(path)), str(path), aligner=aligner)
        except DataError as error:
            wrong.append(str(error))
            continue
        digests.append(hashlib.sha256(data).hexdigest())
        if aligner:
            faces.append(face)
    if wrong:
        listed = "\n  ".join(wrong)
        raise DataError(f"{len(wrong)} of {len(paths)} images cannot be enrolled:\n  {listed}")
    return digests, faces


def _blocks(paths: list[Path], faces: list[Face]) -> Iterator[list[Face]]:
    """The faces, some at a time: those that are held, or else read again."""
    for start in tqdm(range(0, len(paths), _BLOCK), "enrol", leave=False, disable=None):
        some = slice(start, start + _BLOCK)
        yield faces[some] or [read_face(path) for path in paths[some]]
