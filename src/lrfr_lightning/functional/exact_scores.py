"""Float32 scores to look with, float64 scores to decide with.

A float32 score is within :func:`slack` of the exact one. Whatever a comparison leaves open by less
than that is computed anew in float64, which is little.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

TIE = 1e-12
"""Products of equal embeddings at different places of a matrix differ by less."""

_PAIRS = 512


def slack(probes: Tensor, longest: Tensor) -> Tensor:
    """How far a float32 score of each probe can be from the exact one, float64 ``(P,)``.

    A sum of D products in any order is off by at most ``D u |a| |b|`` with ``u = 2^-24``; rounding
    the two sides and a threshold to float32, and their lengths, adds less than eight more.
    Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1.

    Args:
        probes: float ``(P, D)``.
        longest: float64, of the lengths of the gallery's entries.
    """
    terms = probes.shape[1] + 8
    # denormal products are lost altogether
    return (lengths(probes) * longest * 2.0**-24 + 2.0**-126) * terms


def lengths(rows: Tensor) -> Tensor:
    """Of each row, float64 ``(N,)``."""
    length: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return length.double()


def pair_scores(probes: Tensor, gallery: Tensor, row: Tensor, entry: Tensor) -> Tensor:
    """Exact scores of pairs, float64 ``(N,)``: equal embeddings have equal scores.

    Args:
        probes: float ``(P, D)``.
        gallery: float ``(G, D)``.
        row: int64 ``(N,)``, the probe of each.
        entry: int64 ``(N,)``, the gallery entry.
    """
    scores = torch.empty(len(row), dtype=torch.float64, device=row.device)
    pairs = zip(
        in_parts(row, _PAIRS), in_parts(entry, _PAIRS), in_parts(scores, _PAIRS), strict=True
    )
    for i, j, score in pairs:
        # by index_select, which copies whole rows
        products = probes.index_select(0, i).double().mul_(gallery.index_select(0, j))
        torch.sum(products, dim=1, out=score)
    return scores


def in_parts(rows: Tensor, size: int) -> Iterator[Tensor]:
    """Views of ``size`` rows each, the last of fewer."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def exact_product(probes: Tensor, gallery: Tensor) -> Tensor:
    """All exact scores, float64 ``(R, C)``; those of equal embeddings differ by less than 1e-12."""
    return probes.double() @ gallery.double().T
