"""Every protocol that has a name, on its own generated data, as the command line makes it."""

from pathlib import Path

import pytest

from lrfr_lightning.cli.main import main
from lrfr_lightning.protocols import read_results
from lrfr_lightning.protocols.named import PROTOCOLS, named_protocol
from lrfr_lightning.utils.errors import ConfigError


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A small set in each layout, written by the command."""
    folder = tmp_path_factory.mktemp("layouts")
    made = {}
    for layout in ("survface", "scface", "tinyface", "ijbc"):
        made[layout] = str(folder / layout)
        size = ["--identities", "20", "--images_per_identity", "2", "--pairs_per_fold", "2"]
        main(["data", "embedded", made[layout], "--layout", layout, *size])
    return made


@pytest.mark.parametrize("layout", ["survface", "scface", "tinyface", "ijbc"])
def test_names_and_options_of_the_command_line(
    layout: str, roots: dict[str, str], tmp_path: Path
) -> None:
    names = [
        name for name in PROTOCOLS if name.split("-")[0] == layout and not name.endswith("-test")
    ]
    output = str(tmp_path / "results.json")
    main(["evaluate", "--floors", "--matrix", "--protocol", *names, "--root", roots[layout],
          "--controls", "none", "grey", "--output", output])  # fmt: skip
    results = read_results(output)
    assert {result.model for result in results} == {"raw-pixels", "mean-colour"}
    assert {result.control for result in results} == {"none", "grey"}
    native = layout != "ijbc"
    assert {result.resolution for result in results} == {None if native else 112}
    kinds = {"standard", "deck"} if f"{layout}-deck" in names else {"standard"}
    assert {result.setting for result in results} == kinds


def test_unknown_names() -> None:
    with pytest.raises(ConfigError, match="no protocol 'megaface'; expected one of lfw, .*ijbc"):
        named_protocol("megaface", "anywhere")
