"""Float32 scores to look with, float64 scores to decide with.

A float32 score is within :func:`slack` of the exact one. Whatever a comparison leaves open by less
than that is computed anew in float64, which is little.
"""

import torch
from torch import Tensor

_PAIRS = 4096
_MANY = 16


def lengths(rows: Tensor) -> Tensor:
    """float64 ``(N,)`` of rows ``(N, D)``, without a copy of all of them."""
    return torch.cat([part.double().norm(dim=1) for part in rows.split(_PAIRS)])


def slack(probes: Tensor, gallery: Tensor) -> Tensor:
    """How far a float32 score of each probe can be from the exact one, float64 ``(P,)``.

    A sum of D products in any order is off by at most ``D u |a| |b|`` with ``u = 2^-24``; rounding
    the two sides and a threshold to float32 adds four more. Source: Higham, "Accuracy and Stability
    of Numerical Algorithms", 2002, section 3.1.
    """
    terms = probes.shape[1] + 4
    # denormal products are lost altogether
    return terms * (2.0**-24 * lengths(probes) * lengths(gallery).max() + 2.0**-126)


def pair_scores(probes: Tensor, gallery: Tensor, row: Tensor, entry: Tensor) -> Tensor:
    """Exact scores of pairs, float64 ``(N,)``: equal embeddings have equal scores.

    Args:
        probes: float ``(P, D)``.
        gallery: float ``(G, D)``.
        row: int64 ``(N,)``, the probe of each.
        entry: int64 ``(N,)``, the gallery entry.
    """
    parts = [
        (probes[i].double() * gallery[j].double()).sum(dim=1)
        for i, j in zip(row.split(_PAIRS), entry.split(_PAIRS), strict=True)
    ]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)


def exact_where(open_: Tensor, probes: Tensor, gallery: Tensor) -> Tensor:
    """Exact scores where they are asked for, else -inf, float64 ``(R, C)``.

    Args:
        open_: bool ``(R, C)``, which are asked for.
        probes: float ``(R, D)``.
        gallery: float ``(C, D)``.
    """
    row, column = open_.nonzero(as_tuple=True)
    if len(row) * _MANY > open_.numel():
        whole = probes.double() @ gallery.double().T
        return whole.masked_fill_(~open_, -torch.inf)
    exact = torch.full(open_.shape, -torch.inf, dtype=torch.float64, device=open_.device)
    exact[row, column] = pair_scores(probes, gallery, row, column)
    return exact
