"""Distance of the two views of an image."""

import torch
from torch import Tensor
from torch.nn.functional import normalize


def feature_loss(first: Tensor, second: Tensor) -> Tensor:
    """``mean(1 - cos(first, second))`` over rows: the feature loss of the Siamese training ST.

    Knoche et al., 2021 (2107.03769).

    Args:
        first: ``(B, D)`` float of any precision, embeddings of any length.
        second: ``(B, D)``, embeddings of the same images.

    Returns:
        Scalar float32, under any autocast (float64 if the embeddings are), 0..2.
    """
    dtype = torch.promote_types(first.dtype, torch.float32)
    with torch.autocast(first.device.type, enabled=False):
        cosine = (normalize(first.to(dtype)) * normalize(second.to(dtype))).sum(dim=1)
        return (1 - cosine).mean()
