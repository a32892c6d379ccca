"""Weights on disk: safetensors with their configuration inside, read strictly, never pickled."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mien.errors import MienError


def save(path: Path, modules: dict[str, nn.Module], settings: dict[str, Any]) -> None:
    """Write the parameters and buffers of named modules, with `settings`, in one atomic file."""
    tensors = {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    save_tensors(path, tensors, settings)


def load(path: Path, modules: dict[str, nn.Module]) -> dict[str, Any]:
    """Fill the named modules from `path`, strictly, and return the settings saved with them."""
    tensors, settings = load_tensors(path)
    for name, module in modules.items():
        own = {k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(name + ".")}
        try:
            module.load_state_dict(own, strict=True)
        except RuntimeError as error:
            raise MienError(f"{path} does not fit {name}: {error}") from error
    return settings


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings saved with the weights, without reading these."""
    return load_tensors(path, only_settings=True)[1]


def save_tensors(path: Path, tensors: dict[str, Tensor], settings: dict[str, Any]) -> None:
    """Write tensors and settings to a temporary name, then rename."""
    temporary = path.with_name(path.name + ".part")
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    save_file(plain, temporary, metadata={"settings": json.dumps(settings)})
    temporary.replace(path)


def load_tensors(
    path: Path, *, only_settings: bool = False
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Inverse of `save_tensors`; MienError where the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            settings = json.loads((file.metadata() or {})["settings"])
            names = [] if only_settings else file.keys()
            return {name: file.get_tensor(name) for name in names}, settings
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise MienError(f"cannot read the weights in {path}: {error}") from error


def optimizer_to_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Flatten the optimizer's moments to named tensors."""
    return {
        f"{index}.{key}": torch.as_tensor(value)
        for index, moments in optimizer.state_dict()["state"].items()
        for key, value in moments.items()
    }


def tensors_to_optimizer(tensors: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> None:
    """Inverse of `optimizer_to_tensors`; the optimizer has the same parameters in the same order."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
