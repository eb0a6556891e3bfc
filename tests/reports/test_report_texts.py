import io
import re
from dataclasses import replace

from rich.console import Console

from lrfr_lightning.reports.markdown import render_markdown
from lrfr_lightning.reports.table import full_table, main_table
from lrfr_lightning.reports.terminal import print_tables


def printed(results, width=200, terminal=False):
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal)
    print_tables(results, console)
    return console.file.getvalue()


def cells(results):
    rows = (*main_table(results).rows, *full_table(results).rows)
    return {cell.text for row in rows for cell in row}


def test_terminal_shows_every_number_under_its_conditions(results):
    text = printed(results)
    assert all(cell in text for cell in cells(results))
    facts = text.index("protocol: lfw-devtest; setting: standard; degraded: both images; down:")
    counts = text.index("1,720 images, 1,000 pairs, 500 genuine, 500 impostor, 10 folds")
    assert facts < counts < text.index("99.6 ± 1.2")


def test_piped_output_is_plain_and_whole(results, capsys):
    name = "a model with a long name " * 8
    print_tables([replace(result, model=name) for result in results[:3]])
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "…" not in text
    assert text.count(name) == 4


def test_narrow_terminal_folds_instead_of_cutting(results):
    text = printed(results, width=40)
    assert "…" not in text


def test_terminal_prints_the_best_bold(results):
    text = printed(results, terminal=True)
    assert re.search(r"\x1b\[1m *99\.6 ± 1\.2", text)
    assert not re.search(r"\x1b\[1m *99\.0 ± 1\.2", text)


def test_terminal_obeys_no_name(results):
    text = printed([replace(results[0], model="[red]x[/red]\x1b[31m\n")], terminal=True)
    assert "[red]x[/red]?[31m?" in text


def test_markdown_is_a_table_per_block(two_blocks):
    text = render_markdown(two_blocks, "accuracy.png")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[:4] == [
        "| model | 112 px | 28 px | 7 px |",
        "| :-- | --: | --: | --: |",
        "| base | **99.6 ± 1.2** | **91.2 ± 1.2** | 55.7 ± 1.2 |",
        "| tuned | 99.0 ± 1.2 | **91.2 ± 1.2** | **70.1 ± 1.2** |",
    ]
    assert rows[4:] == rows[:4]
    assert text.count("### ") == 2
    assert text.endswith("![accuracy against resolution](accuracy.png)\n")
    assert "counts: 1,720 images, 1,000 pairs" in text


def test_markdown_names_stay_in_their_cell(results):
    text = render_markdown([replace(results[0], model="a|b *c*\n<script>_d_\\")])
    row = next(line for line in text.splitlines() if "script" in line)
    assert row == r"| a\|b \*c\* \<script\>\_d\_\\ | 91.2 ± 1.2 |"


def test_markdown_without_figure(results):
    assert "![" not in render_markdown(results)
