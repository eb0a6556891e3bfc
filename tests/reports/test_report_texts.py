import io
import re
from dataclasses import replace

from rich.console import Console

from lrfr_lightning.reports.latex import render_latex
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


def test_markdown_and_terminal_hold_controls_and_floors(full):
    text = render_markdown(full)
    assert "| model | control | 112 px | 7 px |" in text
    assert r"| raw-pixels (floor) | grey | 65.0 ± 1.0 |" in text
    assert r"accuracy in %, \[low, high\] of 95 % confidence or ± std; floor: no face" in text
    assert "the best of each column and control in bold." in text
    lines = printed(full)
    assert "accuracy in %, [low, high] of 95 % confidence or ± std" in lines
    assert lines.count("every metric in %") == 2


def test_latex_is_a_booktabs_table_per_block(two_blocks):
    text = render_latex(two_blocks)
    assert text.count(r"\begin{table}[htbp]") == text.count(r"\end{table}") == 2
    assert r"\begin{tabular}{lrrr}" in text
    lines = text.splitlines()
    start = lines.index(r"\toprule")
    assert lines[start : start + 6] == [
        r"\toprule",
        r"model & 112 px & 28 px & 7 px \\",
        r"\midrule",
        r"base & \textbf{99.6 $\pm$ 1.2} & \textbf{91.2 $\pm$ 1.2} & 55.7 $\pm$ 1.2 \\",
        r"tuned & 99.0 $\pm$ 1.2 & \textbf{91.2 $\pm$ 1.2} & \textbf{70.1 $\pm$ 1.2} \\",
        r"\bottomrule",
    ]


def test_latex_names_are_inert(results):
    text = render_latex([replace(results[0], model="\\input{a}_50%&#$~^\n<|[x")])
    row = next(line for line in text.splitlines() if "input" in line)
    name = r"\textbackslash{}input\{a\}\_50\%\&\#\$\textasciitilde{}\textasciicircum{} "
    assert row == name + r"\textless{}\textbar{}{[}x & 91.2 $\pm$ 1.2 \\"
