"""The pack as a file: what a trained model needs to run, checked before it is used.

A pack is one zip file (stored, not compressed): pack.json, step.onnx and text.onnx.
`mien.model.pack` makes the graphs, `mien.animator` runs them; reading and writing need no PyTorch.
"""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from mien.config import from_dict, to_dict
from mien.errors import MienError

FORMAT = 1
CARD, STEP, TEXT = "pack.json", "step.onnx", "text.onnx"
MAX_MEMBER = 200_000_000
"""bytes of a graph: a larger one is no pack of ours"""


@dataclass(frozen=True)
class Card:
    """What the graphs are, what they go with, and where they come from."""

    name: str
    """What the pack is called."""
    face: str
    """Fingerprint of the face whose coefficients come out."""
    speech_encoder: str
    """Name of the encoder whose speech_features go in."""
    text_encoder: str
    """Name of the encoder whose tokens go in."""
    provenance: dict
    """The run that trained it."""
    reach: int
    """Speech frames that a step sees before and after its own."""
    coefficients: int
    """Coefficients K of a frame."""
    speech_size: int
    """Channels of speech_features."""
    text_features: tuple[int, ...]
    """Shape of text_features: latents, channels."""
    state: tuple[int, ...]
    """Shape of what Audio2Con and Text2Exp remember."""
    decoder_state: tuple[int, ...]
    """Shape of what D remembers."""


@dataclass(frozen=True, eq=False)
class Pack:
    """A trained model."""

    card: Card
    step: bytes
    """ONNX graph of one frame."""
    text: bytes
    """ONNX graph of tokens -> text_features."""

    @classmethod
    def read(cls, path: Path | str | None = None) -> "Pack":
        """Read a pack file (default: ours); MienError where it is missing, damaged or too new."""
        path = Path(path or str(resources.files("mien") / "assets" / "default.mien"))
        if not path.is_file():
            raise MienError(f"there is no pack at {path}; give the path of a .mien file")
        try:
            with zipfile.ZipFile(path) as file:
                values = json.loads(_member(file, CARD))
                if (form := values.pop("format")) == FORMAT:
                    return _unpacked(file, values)
        except Exception as error:  # of the zip, the JSON or a key: all mean the same to the user
            raise MienError(f"{path} is damaged or is no pack ({error}); get it anew") from error
        raise MienError(
            f"{path} is a pack of format {form}, and this version of Mien reads format {FORMAT}; "
            "install the version that the pack was made for"
        )

    def write(self, path: Path) -> None:
        """Write the pack to a temporary name, then rename; inverse of `read`."""
        graphs = {STEP: self.step, TEXT: self.text}
        values: dict[str, Any] = {"format": FORMAT, **to_dict(self.card)}
        values["sha256"] = {name: _sum(graph) for name, graph in graphs.items()}
        temporary = path.with_name(path.name + ".part")
        with zipfile.ZipFile(temporary, "w") as file:
            file.writestr(CARD, json.dumps(values, indent=1))
            for name, graph in graphs.items():
                file.writestr(name, graph)
        temporary.replace(path)


def _unpacked(file: zipfile.ZipFile, values: dict[str, Any]) -> Pack:
    """The Pack of an open file and its card's values; any error if a piece is missing or wrong."""
    sums = values.pop("sha256")
    graphs = {name: _member(file, name) for name in (STEP, TEXT)}
    for name, graph in graphs.items():
        if sums[name] != _sum(graph):
            raise ValueError(f"{name} has another sha256 than the card says")
    return Pack(from_dict(Card, values), graphs[STEP], graphs[TEXT])


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > MAX_MEMBER:
        raise ValueError(f"{name} is too large")
    return file.read(name)


def _sum(graph: bytes) -> str:
    return hashlib.sha256(graph).hexdigest()
