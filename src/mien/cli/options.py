"""What the verbs share: how options are read, and how a missing extra is named."""

import argparse
import importlib
import math
from pathlib import Path
from types import ModuleType
from typing import Any

from mien.errors import MienError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; status 2 is argparse's own."""

    late: str | None = None
    """The positional argument that may be left out, and may stand behind options too."""

    def parse_known_args(  # type: ignore[override]
        self, args: Any = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Find `late` behind options as well, which not every Python's argparse does."""
        found, left = super().parse_known_args(args, namespace)
        if self.late and left and getattr(found, self.late) is None and left[0][:1] != "-":
            setattr(found, self.late, left.pop(0))
        return found, left

    def error(self, message: str) -> None:  # type: ignore[override]
        raise MienError(f"{message}; see: {self.prog} --help")


def number(text: str) -> float:
    """A number; for argparse."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def positive(text: str) -> float:
    """A finite number above 0; for argparse."""
    if not 0 < number(text) < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return float(text)


def whole(text: str) -> int:
    """A whole number from 0 on; for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def several(text: str) -> int:
    """A whole number from 1 on; for argparse."""
    if whole(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def add_pack(verb: argparse.ArgumentParser) -> None:
    """Add --pack."""
    verb.add_argument("--pack", type=Path, help="a trained pack (.mien) instead of the default")


def add_face(verb: argparse.ArgumentParser, what: str) -> None:
    """Add --face; `what` says what it is for. `mien.faces.read` reads it."""
    verb.add_argument(
        "--face",
        type=Path,
        metavar="FILE",
        help=f"{what}: .glb or .gltf with ARKit's shapes, FLAME's .pkl or .npz, a face.npz, "
        "or ICT-FaceKit's folder",
    )


def add_jobs(
    verb: argparse.ArgumentParser, *, jobs: int = 1, what: str = "processes that work"
) -> None:
    """Add --jobs, by default `jobs` of `what`, and --dask, for `mien.jobs.each`."""
    verb.add_argument(
        "--jobs", type=several, default=jobs, metavar="N", help=f"{what}; default {jobs}"
    )
    verb.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="a Dask scheduler whose workers work instead, or `local` for a cluster here",
    )


def extra(module: str, name: str = "train") -> ModuleType:
    """Import a module that needs the extra `name`; MienError says how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MienError(
            f"{error.name} is not installed; install it with: pip install 'mien[{name}]'"
        ) from error
