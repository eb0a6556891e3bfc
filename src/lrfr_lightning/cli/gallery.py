"""``lrfr gallery``: who is in a gallery; remove people, merge galleries."""

from collections import Counter

from jsonargparse import ArgumentParser

from lrfr_lightning.cli.recognition_options import print_table
from lrfr_lightning.recognition.gallery import Gallery


def run(args: list[str]) -> Gallery:
    """Merge, then remove, write what changed, print the people."""
    parser = ArgumentParser(prog="lrfr gallery", description="Look at a gallery, or change it.")
    parser.add_argument("gallery", type=str, help="file of lrfr enroll")
    parser.add_argument("--merge", type=str, nargs="+", default=[], help="galleries to add to it")
    parser.add_argument("--remove", type=str, nargs="+", default=[], help="names of people")
    options = parser.parse_args(args[1:])
    gallery = Gallery.load(options.gallery)
    for path in options.merge:
        gallery = gallery.merged(Gallery.load(path))
    if options.remove:
        gallery = gallery.without(options.remove)
    if options.merge or options.remove:
        gallery.save(options.gallery)
    counts = Counter(image.person for image in gallery.images)
    print_table(
        ("person", "images"),
        [(name, str(counts[name])) for name in gallery.people],
        f"{len(gallery):,} people, {len(gallery.images):,} images, by {gallery.model} "
        f"({gallery.fingerprint[:12]}), flip {gallery.flip}",
    )
    return gallery
