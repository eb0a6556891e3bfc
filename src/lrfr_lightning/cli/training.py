"""``lrfr fit | validate | test | predict``: LightningCLI over the tasks and the data module."""

from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI

from lrfr_lightning.datamodules.faces import FaceDataModule
from lrfr_lightning.tasks.recognition import RecognitionTask


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


def run(args: list[str]) -> FaceCLI:
    """Run a subcommand; returns the finished command line with model, data and trainer.

    The seed is 0 unless the YAML or ``--seed_everything`` says otherwise.
    """
    return FaceCLI(
        RecognitionTask,
        FaceDataModule,
        subclass_mode_model=True,
        seed_everything_default=0,
        save_config_kwargs={"overwrite": True},
        parser_kwargs={"prog": "lrfr"},
        args=args,
    )
