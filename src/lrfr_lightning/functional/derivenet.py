"""DeriveNet: reconstruct the HR face from an LR embedding, and learn margins from HR centres.

Singh et al., TPAMI 2022, doi 10.1109/TPAMI.2021.3088756, which has no public code: D-Margin is our
reading. The space of reconstructions is ours: grey thumbnails of the HR faces, since centres of
10,575 identities in 112x112x3 pixels would take 1.6 GB.
"""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, normalize

LUMA = (0.299, 0.587, 0.114)
"""Share of red, green and blue in grey (ITU-R BT.601)."""


def thumbnails(image: Tensor, side: int) -> Tensor:
    """Grey thumbnails by area averaging.

    Args:
        image: ``(B, 3, H, W)`` RGB, 0..255, uint8 or float.
        side: px.

    Returns:
        float32 ``(B, side²)`` (float64 if the image is), -1..1.
    """
    pixels = image.to(torch.promote_types(image.dtype, torch.float32))
    grey = (pixels * pixels.new_tensor(LUMA).view(3, 1, 1)).sum(dim=1, keepdim=True)
    return adaptive_avg_pool2d(grey, side).flatten(start_dim=1) / 127.5 - 1


def recent(
    reconstruction: Tensor, thumbnail: Tensor, centre: Tensor, weight: float = 1e-3
) -> Tensor:
    """ReCent: ``λ · (|HR - g(x)|² + |g(x) - C_y|²)``, norms summed over pixels, mean over samples.

    Args:
        reconstruction: g(x), ``(B, P)`` float.
        thumbnail: HR, ``(B, P)``: of the same image at high resolution.
        centre: C_y, ``(B, P)``: of the sample's own identity.
        weight: λ; the paper uses 1e-3.

    Returns:
        Scalar, ≥ 0; 0, with a graph, for no samples.
    """
    image_error = (thumbnail - reconstruction).square().sum(dim=1)
    centre_error = (reconstruction - centre).square().sum(dim=1)
    return weight * (image_error + centre_error).sum() / max(len(reconstruction), 1)


def d_margin(
    logit: Tensor, target_logit: Tensor, label: Tensor, similarity: Tensor, alpha: float
) -> Tensor:
    """D-Margin: ``-log( e^{z_y} / (e^{z_y} + Σ_{j≠y} e^{z_j + α D(C_y, C_j)}) )``.

    The more alike two identities look at high resolution, the larger the margin between them.

    Args:
        logit: z, ``(B, C)`` float.
        target_logit: z_y, ``(B,)``, with whatever margin of its own.
        label: y, ``(B,)`` int64, 0..C-1.
        similarity: D(C_y, C_j), ``(B, C)``, see :func:`centre_similarity`.
        alpha: α ≥ 0, in units of the logits.

    Returns:
        ``(B,)``, ≥ 0.
    """
    shifted = logit + alpha * similarity
    shifted = shifted.scatter(1, label.unsqueeze(1), target_logit.unsqueeze(1))
    return cross_entropy(shifted, label, reduction="none")


def centre_similarity(centre: Tensor, seen: Tensor, label: Tensor) -> Tensor:
    """D: cosine of class centres after their mean is subtracted, negative ones set to 0.

    The mean is subtracted because all faces share most of their pixels. In 0..255 the cosines of
    60 embedded identities lie in 0.90..0.99 (5 to 95 %), which makes D-Margin nearly one constant
    for all of them; centred, 0..0.76. Centres that point away from each other are as unlike as can
    be: they get no margin, never a negative one.

    Args:
        centre: C, ``(C, P)`` float.
        seen: ``(C,)`` bool, which classes have a centre yet.
        label: ``(B,)`` int64, 0..C-1.

    Returns:
        ``(B, C)``, 0..1 up to rounding; 0 where either class has no centre yet.
    """
    known = seen.unsqueeze(1)
    mean = (centre * known).sum(dim=0) / seen.sum().clamp(min=1)
    direction = normalize(centre - mean) * known
    return (direction[label] @ direction.T).clamp(min=0)


def class_sums(value: Tensor, label: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Sum and number of the values of each class.

    Args:
        value: ``(B, P)`` float.
        label: ``(B,)`` int64, 0..C-1.
        num_classes: C.

    Returns:
        ``(C, P)``, the dtype of ``value``, and int64 ``(C,)``.
    """
    sums = value.new_zeros(num_classes, value.shape[1]).index_add_(0, label, value)
    return sums, torch.bincount(label, minlength=num_classes)


def running_mean(
    mean: Tensor, count: Tensor, sums: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor]:
    """The mean of all values of each class so far, new ones included.

    It is the plain mean since the values are pixels, which training does not move.

    Args:
        mean: ``(C, P)`` float, of the values before; 0 for a class without any.
        count: ``(C,)`` int64, how many they were.
        sums: ``(C, P)``, of the new values, see :func:`class_sums`.
        counts: ``(C,)`` int64, how many they are.

    Returns:
        Mean and count, ``(C, P)`` and ``(C,)``; those of absent classes do not move.
    """
    total = count + counts
    step = (sums - counts.unsqueeze(1) * mean) / total.clamp(min=1).unsqueeze(1)
    return mean + step, total


def centre_memory(num_classes: int, side: int) -> int:
    """Bytes of the class centres, float32, and of their counts, int64.

    >>> centre_memory(10_575, 16)
    10913400
    """
    return num_classes * (side**2 * 4 + 8)
