"""Loaders that count what they could not read, and go on where an interrupted epoch stopped."""

from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader

from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.datamodules.sampler import EpochSampler
from lrfr_lightning.datamodules.unreadable import Unreadable
from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.workers import sigterm_held_back

_PATIENCE = 600
"""Seconds; a worker that makes no batch for so long waits for a disk that no longer answers."""


class FaceLoader(DataLoader[Image]):
    """A ``DataLoader`` whose batches say what could not be read.

    Args:
        unreadable: where that is noted.
        arguments: of ``DataLoader``; a ``worker_init_fn`` calls ``outlive_sigterm``, since SIGTERM
            waits in a worker until then.
    """

    def __init__(self, unreadable: Unreadable, **arguments: Any) -> None:
        if arguments.get("num_workers"):
            arguments["timeout"] = _PATIENCE
        super().__init__(**arguments)
        self.unreadable = unreadable

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """The batches that have an image.

        Raises:
            DataError: too much is unreadable.
        """
        with sigterm_held_back():
            batches = super().__iter__()
        try:
            for batch in batches:
                if "unreadable" in batch:
                    self.unreadable.add(batch.pop("unreadable"))
                if len(batch["index"]):
                    yield batch
        except DataError as error:
            # torch puts the worker's traceback before it
            raise DataError(str(error).rpartition("DataError: ")[2].strip()) from None
        except RuntimeError:
            # a worker is dead or hangs: torch would ask it to end, and wait
            for worker in getattr(batches, "_workers", ()):
                worker.kill()
            raise


class ResumableLoader(FaceLoader):
    """A loader that leaves out the batches of an epoch that were trained already.

    They are left out of the sampler's order, so that no image of theirs is read.

    Args:
        done: how many batches of the epoch were trained, asked when its first batch is.
        sampler: the order of the images.
        arguments: of :class:`FaceLoader`.
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
