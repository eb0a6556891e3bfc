"""A model as a folder with its card, and on the Hugging Face Hub. Needs the extra ``hub``."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.new_folder import new_folder
from lrfr_lightning.embedders.base import ModuleEmbedder
from lrfr_lightning.embedders.hub import HUB_PREFIX, WEIGHTS_FILE, hub_error, import_hub
from lrfr_lightning.embedders.metadata import ModelMetadata
from lrfr_lightning.embedders.opening import open_model
from lrfr_lightning.embedders.safetensors_file import read_header
from lrfr_lightning.export.description import describe_model
from lrfr_lightning.export.faces import CHECKED, check_faces
from lrfr_lightning.export.files import export_model
from lrfr_lightning.export.model_card import CardText, render_card
from lrfr_lightning.export.parity import Parity
from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.utils.errors import ConfigError


def save_folder(
    model: ModuleEmbedder,
    path: str | Path,
    metadata: ModelMetadata,
    faces: list[Image],
    results: Sequence[ProtocolResult] = (),
    text: CardText | None = None,
    repo_id: str | None = None,
) -> list[Parity]:
    """Write ``model.safetensors``, its header as ``config.json``, and the card, ``README.md``.

    Results go into the card as tables; their pictures of faces do not.

    Args:
        model: the network.
        path: a new folder; it appears whole, or not at all.
        metadata: what the file says.
        faces: on which it is held against the network, see
            :func:`~lrfr_lightning.export.export_model`.
        results: of ``lrfr evaluate``, for the card.
        text: what no file knows, for the card.
        repo_id: where it will be pushed to, for the card's example.

    Raises:
        DataError: the folder exists and is not empty, or the file is not its network.
    """
    address = str(path) if repo_id is None else f"{HUB_PREFIX}{repo_id}"
    card = render_card(model.backbone, metadata, results, text or CardText(), address)
    with new_folder(path) as partial:
        file = partial / WEIGHTS_FILE
        found = export_model(model, file, "safetensors", metadata, faces)
        header = {key: json.loads(value) for key, value in read_header(file).items()}
        (partial / "config.json").write_text(json.dumps(header, indent=1) + "\n")
        (partial / "README.md").write_text(card)
    return found


def push_folder(folder: Path, repo_id: str, public: bool = False) -> str:
    """Upload a folder of :func:`save_folder` as one commit.

    Args:
        folder: the folder.
        repo_id: ``owner/name``; made where there is none.
        public: whether a new repository is.

    Returns:
        The address of the commit.

    Raises:
        ConfigError: the extra is not installed.
        DataError: the Hub refuses, or cannot be reached.
    """
    hub = import_hub()
    files = [hub.CommitOperationAdd(path.name, path) for path in sorted(folder.iterdir())]
    api = hub.HfApi()
    try:
        api.create_repo(repo_id, private=not public, exist_ok=True)
        commit = api.create_commit(repo_id, files, commit_message="Model, metadata and card")
    except Exception as error:  # of the client, its transport or the Hub
        raise hub_error(error, f"cannot push to {repo_id} on the Hub") from error
    return str(commit.commit_url)


def push_to_hub(
    model: ModuleEmbedder,
    repo_id: str,
    results: Sequence[ProtocolResult] = (),
    metadata: ModelMetadata | None = None,
    text: CardText | None = None,
    public: bool = False,
) -> str:
    """Write the folder and upload it; returns the address of the commit.

    Args:
        model: the network.
        repo_id: see :func:`push_folder`.
        results: of ``lrfr evaluate``, see :func:`~lrfr_lightning.protocols.read_results`.
        metadata: what the file says; by default what network and results do.
        text: what no file knows, for the card.
        public: see :func:`push_folder`.

    Raises:
        ConfigError: the extra is not installed.
        DataError: the Hub refuses, or cannot be reached.
    """
    metadata = metadata or describe_model(model.backbone, model.name, results=results)
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "model"
        save_folder(model, folder, metadata, check_faces(None, CHECKED), results, text, repo_id)
        return push_folder(folder, repo_id, public)


def from_pretrained(source: str, revision: str | None = None) -> ModuleEmbedder:
    """The model of a folder or a repository; ``.backbone`` is its network.

    Args:
        source: a folder of :func:`save_folder`, or ``owner/name`` on the Hub.
        revision: branch, tag or commit of the repository; by default ``main``.

    Raises:
        ConfigError: a revision of a folder; the extra is not installed.
        DataError: nothing is there, or it cannot be read.
    """
    local = Path(source).is_dir()
    if local and revision:
        raise ConfigError(f"{source} is a folder, which has no revision {revision!r}")
    address = f"{source}@{revision}" if revision else source
    model = open_model(source if local else HUB_PREFIX + address)
    assert isinstance(model, ModuleEmbedder)
    return model
