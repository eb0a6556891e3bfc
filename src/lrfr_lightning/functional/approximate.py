"""Approximate 1:N lookup through faiss, for galleries of many millions. Needs the extra ``faiss``.

Nothing in the library uses it by itself: an evaluation is exact. Source: Douze et al., "The Faiss
library", 2401.08281, 2024.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lrfr_lightning.functional.score_tiles import Rows, checked
from lrfr_lightning.functional.top_k import TopK, check_k
from lrfr_lightning.utils.errors import ConfigError


class ApproximateGallery:
    """A gallery in an index of faiss, trained on itself, on the CPU.

    Args:
        gallery: float ``(G, D)``, of length 1 where scores are to be cosines.
        factory: what index, in faiss' own words; this one has 1,024 lists, for about a million
            entries.
        lists: how many of the lists a lookup reads; more is slower and misses less.

    Raises:
        ConfigError: the extra is not installed, or faiss cannot make such an index.
        DataError: an embedding is not finite, or there is none.
    """

    def __init__(self, gallery: Rows, factory: str = "IVF1024,Flat", lists: int = 32) -> None:
        faiss = _faiss()
        _, self._gallery = checked(gallery, gallery)
        entries = _array(self._gallery)
        try:
            self._index = faiss.index_factory(entries.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
            self._index.train(entries)
            self._index.add(entries)
        except RuntimeError as error:
            raise ConfigError(
                f"faiss cannot make the index {factory!r} of {len(entries)} entries ({error})"
            ) from None
        if hasattr(self._index, "nprobe"):
            self._index.nprobe = lists

    def top_k(self, probes: Rows, k: int = 20) -> TopK:
        """Up to ``k`` high scores of each probe; what is missing has row -1 and score -inf.

        Raises:
            ConfigError: ``k`` outside 1..G, or lengths do not fit.
            DataError: an embedding is not finite, or there is none.
        """
        left, _ = checked(probes, self._gallery)
        check_k(k, len(self._gallery))
        score, row = (torch.from_numpy(part) for part in self._index.search(_array(left), k))
        return TopK(score.masked_fill(row < 0, -torch.inf), row)


def _array(rows: Tensor) -> Any:
    return np.ascontiguousarray(rows.cpu().numpy(), np.float32)


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise ConfigError(
            "approximate search needs faiss: pip install 'lrfr_lightning[faiss]'"
        ) from None
    return faiss
