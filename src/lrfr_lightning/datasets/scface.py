"""SCface: mugshots, and the same people on surveillance cameras at three distances.

Source: Grgic, Delac, Grgic, "SCface - surveillance cameras face database", Multimedia Tools and
Applications 51, 2011. 130 people; cameras 1 to 5 see by day, 6 and 7 by infrared at night;
distances 1, 2 and 3 are 4.20, 2.60 and 1.00 m. Camera 8, infrared mugshots, has no distance and is
left out.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.listed import ListedImages
from lrfr_lightning.utils.errors import ConfigError, DataError, first_few
from lrfr_lightning.utils.paths import existing

Subjects = Literal["all", "test"]
Failures = Literal["error", "count_as_miss", "drop"]

CAMERAS = range(1, 8)
DISTANCES = range(1, 4)
DAY = range(1, 6)
"""Cameras that see by day; all others see by night."""

TRAINING_SUBJECTS = 50
"""With ``test``, people 1..50 are left to training. Papers draw theirs at random (ours)."""

MUGSHOTS = "mugshot_frontal_cropped_all"


@dataclass(frozen=True)
class SurveillanceProbes:
    """Every probe that should be there: people x distances x cameras.

    Attributes:
        image: int64 ``(N,)``, position of the image; -1 where it is missing.
        person: int64 ``(N,)``, number of the person, 1..130.
        distance: int64 ``(N,)``, 1..3.
        camera: int64 ``(N,)``, 1..7.
    """

    image: NDArray[np.int64]
    person: NDArray[np.int64]
    distance: NDArray[np.int64]
    camera: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """Some of the probes, bool ``(N,)``."""
        return type(self)(*(getattr(self, column.name)[rows] for column in fields(self)))


def mugshot_name(person: int) -> str:
    """Path of a gallery image below the root."""
    return f"{MUGSHOTS}/{person:03d}_frontal.JPG"


def probe_name(person: int, distance: int, camera: int) -> str:
    """Path of a probe below the root.

    >>> probe_name(7, 1, 3)
    'surveillance_cameras_distance_1/cam_3/007_cam3_1.jpg'
    """
    folder = f"surveillance_cameras_distance_{distance}/cam_{camera}"
    return f"{folder}/{person:03d}_cam{camera}_{distance}.jpg"


def read_scface(
    root: str, subjects: Subjects = "all", failures: Failures = "error"
) -> tuple[ListedImages, NDArray[np.int64], SurveillanceProbes]:
    """Mugshots and probes.

    A probe whose image is not there is a failure to acquire: the detector or the aligner found no
    face in it.

    Args:
        root: folder that holds ``mugshot_frontal_cropped_all/`` and
            ``surveillance_cameras_distance_1/`` to ``_3/``.
        subjects: ``all`` people with a mugshot, or the ``test`` people, those from number 51.
        failures: ``error`` refuses a set with failures to acquire; both other policies leave them
            to the protocol.

    Returns:
        All images, the mugshots first; the person of each mugshot, int64 ``(G,)``; the probes.

    Raises:
        ConfigError: no such subjects or policy.
        DataError: there is no mugshot, or probes are missing; the message has their number and the
            first five.
    """
    check_choice("subjects", subjects, get_args(Subjects))
    check_choice("failures", failures, get_args(Failures))
    folder = existing(root, "SCface root")
    people = _people(folder, subjects)
    axes = np.meshgrid(people, DISTANCES, CAMERAS, indexing="ij")
    person, distance, camera = (axis.ravel().astype(np.int64) for axis in axes)
    rows = np.stack([person, distance, camera], axis=1).tolist()
    wanted = [probe_name(*row) for row in rows]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing and (failures == "error" or len(missing) == len(wanted)):
        raise DataError(
            f"{len(missing)} of {len(wanted)} probes are missing under {folder}: "
            f"{first_few(missing)}; say what a failure to acquire counts: failures count_as_miss "
            "or drop"
        )
    there = np.asarray([name not in set(missing) for name in wanted])
    mugshots = [mugshot_name(number) for number in people]
    image = np.where(there, len(mugshots) + np.cumsum(there) - 1, -1)
    probes = [name for name, found in zip(wanted, there, strict=True) if found]
    images = ListedImages(folder, [*mugshots, *probes])
    return images, people, SurveillanceProbes(image, person, distance, camera)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices.

    Raises:
        ConfigError: it is none.
    """
    if value not in choices:
        raise ConfigError(f"{name}: expected one of {choices}, got {value!r}")


def _people(folder: Path, subjects: Subjects) -> NDArray[np.int64]:
    """Numbers of those who have a mugshot, rising."""
    found = sorted((folder / MUGSHOTS).glob("[0-9][0-9][0-9]_frontal.JPG"))
    numbers = np.asarray([int(path.name[:3]) for path in found], np.int64)
    people = numbers[numbers > TRAINING_SUBJECTS] if subjects == "test" else numbers
    if not len(people):
        raise DataError(
            f"expected mugshots such as {folder / mugshot_name(51)}, got {len(numbers)} of them, "
            f"none of subjects {subjects!r}"
        )
    return people
