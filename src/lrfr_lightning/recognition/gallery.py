"""The people a recogniser knows, with all it takes to look for a face among them, in one file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from lrfr_lightning.datasets.identities import in_order
from lrfr_lightning.functional.templates import mean_templates
from lrfr_lightning.functional.top_k import TopK, top_k
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import DataError, first_few
from lrfr_lightning.utils.paths import existing, whole_file
from lrfr_lightning.utils.plain import check_types
from lrfr_lightning.utils.reading import parse_json

FORMAT = 1
"""Of the file; another one is refused."""

_KEY = "lrfr.gallery"

Rows = NDArray[np.float32]


class Enrolled(NamedTuple):
    """An enrolled image: who it shows, its file, its side in px and the SHA-256 of its bytes."""

    person: str
    source: str
    resolution: int
    digest: str


@dataclass(frozen=True)
class Gallery:
    """Embeddings of people's images; never changed, every change gives another gallery.

    The score of a person is the cosine between the probe and the person's template: the normalised
    mean of the normalised embeddings, as in the library's identification protocols.

    Attributes:
        model: name of the model behind the embeddings.
        fingerprint: its content; no other model can look here.
        pixel_spec: its input format.
        flip: whether the embedding of the mirrored image was added.
        images: what was enrolled.
        embeddings: float32 ``(N, D)`` of length 1, one for each image.
    """

    model: str
    fingerprint: str
    pixel_spec: PixelSpec
    flip: bool
    images: tuple[Enrolled, ...]
    embeddings: Rows

    def __len__(self) -> int:
        """How many people there are."""
        return len(self.people)

    @cached_property
    def people(self) -> list[str]:
        """Names, by number if all are numbers, or else as text."""
        return in_order(image.person for image in self.images)

    @cached_property
    def templates(self) -> Rows:
        """float32 ``(P, D)`` of length 1, in the order of ``people``."""
        place = {name: number for number, name in enumerate(self.people)}
        person = np.asarray([place[image.person] for image in self.images], np.int64)
        return mean_templates(self.embeddings, person, len(self.people)).astype(np.float32)

    def top(self, probes: Rows, k: int) -> TopK:
        """The ``k`` people, or all there are, most alike to each probe, float32 ``(Q, D)``."""
        rows = torch.from_numpy(np.ascontiguousarray(probes))
        return top_k(rows, torch.from_numpy(self.templates), min(k, len(self)))

    def merged(self, other: Self) -> Self:
        """The images of both; people of one name are one, and an image they share is kept once.

        Raises:
            DataError: the other gallery was made by another model or with another flip.
        """
        self.check_model(other.fingerprint, other.flip, other.model)
        known = {(image.person, image.digest) for image in self.images}
        new = [
            row
            for row, image in enumerate(other.images)
            if (image.person, image.digest) not in known
        ]
        return replace(
            self,
            images=self.images + tuple(other.images[row] for row in new),
            embeddings=np.concatenate([self.embeddings, other.embeddings[new]]),
        )

    def without(self, people: Sequence[str]) -> Self:
        """All but some people.

        Raises:
            DataError: one of them is not there.
        """
        strangers = sorted(set(people) - set(self.people))
        if strangers:
            raise DataError(
                f"not in the gallery: {first_few(strangers)}; "
                f"it has {first_few(self.people) or 'nobody'}"
            )
        kept = [row for row, image in enumerate(self.images) if image.person not in people]
        images = tuple(self.images[row] for row in kept)
        return replace(self, images=images, embeddings=self.embeddings[kept])

    def check_model(self, fingerprint: str, flip: bool, name: str) -> None:
        """Refuse embeddings that cannot be compared with these.

        Raises:
            DataError: they are another model's, or made with another flip.
        """
        if fingerprint != self.fingerprint:
            raise DataError(
                f"the gallery was made by another model: by {self.model} "
                f"({self.fingerprint[:12]}), not by {name} ({fingerprint[:12]}); use that model, "
                "or enrol the people again"
            )
        if flip != self.flip:
            raise DataError(
                f"the gallery was made {_mirrored(self.flip)}, this is {_mirrored(flip)}; "
                "use one setting of flip for both"
            )

    def save(self, path: str | Path) -> None:
        """Write the gallery as one safetensors file, whole or not at all."""
        header = {
            "format": FORMAT,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "pixel_spec": asdict(self.pixel_spec),
            "flip": self.flip,
            "images": self.images,
        }
        with whole_file(path) as partial:
            save_file({"embeddings": self.embeddings}, partial, {_KEY: json.dumps(header)})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote; the file is untrusted, nothing in it is run.

        Raises:
            DataError: no such file, or not a gallery.
        """
        file = existing(path, "gallery")
        try:
            with safe_open(file, "numpy") as content:
                header = parse_json((content.metadata() or {})[_KEY])
                found = cls(**_fields(header, content.get_tensor("embeddings")))
                check_types(found)
                return found
        except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = str(error).partition("\n")[0]
            raise DataError(
                f"{file}: expected a gallery as lrfr enroll writes it ({reason})"
            ) from None


def _fields(header: dict[str, Any], embeddings: NDArray[Any]) -> dict[str, Any]:
    """The arguments of a gallery from its file.

    Raises:
        KeyError, TypeError, ValueError: they do not fit each other.
    """
    if header.pop("format") != FORMAT:
        raise ValueError(f"expected format {FORMAT}")
    images = tuple(Enrolled(*image) for image in header["images"])
    if embeddings.ndim != 2 or len(embeddings) != len(images) or embeddings.dtype != np.float32:
        raise ValueError(f"{len(images)} images, {embeddings.dtype} {embeddings.shape}")
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings that are not finite")
    for image in images:
        check_types(image)
    spec = PixelSpec(**header["pixel_spec"])
    check_types(spec)
    return header | {"images": images, "pixel_spec": spec, "embeddings": embeddings}


def _mirrored(flip: bool) -> str:
    return "with the mirrored image" if flip else "without the mirrored image"
