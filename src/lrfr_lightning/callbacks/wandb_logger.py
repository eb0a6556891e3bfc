"""Weights & Biases that no run waits for."""

import os
from typing import Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_warn

_SETTINGS = {
    # seconds: for the server to answer at the start, and to take what is left at the end
    "WANDB_INIT_TIMEOUT": "30",
    "WANDB_FINISH_TIMEOUT": "60",
    # what W&B tells its server about itself, for which a run that ends waits beyond these
    "WANDB_ERROR_REPORTING": "false",
}


class SteadyWandbLogger(WandbLogger):
    """Lightning's ``WandbLogger``, which goes on offline where the server cannot be reached.

    It waits 30 s for the server when training begins, and 60 s at the end for what was not sent
    yet; ``WANDB_INIT_TIMEOUT`` and ``WANDB_FINISH_TIMEOUT`` change that. Telemetry of W&B itself is
    off unless ``WANDB_ERROR_REPORTING`` is set. Nothing is lost: the run lies under ``save_dir``,
    ``wandb sync`` sends it later.
    """

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The run, online or offline."""
        import wandb  # takes most of a second, and few runs log there

        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        try:
            return super().experiment
        except wandb.Error as error:
            rank_zero_warn(
                f"Weights & Biases is out of reach ({error}): the run is kept offline under "
                f"{self.save_dir}; send it later with wandb sync"
            )
        self._wandb_init["mode"] = "offline"
        return super().experiment
