"""A training loader that goes on where an interrupted epoch stopped."""

from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader

from lrfr_lightning.datamodules.batch import Batch, Sample
from lrfr_lightning.datamodules.sampler import EpochSampler


class ResumableLoader(DataLoader[Sample]):
    """A ``DataLoader`` that leaves out the batches of an epoch that were trained already.

    They are left out of the sampler's order, so that no image of theirs is read.

    Args:
        done: how many batches of the epoch were trained, asked when its first batch is.
        sampler: the order of the images.
        arguments: of ``DataLoader``.
    """

    sampler: EpochSampler

    def __init__(self, done: Callable[[], int], sampler: EpochSampler, **arguments: Any) -> None:
        super().__init__(sampler=sampler, **arguments)
        self._done = done

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """The batches that are left of the epoch; the next time, those of a whole one."""
        self.sampler.start = self._done() * int(self.batch_size or 1)
        yield from super().__iter__()

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the trainer counts the batches. That there is a state says we can resume."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As :meth:`state_dict`."""
