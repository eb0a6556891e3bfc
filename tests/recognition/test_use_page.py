"""``docs/use.md``: its Python runs, and its table is that of the committed results."""

import json
import re
from pathlib import Path

import numpy as np
from small_model import write_people

from lrfr_lightning.datasets import EmbeddedFaces

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "use.md").read_text()
IMAGES = {"half-enrolled": "one image", "three-images-1000": "three"}
"""Of each person in a gallery, by protocol."""


def test_its_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_people(tmp_path / "people", range(3), range(2))
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names = {"probe": EmbeddedFaces(60, 3).image(0)}
    exec(source, names)
    assert names["answer"].matches[0][0] == "person0"
    assert np.isfinite(names["answer"].threshold)
    assert "Comparison(score=1.0" in capsys.readouterr().out.replace("0.9999999", "1.0")


def trial_rows(file: Path) -> list[str]:
    """Lines of the table, from a results file of ``lrfr trial``."""

    def shown(result: dict, metric: str) -> str:
        value = result["metrics"].get(metric)
        if value is None:
            return "\u2013"
        ends = [f"{100 * end:.1f}" for end in result["intervals"].get(metric, [])]
        return f"{100 * value:.1f}" + (f" [{', '.join(ends)}]" if ends else "")

    metrics = ("rank1", "tpir@fpir=0.01", "tpir@calibrated", "fpir@calibrated")
    return [
        f"| {r['counts']['people']:,} people, {IMAGES[r['protocol']]} | {r['model']} | "
        + " | ".join([str(r["resolution"]), *(shown(r, metric) for metric in metrics)])
        + " |"
        for r in json.loads(file.read_text())["results"]
    ]


def test_its_table_is_that_of_the_results():
    table = PAGE.partition("<!-- trial -->")[2].partition("<!-- /trial -->")[0]
    files = sorted((ROOT / "experiments" / "results").glob("trial*.json"))
    rows = [row for file in files for row in trial_rows(file)]
    assert re.findall(r"^\| [\d,]+ people,.*", table, flags=re.MULTILINE) == rows
