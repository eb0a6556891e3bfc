"""``lrfr compare``: what changed from one results file to another, and is it significant."""

from jsonargparse import ArgumentParser, Namespace

from lrfr_lightning.reports.compare import Comparison, Models, compare
from lrfr_lightning.utils.errors import ConfigError


def run(args: list[str]) -> list[Comparison]:
    """Compare, print the tables, write them if asked."""
    from lrfr_lightning.reports.compare_table import print_comparison, write_comparison
    from lrfr_lightning.reports.report import load_results

    options = _parser().parse_args(args[1:])
    before, after = (load_results([path]) for path in (options.first, options.second))
    found = compare(before, after, _models(options))
    print_comparison(found)
    if options.output:
        write_comparison(found, options.output)
        print(f"comparison: {options.output}/compare.md")
    return found


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="lrfr compare", description="Two results files side by side.")
    parser.add_argument("first", help="results file of lrfr evaluate, before")
    parser.add_argument("second", help="results file, after; the same one to compare its models")
    parser.add_argument("--before", help="name of the model in the first file")
    parser.add_argument("--after", help="name of the model in the second file")
    parser.add_argument("--output", help="folder for compare.json and compare.md")
    return parser


def _models(options: Namespace) -> Models | None:
    if bool(options.before) != bool(options.after):
        raise ConfigError("--before and --after go together: each names a model of its file")
    return (options.before, options.after) if options.before else None
