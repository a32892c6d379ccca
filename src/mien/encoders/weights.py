"""Loads a frozen network of `transformers` from a folder, the hub's cache or the hub; sums it up.

Only weights are read: no code of a model's repository is run, and a .bin file goes through
PyTorch's restricted unpickler. Nothing may be missing: `transformers` itself would draw at random
what it does not find.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import MienError


@dataclass(frozen=True)
class Pretrained:
    """A kind of network."""

    what: str
    """said in messages"""
    hub: str
    """the usual one"""
    kinds: tuple[str, ...]
    """`model_type` of the configurations that are of this kind"""
    unused: tuple[str, ...] = ()
    """parameters that only training uses; published weights may lack them"""


def source_of(pretrained: Pretrained, path: Path | str | None) -> str:
    """Return where `transformers` shall look: a folder, or a hub id.

    Raises MienError where the folder does not exist or holds no model of this kind.
    """
    if path is None:
        return pretrained.hub
    folder = Path(path)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise MienError(
                f"{folder} holds no config.json; give the folder of a {pretrained.what}, as "
                f"`save_pretrained` or a download of {pretrained.hub} makes it"
            )
        return str(folder)
    if isinstance(path, str) and path.count("/") == 1 and path[0] not in "./~":
        return path
    raise MienError(f"{path} does not exist; give the folder of a {pretrained.what} or its hub id")


def load(pretrained: Pretrained, network: str, source: str) -> Any:
    """Return the network (a class's name in `transformers`) of a source, frozen, in float32.

    Raises MienError where it is missing, incomplete, or of another kind.
    """
    transformers = library()
    found = read(pretrained, source, transformers.PretrainedConfig.get_config_dict)[0]
    if (kind := found.get("model_type")) not in pretrained.kinds:
        raise MienError(
            f"{source} is a model of type {kind!r}; a {pretrained.what} is wanted, such as "
            f"{pretrained.hub}"
        )
    import torch

    model, report = read(
        pretrained,
        source,
        getattr(transformers, network).from_pretrained,
        dtype=torch.float32,
        output_loading_info=True,
    )
    missing = {name.rpartition(".")[2] for name in report["missing_keys"]}
    if missing - set(pretrained.unused) or report["mismatched_keys"]:
        raise MienError(
            f"{source} lacks {len(report['missing_keys']) + len(report['mismatched_keys'])} "
            f"parameters of a {pretrained.what}; get it anew"
        )
    model.requires_grad_(False).eval()
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def read(pretrained: Pretrained, source: str, reader: Any, **options: Any) -> Any:
    """Call a `from_pretrained` quietly; the hub is asked for what is not in its cache."""
    try:
        with quiet():
            return reader(source, local_files_only=True, **options)
    except Exception as error:  # damaged files, wrong sizes, none: no common base
        if Path(source).is_dir():
            raise MienError(
                f"the {pretrained.what} in {source} cannot be loaded ({_first_line(error)}); "
                f"get it anew, or give another folder of a {pretrained.what}"
            ) from error
    try:
        with quiet(bars=True):  # of what is fetched
            return reader(source, **options)
    except Exception as error:  # no network, no such model
        raise MienError(
            f"the {pretrained.what} {source} is not in the hub's cache and cannot be fetched "
            f"({_first_line(error)}); where there is a network run `hf download {source}`, or "
            "give the folder of its files"
        ) from error


def library() -> Any:
    """Return `transformers`; MienError where it or PyTorch is not installed."""
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise MienError(
            f"{error.name} is not installed; install it with: pip install 'mien[paper]'"
        ) from error
    return transformers


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".:")


@contextlib.contextmanager
def quiet(*, bars: bool = False) -> Iterator[None]:
    """Silence `transformers` and the hub, but for progress bars where they are wanted.

    What goes wrong is raised, and said once.
    """
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    loggers = [(one, one.get_verbosity()) for one in (logging, hub_logging)]
    hidden = logging.is_progress_bar_enabled() and not bars
    for one, _ in loggers:
        one.set_verbosity_error()
    if hidden:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        for one, level in loggers:
            one.set_verbosity(level)
        if hidden:
            logging.enable_progress_bar()


def sum_of(pretrained: Pretrained, model: Any, facts: Iterable[object]) -> str:
    """Return a sum of the parameters' values and of `facts`, 12 hexadecimal digits.

    The parameters' names do not count (versions of `transformers` call them otherwise), nor those
    that are unused.
    """
    sums = sorted(
        _digest(values)
        for name, values in model.named_parameters()
        if name.rpartition(".")[2] not in pretrained.unused
    )
    digest = hashlib.sha256(json.dumps([sums, *facts]).encode())
    return digest.hexdigest()[:12]


def _digest(parameter: Any) -> str:
    values = np.ascontiguousarray(parameter.detach().cpu().numpy())
    digest = hashlib.sha256(repr(values.shape).encode())
    digest.update(values.data)
    return digest.hexdigest()
