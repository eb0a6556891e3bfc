"""Identity weights shared out over the ranks, of which a step may use a sample."""

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import normalize

from lrfr_lightning.functional.softmax_loss import compare
from lrfr_lightning.heads.classifier import CosineClassifier, per_sample
from lrfr_lightning.utils.differentiable import (
    add_ranks,
    join_ranks,
    rows_of_all,
    rows_of_ranks,
    shared,
)
from lrfr_lightning.utils.distributed import rank_and_world, sum_over_ranks
from lrfr_lightning.utils.errors import ConfigError


class PartialFC(CosineClassifier):
    """A classifier for more identities than one device holds (An et al., 2203.15565, CVPR 2022).

    Each rank owns ``C / world`` rows, compares them with the embeddings of all ranks, and the
    softmax is joined by its largest logit and its sum. At ``sample_rate`` 1 loss and gradients are
    those of :class:`CosineClassifier` under DDP, for every margin and whatever each rank's batch
    size. Below 1 a training step compares with all identities of the joined batch and a random
    share of the others only.

    The rows are made by :meth:`share_out`, once the ranks know of each other: a task does it before
    its optimiser is made. DDP must leave ``weight`` alone; tasks see to that, and to checkpoints,
    which hold all C rows and so load on any number of ranks.

    Args:
        embedding_dim: D.
        num_classes: C, how many identities.
        sample_rate: share of each rank's rows in a training step, 0 < rate ≤ 1.
        seed: of the sample.
        recompute: see :class:`CosineClassifier`; the batch is that of all ranks together.

    Attributes:
        weight: ``(rows of this rank, D)``; empty before :meth:`share_out`.

    Raises:
        ConfigError: ``sample_rate`` out of range.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        sample_rate: float = 1.0,
        seed: int = 0,
        recompute: bool = False,
    ) -> None:
        if not 0 < sample_rate <= 1:
            raise ConfigError(f"PartialFC sample_rate: expected 0 < rate ≤ 1, got {sample_rate}")
        super().__init__(embedding_dim, 0, recompute)
        self.embedding_dim, self.num_classes = embedding_dim, num_classes
        self.sample_rate, self.seed = sample_rate, seed
        self._step = 0

    @property
    def rows(self) -> range:
        """The identities of this rank."""
        rank, world = rank_and_world()
        return range(rank * self.num_classes // world, (rank + 1) * self.num_classes // world)

    def share_out(self) -> None:
        """Make this rank's rows, if that was not done; each is drawn from N(0, 0.01²).

        Raises:
            ConfigError: there are more ranks than identities.
        """
        if len(self.weight) == 0:
            if not self.rows:
                raise ConfigError(
                    f"PartialFC: expected at least one identity for each of "
                    f"{rank_and_world()[1]} ranks, got {self.num_classes}"
                )
            rows = torch.empty(len(self.rows), self.embedding_dim, device=self.weight.device)
            generator = torch.Generator().manual_seed(self.seed + self.rows.start)
            nn.init.normal_(rows, std=0.01, generator=generator)
            self.weight = nn.Parameter(rows)

    def forward(self, embedding: Tensor) -> Tensor:
        """Cosines with this rank's identities, ``(B, D)`` → ``(B, rows)``, -1..1."""
        self.share_out()
        return super().forward(embedding)

    @torch.no_grad()
    def target_cosine(self, embedding: Tensor, label: Tensor) -> Tensor:
        """Cosine of each embedding with its own identity, wherever its row lies, ``(B,)``.

        It is for looking at and has no gradient; losses take :meth:`compare`'s.
        """
        self.share_out()
        sizes = rows_of_ranks(embedding)
        column = self._column(rows_of_all(label, sizes))
        everyone = join_ranks(normalize(embedding), sizes)
        cosine = self.cosine_with(everyone, column.clamp_min(0))
        own = torch.where(column >= 0, cosine, 0)
        return _own_rows(add_ranks(own), sizes).clamp(-1, 1)

    def compare(
        self, embedding: Tensor, label: Tensor, scale: float | Tensor
    ) -> tuple[Tensor, Tensor]:
        """As :meth:`CosineClassifier.compare`, this rank's samples with all ranks' identities."""
        self.share_out()
        sizes = rows_of_ranks(embedding)
        weight, column = self._compared(self._column(rows_of_all(label, sizes)))
        cosine, others = compare(
            join_ranks(normalize(embedding), sizes),
            weight.to(embedding.dtype),
            column,
            join_ranks(per_sample(scale, embedding), sizes),
            largest=_largest_over_ranks,
            total=sum_over_ranks,
            ranks=len(sizes),
            recompute=self.recompute,
        )
        cosine = _own_rows(add_ranks(cosine), sizes).clamp(-1, 1)
        return cosine, _own_rows(shared(others), sizes)

    def _column(self, label: Tensor) -> Tensor:
        """The row of each label here, or -1 where it lies on another rank."""
        mine = (label >= self.rows.start) & (label < self.rows.stop)
        return torch.where(mine, label - self.rows.start, -1)

    def _compared(self, column: Tensor) -> tuple[Tensor, Tensor]:
        """The rows that this step compares with, and the samples' columns among them."""
        if self.sample_rate == 1 or not self.training:
            return self.weight, column
        wanted = column[column >= 0].unique()
        count = max(round(self.sample_rate * len(self.weight)), len(wanted))
        draws = torch.rand(len(self.weight), generator=self._generator(), device=column.device)
        # a draw lies below 1: the batch's own identities come first
        draws[wanted] = 1
        chosen = draws.topk(count).indices.sort().values
        place = torch.searchsorted(chosen, column.clamp_min(0))
        return self.weight[chosen], torch.where(column >= 0, place, -1)

    def _generator(self) -> torch.Generator:
        """Of this step and rank; the same again when a run is resumed."""
        self._step += 1
        generator = torch.Generator(device=self.weight.device)
        return generator.manual_seed(hash((self.seed, self.rows.start, self._step)) & 0x7FFFFFFF)

    def get_extra_state(self) -> Any:
        """How many samples were drawn."""
        return self._step

    def set_extra_state(self, state: Any) -> None:
        """Go on with the sample after these."""
        self._step = int(state)


def _own_rows(value: Tensor, sizes: list[int]) -> Tensor:
    """This rank's part of what :func:`join_ranks` joined."""
    rank, _ = rank_and_world()
    return value[sum(sizes[:rank]) : sum(sizes[: rank + 1])]


def _largest_over_ranks(value: Tensor) -> Tensor:
    if rank_and_world()[1] == 1:
        return value
    largest = value.clone()
    distributed.all_reduce(largest, distributed.ReduceOp.MAX)
    return largest
