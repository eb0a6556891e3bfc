"""``lrfr fit | validate | test | predict``: LightningCLI over the tasks and the data module."""

from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.utilities import rank_zero_info

from lrfr_lightning.callbacks.nonfinite import NonFiniteGuard
from lrfr_lightning.callbacks.preemption import SaveOnSigterm
from lrfr_lightning.callbacks.ranks import RankWatch
from lrfr_lightning.cli.plan import Run, faults, look
from lrfr_lightning.cli.plan.machine import native_bf16
from lrfr_lightning.cli.plan.page import print_plan
from lrfr_lightning.datamodules.faces import FaceDataModule
from lrfr_lightning.tasks.base import Task
from lrfr_lightning.tasks.checkpoint_io import WholeCheckpointIO
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.memory import no_collection


class FaceCLI(LightningCLI):
    """Any task, any face data; the class count goes from the data to the model by itself.

    Args:
        args: the command line, its subcommand first.
        arguments: of ``LightningCLI``.
    """

    def __init__(self, args: list[str], **arguments: Any) -> None:
        self._asked = args[0]
        super().__init__(args=args, **arguments)

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """The one that is asked for: the parsers of all four take a second to make."""
        return {self._asked: LightningCLI.subcommands()[self._asked]}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link the class count."""
        parser.link_arguments(
            "data.num_classes", "model.init_args.num_classes", apply_on="instantiate"
        )

    @no_collection()
    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse what ``main`` was given; Lightning's own looks at ``sys.argv`` and warns."""
        self.config = parser.parse_args(args)  # type: ignore[arg-type]
        # no part of the run: the config.yaml of a fit is also read by validate and test
        self.dry_run = self.config[self.config.subcommand].pop("dry_run", False)

    def _prepare_subcommand_parser(
        self, klass: type, subcommand: str, **kwargs: Any
    ) -> LightningArgumentParser:
        """With ``fit --dry-run``."""
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand == "fit":
            parser.add_argument(
                "--dry-run", action="store_true", help="check and show the plan, train nothing"
            )
        return parser

    def _parse_ckpt_path(self) -> None:
        """With ``--ckpt_path`` the YAML's model goes on; without one in YAML, the checkpoint's.

        Lightning's own puts the checkpoint's arguments over the YAML's, and fails where either
        leaves out the optimiser.
        """
        if not self.config[self.config.subcommand].get("model"):
            super()._parse_ckpt_path()

    @no_collection()
    def instantiate_classes(self) -> None:
        """Import the classes that YAML names, and make them."""
        super().instantiate_classes()

    def before_instantiate_classes(self) -> None:
        """Say in which precision the run computes: it may be a default."""
        trainer = self.config[self.subcommand]["trainer"]
        rank_zero_info(f"trainer.precision: {trainer['precision'] or '32-true'}")

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """The trainer, which writes whole checkpoints unless YAML names a plugin for them.

        When fitting it has a ``NonFiniteGuard`` where the callbacks have none.

        Raises:
            ConfigError: its settings contradict each other, or the machine has no such devices.
        """
        try:
            trainer: pl.Trainer = super().instantiate_trainer(**kwargs)
        except (MisconfigurationException, ModuleNotFoundError, ValueError) as error:
            raise ConfigError(f"trainer: {error}") from error
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = WholeCheckpointIO()
        guarded = any(isinstance(entry, NonFiniteGuard) for entry in trainer.callbacks)  # type: ignore[attr-defined]
        if self.subcommand == "fit" and not guarded:
            # before all others: what looks at a step's end finds it left out already
            trainer.callbacks.insert(0, NonFiniteGuard())  # type: ignore[attr-defined]
        return trainer

    def fit(self, model: Any, **arguments: Any) -> None:
        """Check the plan and show it, then train, unless ``--dry-run`` says not to.

        Raises:
            ConfigError: the plan has faults; the message names all of them.
        """
        options = self.config[self.subcommand]
        asked = str(options["trainer"]["precision"] or "32-true")
        run = Run(self.datamodule, self.model, self.trainer, arguments.get("ckpt_path"), asked)
        found = look(run)
        if self.trainer.is_global_zero:
            print_plan(found)
        if faults(found):
            raise ConfigError(faults(found))
        if not self.dry_run:
            self.trainer.fit(model, **arguments)


def fast_precision() -> str:
    """``bf16-mixed`` where the GPU, or without one the CPU, computes in bf16; else ``32-true``.

    bf16 and channels-last train two to three times faster on such a CPU, see the benchmarks; on
    hardware that only emulates bf16 they would be slower.
    """
    return "bf16-mixed" if native_bf16(torch.cuda.is_available()) else "32-true"


def run(args: list[str]) -> FaceCLI:
    """Run a subcommand; returns the finished command line with model, data and trainer.

    The seed is 0 and the precision of ``fit`` :func:`fast_precision`, unless YAML or command line
    say otherwise.
    """
    fit = {"precision": fast_precision(), "callbacks": [RankWatch(), SaveOnSigterm()]}
    return FaceCLI(
        args,
        model_class=Task,
        datamodule_class=FaceDataModule,
        subclass_mode_model=True,
        seed_everything_default=0,
        trainer_defaults=fit if args[0] == "fit" else None,
        save_config_kwargs={"overwrite": True},
        parser_kwargs={"prog": "lrfr"},
    )
