"""Recipe: everything that a training run needs to know, as a file."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mien.config import from_dict, merged, read_json
from mien.errors import MienError
from mien.model.losses import LossScales
from mien.model.settings import ModelSettings


@dataclass(frozen=True)
class CorpusSettings:
    """The corpus: simulated, or one that is there, and what is made of it."""

    minutes: float = 60.0
    """Length of all clips together; 0: none are simulated, the corpus is there."""
    seed: int = 0
    """Seed of everything that is drawn."""
    composed: int = 8000
    """Descriptions that the grammar makes for training."""
    again: float = 0.0
    """Share of quads and crops whose sentence is performed again under a new expression."""
    phases: int = 4
    """Versions of each clip's speech_features: other window positions, room, noise and gain."""
    bank: bool = True
    """Whether clips are described by the bank's wordings of their state; False: by their own and
    their label's alone, as `mien describe` wrote them."""
    actors: bool = False
    """Whether the model tells the actors of the training split apart."""


@dataclass(frozen=True)
class EncoderSettings:
    """The frozen encoders, by the names that packs record."""

    speech: str = "whisper"
    """whisper or wav2vec2."""
    text: str = "minilm"
    """minilm or clip."""
    speech_path: str | None = None
    """Folder of the speech encoder's weights; None: the installed package or the cache."""
    text_path: str | None = None
    """Folder of the text encoder's weights; None likewise."""


@dataclass(frozen=True)
class StageSettings:
    """One stage's optimisation: AdamW, which without decay of weights is Adam."""

    steps: int = 1000
    """Updates; 0 leaves out tuning, reading and demands."""
    epochs: float = 0.0
    """Instead of `steps`, for both stages of the paper: an epoch draws as many frames as the
    training clips have."""
    batch: int = 32
    """Quads (stage 1), wordings (reading) or crops of clips (stage 2) in an update."""
    frames: int = 72
    """Length of a crop; a reading has none."""
    learning_rate: float = 1e-3
    """Highest learning rate."""
    warmup: int = 200
    """Updates until it is reached."""
    decay: bool = True
    """Whether it then falls, by half a cosine, to zero at the last update."""
    weight_decay: float = 0.01
    """Decoupled weight decay."""
    epsilon: float = 1e-8
    """Adam's eps."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    half: bool = False
    """Read, and run stage 2, in bfloat16, save D where the losses are taken: faster with AMX."""
    checkpoint_every: int = 250
    """Updates between checkpoints."""
    evaluate_every: int = 500
    """Updates between evaluations."""
    seed: int = 0
    """Seed of the parameters and of the batches."""


@dataclass(frozen=True)
class PastSettings:
    """What stage 2 shows as the past, so that running free stays near the truth."""

    dropped: float = 0.25
    """Share of crops whose past is hidden."""
    own: float = 0.6
    """Share of crops whose past is what the model itself makes of them with its past hidden."""
    noise: float = 0.2
    """Largest standard deviation of the noise on the past, in units of the global scale."""
    start: float = 0.25
    """Share of crops that begin with the clip, whose past is the template."""
    switch: float = 0.3
    """Share of updates in which every description changes in mid-crop."""
    lagging: float = 0.6
    """Share of these crops whose past turns later than the description: a face that waits for
    itself to turn never does."""


@dataclass(frozen=True)
class Recipe:
    """A training run from the corpus to the pack."""

    name: str = "default"
    """Name of the recipe and of its pack."""
    corpus: CorpusSettings = field(default_factory=CorpusSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    encoders: EncoderSettings = field(default_factory=EncoderSettings)
    losses: LossScales = field(default_factory=LossScales)
    stage1: StageSettings = field(default_factory=StageSettings)
    tuning: StageSettings = field(default_factory=StageSettings)
    reading: StageSettings = field(default_factory=StageSettings)
    demands: StageSettings = field(default_factory=StageSettings)
    stage2: StageSettings = field(default_factory=StageSettings)
    past: PastSettings = field(default_factory=PastSettings)


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe file; its key `base` names another recipe that it changes.

    Raises MienError for a missing file, an unknown setting or recipes that base on each other.
    """
    return from_dict(Recipe, _resolved(Path(path), depth=0))


STAGES = ("stage1", "tuning", "reading", "demands", "stage2")


def with_epochs(recipe: Recipe, frames: int) -> Recipe:
    """The recipe with `steps` for `epochs`, where the training clips have so many frames.

    A crop of stage 1 is four pieces of a quad.
    """
    changes = {}
    for name, pieces in (("stage1", 4), ("stage2", 1)):
        stage: StageSettings = getattr(recipe, name)
        if stage.epochs:
            steps = math.ceil(stage.epochs * frames / (pieces * stage.batch * stage.frames))
            changes[name] = replace(stage, steps=steps, epochs=0.0)
    return replace(recipe, **changes)


def tried(recipe: Recipe, updates: int) -> Recipe:
    """The recipe with at most so many updates in each stage: whether it runs at all."""
    changes = {}
    for name in STAGES:
        stage: StageSettings = getattr(recipe, name)
        if stage.epochs or stage.steps > updates:
            changes[name] = replace(stage, steps=updates, epochs=0.0)
    return replace(recipe, **changes)


def _resolved(path: Path, depth: int) -> dict[str, Any]:
    if depth > 8:
        raise MienError(f"{path} and the recipes below it base on each other")
    values = read_json(path)
    base = values.pop("base", None)
    if base is None:
        return values
    return merged(_resolved(path.parent / f"{base}.json", depth + 1), values)
