"""The model card: what a model is, what was measured, and what it is not for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.embedders.hub import WEIGHTS_FILE
from lrfr_lightning.embedders.metadata import ModelMetadata
from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.markdown import escape, render_markdown

NOT_STATED = "not stated"

USE = """\
To compare aligned faces (five-point ArcFace template, 112x112 px) that are as small as was
measured, with a threshold chosen at the resolution it is used at, by people who look at the answer
before they act on it. Research, and applications whose people agreed to be recognised.

It must not be used for mass surveillance, to decide alone over a person's rights, to guess gender,
ethnicity, age, emotion or health, or on people who did not agree, where the law asks for that."""

"""Also in the README, as is :data:`LIMITS`."""

LIMITS = """\
* Errors grow as faces get smaller. A threshold of one resolution is wrong at another.
* Errors differ between groups of people (age, gender, skin tone, ethnicity), most often to the
  disadvantage of those whom the training data show least. Where no table gives them by group they
  were not measured: measure them on people like those it will see (`lrfr evaluate --groups`).
* Part of any accuracy at low resolution is scene and colour, not identity: look at the floors and
  the controls, where the tables have them.
* A face that is not aligned, or of no person enrolled, gets an embedding too. The model cannot tell
  a photograph of a face from a face."""


@dataclass(frozen=True)
class CardText:
    """What no file can know of a model.

    Attributes:
        licence: of the weights, as an identifier of the Hub, such as ``mit`` or ``other``.
        training_data: what it was trained on.
        data_licence: under which licence or agreement those data were used.
    """

    licence: str = "other"
    training_data: str = NOT_STATED
    data_licence: str = NOT_STATED


def render_card(
    backbone: Backbone,
    metadata: ModelMetadata,
    results: Sequence[ProtocolResult],
    text: CardText,
    repo_id: str,
) -> str:
    """The card as Markdown with the header of the Hub.

    Args:
        backbone: the network.
        metadata: of its file.
        results: of ``lrfr evaluate``, of this model and of floors; may be empty.
        text: what the files do not know.
        repo_id: repository or folder, for the example.
    """
    sections = {
        "Use": _example(repo_id),
        "The network": _network(backbone, metadata),
        "Results": render_markdown(results) if results else "None were handed in.",
        "Thresholds": _thresholds(metadata.thresholds),
        "Training data": f"{escape(text.training_data)}. Licence: {escape(text.data_licence)}.",
        "Intended use": USE,
        "Limits": LIMITS,
    }
    body = "\n".join(f"## {title}\n\n{content.rstrip()}\n" for title, content in sections.items())
    return f"---\n{_header(text)}---\n\n# {escape(metadata.name)}\n\n{body}"


def _header(text: CardText) -> str:
    header = {
        "library_name": "lrfr_lightning",
        "license": text.licence,
        "pipeline_tag": "image-feature-extraction",
        "tags": ["face-recognition", "low-resolution"],
    }
    return str(yaml.safe_dump(header, sort_keys=False))


def _example(repo_id: str) -> str:
    return f"""\
```python
from lrfr_lightning.embedders import open_model

model = open_model("{repo_id}")
embeddings = model.embed(faces)  # uint8 (B, 3, 112, 112), RGB; compare them by their cosine
```

```bash
lrfr evaluate --checkpoint {repo_id} --protocol lfw-devtest
```
"""


def _network(backbone: Backbone, metadata: ModelMetadata) -> str:
    spec = backbone.pixel_spec
    parameters = sum(parameter.numel() for parameter in backbone.parameters())
    trained = ", ".join(f"{side} px" for side in metadata.trained_resolutions)
    rows = {
        "network": f"{type(backbone).__name__}, {parameters:,} parameters",
        "embedding": f"{metadata.embedding_dim} numbers, compared by their cosine",
        "input": f"{spec.size[0]} rows x {spec.size[1]} columns, {spec.fit}, {spec.channel_order}, "
        f"(x - {list(spec.mean)}) / {list(spec.std)}; applied by the library",
        "trained at": trained or NOT_STATED,
        "fingerprint": metadata.fingerprint,
        "written by": f"lrfr_lightning {metadata.library_version} ({WEIGHTS_FILE})",
    }
    return "| | |\n|---|---|\n" + "".join(f"| {k} | {escape(v)} |\n" for k, v in rows.items())


def _thresholds(thresholds: dict[str, Any]) -> str:
    if not thresholds:
        return "None were calibrated."
    return f"```json\n{json.dumps(thresholds, indent=1)}\n```"
