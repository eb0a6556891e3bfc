"""Several images of one person → one embedding, the template.

All of them are weighted sums, made in blocks of images: a benchmark has half a million.
"""

import numpy as np
import torch
from numpy.typing import NDArray

Rows = NDArray[np.floating]
Numbers = NDArray[np.int64]

_BLOCK = 2**14
"""Embeddings that are held in float64 at once."""


def lengths(rows: Rows) -> NDArray[np.float64]:
    """Length of each row of ``(N, D)``, float64 ``(N,)``."""
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64)))


def inverse_lengths(rows: Rows) -> NDArray[np.float64]:
    """What brings each row to length 1, float64 ``(N,)``; infinity for a zero row."""
    with np.errstate(divide="ignore"):
        return np.asarray(1 / lengths(rows))


def mean_templates(embeddings: Rows, template: Numbers, count: int) -> NDArray[np.float64]:
    """Normalised mean of normalised embeddings, as QMUL-SurvFace's identification has it.

    Args:
        embeddings: float ``(N, D)``.
        template: int64 ``(N,)``, 0..count-1, the template of each row.
        count: how many templates there are.

    Returns:
        float64 ``(count, D)`` of length 1; not finite where a template has no image, one of its
        images has a zero embedding, or they cancel out.
    """
    return weighted_templates(embeddings, template, inverse_lengths(embeddings), count)


def media_templates(
    embeddings: Rows,
    template: Numbers,
    media: Numbers,
    weight: NDArray[np.float64],
    count: int,
) -> NDArray[np.float64]:
    """Mean over each medium (a video's frames count as one image), then the normalised sum.

    Source: Whitelam et al., "IARPA Janus Benchmark-B Face Dataset", CVPRW 2017, and the public
    evaluations of it.

    Args:
        embeddings: float ``(N, D)``.
        template: int64 ``(N,)``, 0..count-1.
        media: int64 ``(N,)``, the photograph or video of each row; equal numbers in two templates
            are two media.
        weight: float64 ``(N,)``, what each embedding is multiplied with, within the mean.
        count: how many templates there are.

    Returns:
        float64 ``(count, D)`` of length 1; not finite where a template has no image.
    """
    _, medium, images = np.unique(
        np.stack([template, media], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return weighted_templates(embeddings, template, weight / images[medium.ravel()], count)


def weighted_templates(
    embeddings: Rows, template: Numbers, weight: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Weighted sum of each template's embeddings, brought to length 1, float64 ``(count, D)``."""
    total = np.zeros((count, embeddings.shape[1]))
    sums = torch.from_numpy(total)
    with np.errstate(invalid="ignore", divide="ignore"):
        for start in range(0, len(embeddings), _BLOCK):
            part = slice(start, start + _BLOCK)
            rows = embeddings[part].astype(np.float64) * weight[part, None]
            # np.add.at gives the same bits, slowly
            sums.index_add_(0, torch.tensor(template[part]), torch.from_numpy(rows))
        return np.asarray(total / lengths(total)[:, None])
