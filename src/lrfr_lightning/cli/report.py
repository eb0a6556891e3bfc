"""``lrfr report``: results files → table, Markdown, figures and one HTML page."""

from jsonargparse import ArgumentParser


def run(args: list[str]) -> None:
    """Write the report and print the table."""
    from lrfr_lightning.reports.report import load_results, write_report
    from lrfr_lightning.reports.terminal import print_tables

    parser = ArgumentParser(prog="lrfr report", description="Tables and figures of results files.")
    parser.add_argument("results", nargs="+", help="results files that lrfr evaluate wrote")
    parser.add_argument("--output", help="folder of the report; by default beside the first file")
    options = parser.parse_args(args[1:])
    paths = write_report(options.results, options.output)
    print_tables(load_results(options.results))
    print(f"report: {paths.html}")
