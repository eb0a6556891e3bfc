"""``lrfr fit | validate | test | predict``: LightningCLI over the tasks and the data module."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.utilities import rank_zero_info

from lrfr_lightning.callbacks.preemption import SaveOnSigterm
from lrfr_lightning.callbacks.ranks import RankWatch
from lrfr_lightning.datamodules.faces import FaceDataModule
from lrfr_lightning.tasks.base import Task
from lrfr_lightning.tasks.checkpoint_io import WholeCheckpointIO


class FaceCLI(LightningCLI):
    """Any task, any face data; the class count goes from the data to the model by itself."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link the class count."""
        parser.link_arguments(
            "data.num_classes", "model.init_args.num_classes", apply_on="instantiate"
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse what ``main`` was given; Lightning's own looks at ``sys.argv`` and warns."""
        self.config = parser.parse_args(args)  # type: ignore[arg-type]

    def _parse_ckpt_path(self) -> None:
        """With ``--ckpt_path`` the YAML's model goes on; without one in YAML, the checkpoint's.

        Lightning's own puts the checkpoint's arguments over the YAML's, and fails where either
        leaves out the optimiser.
        """
        if not self.config[self.config.subcommand].get("model"):
            super()._parse_ckpt_path()

    def before_instantiate_classes(self) -> None:
        """Say in which precision the run computes: it may be a default."""
        trainer = self.config[self.subcommand]["trainer"]
        rank_zero_info(f"trainer.precision: {trainer['precision'] or '32-true'}")

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """The trainer, which writes whole checkpoints unless YAML names a plugin for them."""
        trainer = super().instantiate_trainer(**kwargs)
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = WholeCheckpointIO()
        return trainer


def fast_precision() -> str:
    """``bf16-mixed`` where the GPU, or without one the CPU, computes in bf16; else ``32-true``.

    bf16 and channels-last train two to three times faster on such a CPU, see the benchmarks; on
    hardware that only emulates bf16 they would be slower.
    """
    if torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if native else "32-true"


def run(args: list[str]) -> FaceCLI:
    """Run a subcommand; returns the finished command line with model, data and trainer.

    The seed is 0 and the precision of ``fit`` :func:`fast_precision`, unless YAML or command line
    say otherwise.
    """
    fit = {"precision": fast_precision(), "callbacks": [RankWatch(), SaveOnSigterm()]}
    return FaceCLI(
        Task,
        FaceDataModule,
        subclass_mode_model=True,
        seed_everything_default=0,
        trainer_defaults=fit if args[0] == "fit" else None,
        save_config_kwargs={"overwrite": True},
        parser_kwargs={"prog": "lrfr"},
        args=args,
    )
