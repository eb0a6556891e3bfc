"""Models from the Hugging Face Hub. Needs the extra ``hub``."""

from pathlib import Path
from typing import Any

from lrfr_lightning.utils.errors import ConfigError, DataError

HUB_PREFIX = "hub:"
"""``hub:REPO_ID`` or ``hub:REPO_ID@REVISION`` stands in the place of a model file."""

WEIGHTS_FILE = "model.safetensors"
"""The one file of a repository (or folder) that a model is read from."""


def fetch(repo_id: str, revision: str | None = None) -> Path:
    """Download a repository's model file, once; later it comes from the Hub's own cache.

    Args:
        repo_id: ``owner/name``.
        revision: branch, tag or commit; by default ``main``.

    Raises:
        ConfigError: the extra is not installed.
        DataError: no such repository, revision or model in it, or the Hub cannot be reached.
    """
    hub = import_hub()
    where = f"{repo_id}@{revision}" if revision else repo_id
    try:
        return Path(hub.hf_hub_download(repo_id, WEIGHTS_FILE, revision=revision))
    except Exception as error:
        raise hub_error(error, f"cannot fetch {WEIGHTS_FILE} of {where} from the Hub") from error


def parse_address(address: str) -> tuple[str, str | None]:
    """``hub:REPO_ID@REVISION`` → repository and revision.

    >>> parse_address("hub:me/faces@v1"), parse_address("hub:me/faces")
    (('me/faces', 'v1'), ('me/faces', None))
    """
    repo_id, _, revision = address.removeprefix(HUB_PREFIX).partition("@")
    return repo_id, revision or None


def import_hub() -> Any:
    """The package ``huggingface_hub``.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import huggingface_hub
    except ImportError:
        raise ConfigError(
            "the Hugging Face Hub needs huggingface_hub: pip install 'lrfr_lightning[hub]'"
        ) from None
    return huggingface_hub


def hub_error(error: Exception, what: str) -> DataError:
    """An error of the Hub's client in one line, and what to look at."""
    from huggingface_hub import constants

    reason = next((line for line in str(error).splitlines() if line.strip()), "")
    return DataError(
        f"{what} ({type(error).__name__}: {reason}); check name, revision, network and, of a "
        f"private repository, the token (hf auth login); asked {constants.ENDPOINT}"
    )
