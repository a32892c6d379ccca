"""The pack as a file: what a trained model needs to run, checked before it is used.

A pack is one zip file (stored, not compressed): pack.json, step.onnx, text.onnx, and demands.onnx
where it hears what speech demands of the lips, known.json and known.npy where it carries the
wordings that it knows, tuning.npz where it tunes the text encoder.
`mien.model.pack` makes the graphs, `mien.animator` runs them; reading and writing need no PyTorch.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from mien.config import from_dict, to_dict
from mien.errors import MienError

FORMAT = 4
FORMATS = (1, 2, 3, FORMAT)
"""What is read. Packs of format 1 carry no known wordings, those of 1 and 2 hear no demands, and
those up to 3 tell no actors apart."""
CARD, STEP, TEXT, DEMANDS = "pack.json", "step.onnx", "text.onnx", "demands.onnx"
KNOWN_TEXTS, KNOWN = "known.json", "known.npy"
TUNING = "tuning.npz"
MAX_MEMBER = 200_000_000
"""bytes of a member: a larger one is of no pack of ours"""
NEAREST = 5
"""Known wordings whose cosines are averaged: the likest alone may be likest by chance."""


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
    actors: tuple[str, ...] = ()
    """Actors that it tells apart; none: it was trained as if all were one."""

    def actor_shares(self, actor: str | None) -> np.ndarray:
        """(1, A) float32, what a step takes as `actor`: a name's own code, or of None their mean.

        Raises MienError for a name that the pack does not know.
        """
        if actor is None:
            return np.full((1, len(self.actors)), 1 / max(1, len(self.actors)), np.float32)
        if actor not in self.actors:
            known = ", ".join(self.actors) or "none: it was trained as if all were one"
            raise MienError(
                f"the pack {self.name!r} does not know the actor {actor!r}; it knows {known}; "
                "name one of these or none"
            )
        return np.eye(len(self.actors), dtype=np.float32)[[self.actors.index(actor)]]


@dataclass(frozen=True, eq=False)
class Known:
    """Wordings that the pack was trained on: a sample that stands for all of them."""

    texts: tuple[str, ...]
    embeddings: np.ndarray
    """(N, E) float16, rows of length 1: the mean of each text's tokens, brought to that length."""
    familiar: float
    """In [-1, 1]: a description whose `nearness` is less is far from all that the pack knows."""

    def __post_init__(self) -> None:
        """Check that the parts fit each other; raises MienError with what is wrong."""
        shape, kind = self.embeddings.shape, self.embeddings.dtype
        if len(shape) != 2 or shape[0] != len(self.texts) or len(self.texts) < NEAREST:
            raise MienError(f"{len(self.texts)} known wordings have embeddings {shape}")
        if kind != np.float16 or not np.isfinite(self.embeddings).all():
            raise MienError(f"the known wordings' embeddings are damaged or {kind}, not float16")
        if not -1 <= self.familiar <= 1:
            raise MienError(f"the familiar nearness is {self.familiar!r}; it is in [-1, 1]")

    def cosines(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings (..., E) of length 1 -> their cosines (..., N) to the known wordings."""
        return embeddings @ self.embeddings.astype(np.float32).T

    def nearness(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings (..., E) of length 1 -> the mean (...,) of their five greatest cosines."""
        return np.sort(self.cosines(embeddings), axis=-1)[..., -NEAREST:].mean(axis=-1)


@dataclass(frozen=True, eq=False)
class Pack:
    """A trained model."""

    card: Card
    step: bytes
    """ONNX graph of one frame."""
    text: bytes
    """ONNX graph of tokens -> text_features."""
    demands: bytes | None = None
    """ONNX graph of speech_features -> what speech demands of the lips; None: it hears none."""
    known: Known | None = None
    """What it was trained to read; None in older packs."""
    tuning: Mapping[str, np.ndarray] | None = None
    """Differences of the text encoder's weights, for `TextEncoder.tuned`; None: it is as it was."""

    @classmethod
    def read(cls, path: Path | str | None = None) -> "Pack":
        """Read a pack file (default: ours); MienError where it is missing, damaged or too new."""
        path = Path(path or str(resources.files("mien") / "assets" / "default.mien"))
        if not path.is_file():
            raise MienError(f"there is no pack at {path}; give the path of a .mien file")
        try:
            with zipfile.ZipFile(path) as file:
                values = json.loads(_member(file, CARD))
                if (form := values.pop("format")) in FORMATS:
                    return _unpacked(file, values)
        except Exception as error:  # of the zip, the JSON or a key: all mean the same to the user
            raise MienError(f"{path} is damaged or is no pack ({error}); get it anew") from error
        raise MienError(
            f"{path} is a pack of format {form}, and this version of Mien reads up to {FORMAT}; "
            "install the version that the pack was made for"
        )

    def write(self, path: Path) -> None:
        """Write the pack to a temporary name, then rename; inverse of `read`."""
        members = {STEP: self.step, TEXT: self.text}
        values: dict[str, Any] = {"format": FORMAT, **to_dict(self.card)}
        if self.demands:
            members[DEMANDS] = self.demands
        if self.known:
            values["familiar"] = self.known.familiar
            members |= _known_members(self.known)
        if self.tuning:
            members[TUNING] = _tuning_member(self.tuning)
        values["sha256"] = {name: _sum(member) for name, member in members.items()}
        temporary = path.with_name(path.name + ".part")
        with zipfile.ZipFile(temporary, "w") as file:
            file.writestr(CARD, json.dumps(values, indent=1))
            for name, member in members.items():
                file.writestr(name, member)
        temporary.replace(path)


def _unpacked(file: zipfile.ZipFile, values: dict[str, Any]) -> Pack:
    """The Pack of an open file and its card's values; any error if a piece is missing or wrong."""
    sums, familiar = values.pop("sha256"), values.pop("familiar", None)
    names = [STEP, TEXT] if familiar is None else [STEP, TEXT, KNOWN_TEXTS, KNOWN]
    names += [name for name in (DEMANDS, TUNING) if name in sums]
    members = {name: _member(file, name) for name in names}
    for name, member in members.items():
        if sums[name] != _sum(member):
            raise ValueError(f"{name} has another sha256 than the card says")
    card = from_dict(Card, values)
    known = None if familiar is None else _known(members, familiar)
    tuning = _tuning(members[TUNING]) if TUNING in members else None
    return Pack(card, members[STEP], members[TEXT], members.get(DEMANDS), known, tuning)


def _known_members(known: Known) -> dict[str, bytes]:
    """The members of a pack that hold the known wordings; inverse of `_known`."""
    array = io.BytesIO()
    np.save(array, known.embeddings, allow_pickle=False)
    return {KNOWN_TEXTS: json.dumps(known.texts).encode(), KNOWN: array.getvalue()}


def _known(members: dict[str, bytes], familiar: float) -> Known:
    embeddings = np.load(io.BytesIO(members[KNOWN]), allow_pickle=False)
    return Known(tuple(json.loads(members[KNOWN_TEXTS])), embeddings, familiar)


def _tuning_member(tuning: Mapping[str, np.ndarray]) -> bytes:
    """The member of a pack that holds the tuning; inverse of `_tuning`."""
    arrays = io.BytesIO()
    np.savez(arrays, **tuning)  # type: ignore[arg-type]
    return arrays.getvalue()


def _tuning(member: bytes) -> dict[str, np.ndarray]:
    """Read the tuning; ValueError where its arrays are too large, not of numbers or not finite."""
    with zipfile.ZipFile(io.BytesIO(member)) as inner:
        if sum(info.file_size for info in inner.infolist()) > MAX_MEMBER:
            raise ValueError(f"{TUNING} is too large")
    with np.load(io.BytesIO(member), allow_pickle=False) as arrays:
        tuning = dict(arrays)
    for name, values in tuning.items():
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise ValueError(f"{name} of {TUNING} is {values.dtype} or not finite")
    return tuning


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > MAX_MEMBER:
        raise ValueError(f"{name} is too large")
    return file.read(name)


def _sum(member: bytes) -> str:
    return hashlib.sha256(member).hexdigest()
