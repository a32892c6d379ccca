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
    save_tensors(path, modules_to_tensors(modules), settings)


def load(path: Path, modules: dict[str, nn.Module]) -> dict[str, Any]:
    """Fill the named modules from `path`, strictly, and return the settings saved with them."""
    tensors, settings = load_tensors(path)
    for name, module in modules.items():
        try:
            module.load_state_dict(with_prefix(tensors, name), strict=True)
        except RuntimeError as error:
            raise MienError(f"{path} does not fit {name}: {error}") from error
    return settings


def modules_to_tensors(modules: dict[str, nn.Module]) -> dict[str, Tensor]:
    """Parameters and buffers of named modules, as name.key."""
    return {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }


def with_prefix(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Those tensors called name.key, as key; undoes `modules_to_tensors` for one module."""
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}


def save_tensors(path: Path, tensors: dict[str, Tensor], settings: dict[str, Any]) -> None:
    """Write tensors and settings to a temporary name, then rename."""
    temporary = path.with_name(path.name + ".part")
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    save_file(plain, temporary, metadata={"settings": json.dumps(settings)})
    temporary.replace(path)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Inverse of `save_tensors`; MienError where the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            settings = json.loads((file.metadata() or {})["settings"])
            return {name: file.get_tensor(name) for name in file.keys()}, settings  # noqa: SIM118
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
    """Inverse of `optimizer_to_tensors`, for an optimizer of the same parameters in order."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
