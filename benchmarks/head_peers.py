"""Heads of others, as ``loss = head(embedding, label)``, with what of ours each is held against."""

from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize

Head = Callable[[Tensor, Tensor], Tensor]
LIBRARY = "pytorch-metric-learning"


class OneHotArcFace(nn.Module):
    """The usual public ArcFace head: normalised copies, angles of all logits, a one-hot margin."""

    def __init__(self, dim: int, classes: int, margin: float = 0.5, scale: float = 64.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.01 * torch.randn(classes, dim))
        self.margin, self.scale = margin, scale

    def forward(self, embedding: Tensor, label: Tensor) -> Tensor:
        """Mean loss, scalar."""
        cosine = linear(normalize(embedding), normalize(self.weight)).clamp(-1 + 1e-7, 1 - 1e-7)
        one_hot = torch.zeros_like(cosine).scatter_(1, label.view(-1, 1), 1.0)
        logits = torch.cos(torch.acos(cosine) + one_hot * self.margin)
        return cross_entropy(self.scale * logits, label)


def one_hot_arcface(dim: int, classes: int) -> nn.Module:
    """The field's usual way."""
    return OneHotArcFace(dim, classes)


def library_head(kind: str, dim: int, classes: int) -> nn.Module:
    """``ArcFaceLoss`` or ``CosFaceLoss`` of pytorch-metric-learning."""
    from pytorch_metric_learning import losses

    made: nn.Module = getattr(losses, kind)(num_classes=classes, embedding_size=dim)
    return made


def peers_of(margin: str, dim: int, classes: int) -> dict[str, str]:
    """Python source that makes each peer of one of our margins, by the peer's name."""
    found = {}
    if margin == "ArcFace":
        found["one-hot ArcFace, the usual way"] = f"one_hot_arcface({dim}, {classes})"
    if margin in ("ArcFace", "CosFace") and find_spec("pytorch_metric_learning"):
        name = f"{LIBRARY} {version(LIBRARY)} {margin}Loss"
        found[name] = f"library_head('{margin}Loss', {dim}, {classes})"
    return found
