"""A model in use: embeds faces, compares two, looks for one in a gallery."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.sharpness import batch_sharpness
from lrfr_lightning.preprocessing.aligner import FaceAligner
from lrfr_lightning.recognition.answers import Comparison, Identification, compared, identified
from lrfr_lightning.recognition.faces import Face, face_of, stack
from lrfr_lightning.recognition.gallery import Gallery
from lrfr_lightning.recognition.thresholds import Thresholds
from lrfr_lightning.utils.errors import ConfigError, DataError

_BATCH = 64


@dataclass(frozen=True)
class Embedded:
    """Faces as a model sees them.

    Attributes:
        embedding: float32 ``(N, D)``, of length 1.
        resolution: int64 ``(N,)``, side before enlarging, px.
        norm: float32 ``(N,)``, length of the embedding before it was brought to 1. With many
            margins it falls with the quality of the face; compare it within one model alone.
        sharpness: float32 ``(N,)``, average Laplacian of the face at 112 px, grey levels.
    """

    embedding: NDArray[np.float32]
    resolution: NDArray[np.int64]
    norm: NDArray[np.float32]
    sharpness: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.norm)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All parts in order; at least one."""
        columns = ("embedding", "resolution", "norm", "sharpness")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


class Recogniser:
    """A model, and what its scores mean.

    Images are aligned faces, uint8 ``(S, S, 3)`` RGB of any side S from 7 px; S is their
    resolution. ``resolution`` shrinks them first, and says so of faces that were enlarged before.

    Args:
        embedder: the model.
        thresholds: calibrated with it; without them nothing is decided.
        flip: add the embedding of the mirrored image.
        aligner: finds the face in each image, which may then be any photograph; the face's side in
            it is its resolution.

    Raises:
        ConfigError: nothing tells the model from others.
        DataError: the thresholds are of another model, or of another flip.
    """

    def __init__(
        self,
        embedder: Embedder,
        thresholds: Thresholds | None = None,
        flip: bool = False,
        aligner: FaceAligner | None = None,
    ) -> None:
        fingerprint = embedder.fingerprint()
        if fingerprint is None:
            raise ConfigError(
                f"{embedder.name} has no fingerprint: nothing tells it from another model, so "
                "no gallery and no threshold can be its own; load it from a file"
            )
        if thresholds and (thresholds.fingerprint, thresholds.flip) != (fingerprint, flip):
            raise DataError(
                f"the thresholds were calibrated with {thresholds.model} "
                f"({thresholds.fingerprint[:12]}, flip {thresholds.flip}), not with "
                f"{embedder.name} ({fingerprint[:12]}, flip {flip}); calibrate with this one"
            )
        self.embedder = embedder
        self.thresholds = thresholds
        self.flip = flip
        self.aligner = aligner
        self.fingerprint = fingerprint

    def embed(self, images: Sequence[Image], resolution: int | None = None) -> Embedded:
        """Embed aligned faces, or with an aligner the faces of photographs.

        Raises:
            ConfigError: a resolution outside 7..112.
            DataError: no image, one that gives no face, or an embedding that is zero or not
                finite.
        """
        faces = (
            face_of(image, f"image {number}", resolution, self.aligner)
            for number, image in enumerate(images)
        )
        return self.embed_faces(list(faces))

    def embed_faces(self, faces: Sequence[Face]) -> Embedded:
        """Embed faces that are ready for the network; errors as for :meth:`embed`."""
        if not faces:
            raise DataError("expected at least one image, got none")
        starts = range(0, len(faces), _BATCH)
        return Embedded.joined([self._batch(faces[start : start + _BATCH]) for start in starts])

    def compare(self, one: Image, other: Image, resolution: int | None = None) -> Comparison:
        """How alike two faces are, and whether that is enough; errors as for :meth:`embed`."""
        both = self.embed([one, other], resolution)
        return self.compare_embedded(both)

    def compare_embedded(self, both: Embedded) -> Comparison:
        """Compare the first two of some embedded faces."""
        score = float(both.embedding[0] @ both.embedding[1])
        one, other = (int(side) for side in both.resolution[:2])
        return compared(score, one, other, self.thresholds.pairs if self.thresholds else None)

    def identify(
        self, image: Image, gallery: Gallery, top: int = 5, resolution: int | None = None
    ) -> Identification:
        """Look for a face in a gallery.

        Raises:
            ConfigError: see :meth:`embed` and :meth:`identify_embedded`.
            DataError: likewise.
        """
        return self.identify_embedded(self.embed([image], resolution), gallery, top)[0]

    def identify_embedded(
        self, probes: Embedded, gallery: Gallery, top: int = 5
    ) -> list[Identification]:
        """Look for embedded faces in a gallery.

        Args:
            probes: of this recogniser.
            gallery: made with it.
            top: people named for each probe, 1 or more.

        Raises:
            ConfigError: ``top`` is below 1, or the gallery is larger than the thresholds know.
            DataError: another model's gallery, or an empty one.
        """
        if top < 1:
            raise ConfigError(f"expected to name 1 or more people (top), got {top}")
        self.check(gallery)
        # the second gives the margin
        best = gallery.top(probes.embedding, max(top, 2))
        table = self.thresholds.search if self.thresholds else None
        return [
            identified(
                [(gallery.people[i], s) for i, s in zip(rows, scores, strict=True)],
                (int(probes.resolution[row]), len(gallery)),
                table,
                top,
            )
            for row, (rows, scores) in enumerate(
                zip(best.row.tolist(), best.score.tolist(), strict=True)
            )
        ]

    def check(self, gallery: Gallery) -> None:
        """Refuse a gallery in which nobody can be looked for.

        Raises:
            ConfigError: it is larger than the thresholds know.
            DataError: it is another model's, or empty.
        """
        gallery.check_model(self.fingerprint, self.flip, self.embedder.name)
        if not gallery.images:
            raise DataError("the gallery is empty: nobody can be found in it; enrol people first")
        table = self.thresholds.search if self.thresholds else None
        if table and len(gallery) > table.second[-1]:
            raise ConfigError(
                f"the gallery has {len(gallery):,} people, the thresholds hold up to "
                f"{table.second[-1]:,}; calibrate on the faces of more people"
            )

    def _batch(self, faces: Sequence[Face]) -> Embedded:
        images = torch.from_numpy(stack(faces))
        found = self.embedder.embed(images)
        if self.flip:
            found = found + self.embedder.embed(images.flip(3))
        norm = found.norm(dim=1, keepdim=True)
        if not bool((torch.isfinite(norm) & (norm > 0)).all()):
            raise DataError(
                f"{self.embedder.name} gives embeddings that are zero or not finite; "
                "its weights are damaged"
            )
        return Embedded(
            (found / norm).cpu().numpy(),
            np.asarray([face.resolution for face in faces], np.int64),
            norm[:, 0].cpu().numpy(),
            batch_sharpness(images).numpy(),
        )
