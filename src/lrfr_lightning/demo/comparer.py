"""Two faces at chosen resolutions → how they look to a network, and what each model says."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from lrfr_lightning.demo.album import Album
from lrfr_lightning.demo.floor import Floor
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import BICUBIC, resize
from lrfr_lightning.protocols.base import FULL_RESOLUTION
from lrfr_lightning.protocols.examples import png
from lrfr_lightning.recognition.faces import Face, face_of
from lrfr_lightning.recognition.recogniser import Embedded, Recogniser

_HELD = 256
"""Embedded faces that are kept: the slider goes back and forth, one of the faces stays."""


@dataclass(frozen=True)
class Shown:
    """A photograph, by its key, and the side to shrink it to, px, 7..112."""

    photograph: str
    resolution: int


class Comparer:
    """Models side by side; all it returns is plain data for JSON.

    Args:
        recognisers: the models; each embeds a face once here, so that one that cannot is known
            before the page is open.
        album: the photographs.

    Raises:
        DataError: a model gives no embeddings.
    """

    def __init__(self, recognisers: Sequence[Recogniser], album: Album) -> None:
        self.recognisers = recognisers
        self.album = album
        self._embedded = lru_cache(_HELD)(self._embed)
        self._embedded(Shown(next(iter(album.examples)), FULL_RESOLUTION))

    def setting(self) -> dict[str, Any]:
        """The models with what they were calibrated for, and the faces to try."""
        return {
            "models": [
                {"model": own.embedder.name, "calibrated": _calibrated(own)}
                for own in self.recognisers
            ],
            "floor": isinstance(self.recognisers[0].embedder, Floor),
            "faces": [
                {"photograph": key, "name": kept.name, "picture": _url(kept.crop)}
                for key, kept in self.album.examples.items()
            ],
        }

    def compare(self, reference: Shown, probe: Shown) -> dict[str, Any]:
        """Pictures of both faces, and the score and decision of each model.

        Raises:
            ConfigError: a resolution outside 7..112.
            DataError: a photograph is no longer held, or gives no embedding.
        """
        one, other = self._embedded(reference), self._embedded(probe)
        return {
            "faces": [self._pictures(reference), self._pictures(probe)],
            "models": [
                {"model": own.embedder.name}
                | asdict(own.compare_embedded(Embedded.joined([first, second])))
                for own, first, second in zip(self.recognisers, one, other, strict=True)
            ],
        }

    def _embed(self, shown: Shown) -> tuple[Embedded, ...]:
        face = self._face(shown)
        return tuple(own.embed_faces([face]) for own in self.recognisers)

    def _face(self, shown: Shown) -> Face:
        kept = self.album[shown.photograph]
        return face_of(kept.crop, kept.name, shown.resolution)

    def _pictures(self, shown: Shown) -> dict[str, Any]:
        """The small face, and the same brought back to 112 px as the network sees it."""
        face, kept = self._face(shown), self.album[shown.photograph]
        side = face.resolution
        small = resize(kept.crop, side, side, BICUBIC)
        return {
            "name": kept.name,
            "own": len(kept.crop),
            "resolution": side,
            "small": _url(small),
            "seen": _url(face.image),
        }


def _calibrated(recogniser: Recogniser) -> dict[str, Any] | None:
    """FAR of the decisions and whose faces it was measured on; None where there are none."""
    found = recogniser.thresholds
    if found is None or found.pairs is None:
        return None
    return {"far": found.pairs.wished, "faces": found.faces, "people": found.people}


def _url(image: Image) -> str:
    return f"data:image/png;base64,{png(image)}"
