"""Folders of people's images → a gallery."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.image_folder import ImageFolder
from lrfr_lightning.preprocessing.aligner import FaceAligner
from lrfr_lightning.recognition.faces import Face, face_of, read_bytes, read_face
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
    faces = _checked(paths, recogniser.aligner)
    parts = [recogniser.embed_faces(block) for block in _blocks(paths, recogniser.aligner)]
    embedded = Embedded.joined(parts)
    images = tuple(
        Enrolled(
            found.identities[found.labels[i]],
            os.path.relpath(path, found.root),
            int(embedded.resolution[i]),
            faces[i],
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


def _checked(paths: list[Path], aligner: FaceAligner | None) -> list[str]:
    """SHA-256 of each image file, all of which are faces."""
    digests, wrong = [], []
    for path in tqdm(paths, "check", leave=False, disable=None):
        try:
            data = read_bytes(path)
            face_of(decode_image(data, str(path)), str(path), aligner=aligner)
            digests.append(hashlib.sha256(data).hexdigest())
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        listed = "\n  ".join(wrong)
        raise DataError(f"{len(wrong)} of {len(paths)} images cannot be enrolled:\n  {listed}")
    return digests


def _blocks(paths: list[Path], aligner: FaceAligner | None) -> Iterator[list[Face]]:
    for start in tqdm(range(0, len(paths), _BLOCK), "enrol", leave=False, disable=None):
        yield [read_face(path, aligner=aligner) for path in paths[start : start + _BLOCK]]
