"""Checks of the training data."""

from lrfr_lightning.cli.plan.evaluation import protocols_of
from lrfr_lightning.cli.plan.finding import Found, Run
from lrfr_lightning.datasets.inspection import same_people
from lrfr_lightning.utils.errors import ConfigError, first_few


def data(run: Run) -> Found:
    """Images and identities; the first image is decoded.

    Raises:
        DataError: it cannot be read, or is no aligned face.
    """
    faces = run.data.dataset
    run.data.setup("fit")
    yield (
        "ok",
        f"{type(faces).__name__}: {len(faces):,} images of {faces.num_classes:,} identities, the "
        f"first ({faces.describe(0)}) can be read",
    )


def batches(run: Run) -> Found:
    """How long the run is.

    Raises:
        ConfigError: the images do not fill a batch on each rank.
    """
    if run.data.batches_per_epoch(run.ranks) < 1:
        raise ConfigError(
            f"batch_size: expected up to {len(run.data.dataset) // run.ranks} (the images of each "
            f"of {run.ranks} ranks), got {run.data.batch_size}"
        )
    each = f"{run.images_per_step:,} images in a step, {run.steps_per_epoch:,} steps in an epoch"
    if run.steps is None:
        yield "doubt", f"{each}; without max_epochs or max_steps the run has no end"
    elif run.steps == 0:
        yield "doubt", "limit_train_batches, max_epochs or max_steps is 0: nothing is trained"
    else:
        yield "ok", f"{each}, {run.steps:,} steps in {run.epochs:,} epochs"


def people(run: Run) -> Found:
    """Whom the training data and a protocol share, where both name their people."""
    trained = run.data.dataset.identities
    for protocol in protocols_of(run):
        names = {protocol.images.person(i) for i in range(len(protocol.images))}
        shown = sorted(name for name in names if name is not None)
        if not shown or all(name.isdigit() for name in trained):
            whose = protocol.name if not shown else "the training data"
            yield "unknown", f"{protocol.name}: {whose} has no names of people to compare"
            continue
        shared = same_people(shown, trained)
        if shared:
            yield (
                "doubt",
                f"{protocol.name}: {len(shared):,} of its {len(shown):,} people are trained on "
                f"({first_few(shared, 3)}): its numbers say nothing of strangers",
            )
        else:
            yield "ok", f"{protocol.name}: none of its {len(shown):,} people is trained on"
