"""``lrfr enroll``: a folder of people → a gallery, new or larger."""

from lrfr_lightning.cli.recognition_options import add_align, aligner_of, model_parser, parsed
from lrfr_lightning.protocols.base import FULL_RESOLUTION
from lrfr_lightning.recognition.enrolment import enrol
from lrfr_lightning.recognition.gallery import Gallery
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.utils.paths import expand


def run(args: list[str]) -> Gallery:
    """Embed the people, write the gallery, say what is new in it."""
    parser = model_parser("enroll", "Put people into a gallery: FOLDER/person/*.jpg.")
    parser.add_argument("folder", type=str, help="a folder with a folder of images per person")
    parser.add_argument("--gallery", type=str, required=True, help="file to make or to add to")
    parser.add_argument("--flip", action="store_true", help="add the mirrored image's embedding")
    add_align(parser)
    options, model = parsed(parser, args)
    path = expand(options.gallery)
    before = Gallery.load(path) if path.exists() else None
    flip = options.flip or bool(before and before.flip)
    recogniser = Recogniser(model, flip=flip, aligner=aligner_of(options))
    if before:
        before.check_model(recogniser.fingerprint, recogniser.flip, model.name)
    added = enrol(recogniser, options.folder)
    gallery = before.merged(added) if before else added
    gallery.save(path)
    _tell(gallery, before, added)
    print(f"gallery: {path}")
    return gallery


def _tell(gallery: Gallery, before: Gallery | None, added: Gallery) -> None:
    people, images = (len(before), len(before.images)) if before else (0, 0)
    new = len(gallery.images) - images
    print(
        f"{len(gallery):,} people, {len(gallery.images):,} images; new: "
        f"{len(gallery) - people:,} people, {new:,} images; "
        f"already there: {len(added.images) - new:,} images"
    )
    small = sum(image.resolution < FULL_RESOLUTION for image in gallery.images)
    if small:
        print(
            f"{small:,} images are below {FULL_RESOLUTION} px; calibrated thresholds hold for "
            f"galleries of {FULL_RESOLUTION} px"
        )
