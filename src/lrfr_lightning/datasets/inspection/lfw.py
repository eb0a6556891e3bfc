"""Labeled Faces in the Wild against its published counts and its own lists."""

from pathlib import Path

from lrfr_lightning.datasets.inspection.inventory import FileImages, Inventory, image_files
from lrfr_lightning.datasets.lfw import image_name, read_pairs, read_people
from lrfr_lightning.utils.errors import DataError

_PEOPLE = {"people.txt": 5749, "peopleDevTrain.txt": 4038, "peopleDevTest.txt": 1711}
_PAIRS = {"pairs.txt": 6000, "pairsDevTrain.txt": 2200, "pairsDevTest.txt": 1000}
_TRAINING, _TESTS = "peopleDevTrain.txt", ("pairs.txt", "pairsDevTest.txt", "peopleDevTest.txt")
_MOST = 100_000  # images that a list may name


def is_lfw(root: Path) -> bool:
    """Whether there are a folder ``images`` and one of LFW's lists."""
    return (root / "images").is_dir() and any((root / name).is_file() for name in _PEOPLE | _PAIRS)


def take_lfw(root: Path) -> Inventory:
    """Images, lists, and who stands in a training list and in a test list.

    Raises:
        DataError: a list is malformed.
    """
    names = image_files(root / "images")
    people = [name.partition("/")[0] for name in names]
    lists = {name: _listed(root / name) for name in _PEOPLE | _PAIRS if (root / name).is_file()}
    named = {image for images, _ in lists.values() for image in images}
    members = {name: {image.partition("/")[0] for image in lists[name][0]} for name in lists}
    return Inventory(
        images=FileImages(root / "images", names),
        people=people,
        found={"images": len(names), "people": len(set(people))}
        | {name: entries for name, (_, entries) in lists.items()},
        published={"images": 13233, "people": 5749} | _PEOPLE | _PAIRS,
        missing=sorted(named - set(names)),
        absent=[name for name in _PEOPLE | _PAIRS if name not in lists],
        shared={
            f"{_TRAINING} and {test}": sorted(members[_TRAINING] & members[test])
            for test in _TESTS
            if _TRAINING in members and test in members
        },
    )


def _listed(path: Path) -> tuple[set[str], int]:
    """The images that a list names, and how many people or pairs it has."""
    if path.name in _PAIRS:
        pairs, _ = read_pairs(path)
        return {name for pair in pairs for name in (pair.first, pair.second)}, len(pairs)
    people = read_people(path)
    if sum(people.values()) > _MOST:
        raise DataError(f"{path} names {sum(people.values())} images, expected up to {_MOST}")
    images = {image_name(who, i + 1) for who, count in people.items() for i in range(count)}
    return images, len(people)
