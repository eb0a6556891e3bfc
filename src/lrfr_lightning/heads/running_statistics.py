"""Mean and standard deviation of a quality over the last batches."""

import torch
from torch import Tensor, nn

from lrfr_lightning.utils.distributed import sum_over_ranks
from lrfr_lightning.utils.errors import ConfigError


class RunningStatistics(nn.Module):
    """Standardises a per-sample quality: ``clip(h · (z - μ) / (σ + 1e-3), -1, 1)``.

    μ and σ are exponential moving averages of each batch's mean and (unbiased) standard deviation,
    as in AdaFace (Kim et al., 2204.00964, CVPR 2022). In training mode a batch moves them *before*
    it is standardised, the order of the paper's published code; in eval mode they are fixed.

    They never become NaN: a batch without samples moves nothing, one sample moves μ only, since it
    has no standard deviation, and values that are not finite are left out.

    Args:
        mean: μ at the start.
        std: σ at the start.
        h: how much of -1..1 one standard deviation covers; > 0.
        t_alpha: share of a new batch in the averages, 0 < t_alpha ≤ 1.
        sync: count the batches of all DDP ranks as one, whatever their sizes; otherwise each rank
            looks at its own, and DDP keeps the first rank's.

    Attributes:
        mean: buffer, scalar.
        std: buffer, scalar.

    Raises:
        ConfigError: ``h`` or ``t_alpha`` out of range.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: float, std: float, h: float, t_alpha: float, sync: bool) -> None:
        super().__init__()
        if not h > 0:
            raise ConfigError(f"h of the running statistics: expected h > 0, got {h}")
        if not 0 < t_alpha <= 1:
            raise ConfigError(
                f"t_alpha, the share of a new batch: expected 0 < t_alpha ≤ 1, got {t_alpha}"
            )
        self.h, self.t_alpha, self.sync = h, t_alpha, sync
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, values: Tensor) -> Tensor:
        """``(B,)`` → ``(B,)``, -1..1, same dtype; ``values`` are taken without their gradient."""
        values = values.detach()
        if self.training:
            self._update(values)
        return (self.h * (values - self.mean) / (self.std + 1e-3)).clamp(-1, 1)

    def _update(self, values: Tensor) -> None:
        """Move the averages towards the batch of all ranks; no branch, so no wait for the GPU."""
        known = values.isfinite()
        count, total = self._sum(torch.stack([known.sum().to(values), _sum(values, known)]))
        mean = total / count.clamp_min(1)
        variance = self._sum(_sum((values - mean).square(), known)) / (count - 1).clamp_min(1)
        self.mean += self.t_alpha * (count > 0) * (mean - self.mean)
        self.std += self.t_alpha * (count > 1) * (variance.sqrt() - self.std)

    def _sum(self, value: Tensor) -> Tensor:
        return sum_over_ranks(value) if self.sync else value


def _sum(values: Tensor, known: Tensor) -> Tensor:
    """Sum of the values that are known, scalar."""
    return torch.where(known, values, 0).sum()
