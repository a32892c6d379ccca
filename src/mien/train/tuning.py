"""Tuning: the text encoder learns what words say of a face, as a small difference of its weights.

Two heads, thrown away afterwards, ask its tokens for the state that a wording of the bank means and
for the unit weights that a composed description means. See `mien.tuning` for what is kept.
"""

from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.data.simulate.bank import Bank
from mien.data.simulate.compositions import compositions
from mien.data.simulate.expressions import STATES, composed
from mien.face import UNIT_NAMES
from mien.features import TextEncoder
from mien.model import checkpoint
from mien.model.minilm import Differences, MiniLM
from mien.train.loop import Stage, keep, train
from mien.train.recipe import Recipe

WEIGHTS = "tuning.safetensors"

COMPOSED = 0.75
"""Composed descriptions for each wording of the bank in an update."""
QUERIES = 4
"""Tokens of a composed description are pooled by so many questions."""
SHARPNESS = 16.0
"""Length of the mean of tokens that the naming head sees."""
SMOOTHING = 0.1
"""Label smoothing of the naming head: some wordings mean two states."""
DROPOUT = 0.1


class Heads(nn.Module):
    """What is asked of the tokens while they are tuned."""

    def __init__(self, width: int):
        super().__init__()
        self.queries = nn.Parameter(torch.randn(QUERIES, width) * 0.5)
        self.units = nn.Linear(QUERIES * width, len(UNIT_NAMES))
        self.names = nn.Linear(width, len(STATES))
        self.dropout = nn.Dropout(DROPOUT)

    def name(self, tokens: Tensor, padding: Tensor) -> Tensor:
        """tokens (B, L, C) -> logits (B, states)."""
        mean = padding.exp()[:, None] @ tokens
        return self.names(self.dropout(SHARPNESS * F.normalize(mean[:, 0], dim=-1)))

    def weigh(self, tokens: Tensor, padding: Tensor) -> Tensor:
        """tokens (B, L, C) -> weights of units (B, U)."""
        score = self.queries @ tokens.transpose(1, 2) * tokens.shape[-1] ** -0.5
        picked = (score + padding[:, None]).softmax(-1) @ tokens
        return self.units(self.dropout(picked.flatten(1)))


class Texts:
    """Descriptions as word pieces, each with what it means; batches are of like lengths."""

    def __init__(self, ids: list[list[int]], wanted: np.ndarray):
        """wanted: (N, …), in the order of `ids`."""
        self._ids, self.wanted = ids, wanted
        self._lengths = np.array([len(one) for one in ids])

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """ids (B, L), padding (B, L) of 0 or -inf, and what they mean (B, …)."""
        order = np.argsort(self._lengths + 2 * rng.random(len(self._lengths)))
        size = min(size, len(order))
        first = int(rng.integers(len(order) - size + 1))
        return self.read(order[first : first + size])

    def read(self, places: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """The same for given places."""
        longest = int(self._lengths[places].max())
        ids = torch.zeros(len(places), longest, dtype=torch.long)
        padding = torch.full((len(places), longest), -torch.inf)
        for row, place in enumerate(places):
            length = int(self._lengths[place])
            ids[row, :length] = torch.tensor(self._ids[place])
            padding[row, :length] = 0.0
        return ids, padding, torch.as_tensor(self.wanted[places])


def bank_texts(encoder: TextEncoder, split: str) -> Texts:
    """The bank's wordings of a split with the places of their states."""
    bank = Bank.load()
    said = [
        (encoder.ids(wording.text), place)
        for place, state in enumerate(STATES)
        for wording in bank.descriptions(state, split)
    ]
    return Texts([ids for ids, _ in said], np.array([place for _, place in said]))


def composed_texts(encoder: TextEncoder, split: str, count: int) -> Texts:
    """Descriptions of the grammar with their unit weights at level 1."""
    random = np.random.default_rng([count, 19])
    drawn = list(islice(compositions(random, split), count))
    weights = [composed(d.weights, name=d.kind).weights_at(1.0, UNIT_NAMES) for d in drawn]
    return Texts([encoder.ids(d.text) for d in drawn], np.stack(weights))


def train_tuning(recipe: Recipe, encoder: TextEncoder, *, folder: Path) -> dict[str, np.ndarray]:
    """Train the differences, write folder/tuning.safetensors and return them; resumes by itself."""
    settings = recipe.tuning
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(settings.seed)
    model = MiniLM(encoder.model, device)
    differences = Differences(model.sizes, recipe.model.text_rank).to(device)
    heads = Heads(recipe.model.text_size).to(device)
    named = {split: bank_texts(encoder, split) for split in ("train", "validation")}
    weighed = composed_texts(encoder, "train", recipe.corpus.composed)
    scale = float(np.mean(np.square(weighed.wanted)))

    def tokens(drawn: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        ids, padding, wanted = (x.to(device) for x in drawn)
        with torch.autocast(device, torch.bfloat16, enabled=settings.half):
            return model(ids, padding, differences).float(), padding, wanted

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        said, padding, state = tokens(named["train"].draw(rng, settings.batch))
        name = F.cross_entropy(heads.name(said, padding), state, label_smoothing=SMOOTHING)
        said, padding, weights = tokens(weighed.draw(rng, round(COMPOSED * settings.batch)))
        wrong = (heads.weigh(said, padding) - weights).square().mean() / scale
        return {"naming": name, "reading": wrong}

    def evaluate() -> dict[str, float]:
        places = np.arange(len(named["validation"].wanted))
        right = []
        for some in np.array_split(places, max(1, len(places) // 128)):
            said, padding, state = tokens(named["validation"].read(some))
            right.append((heads.name(said, padding).argmax(-1) == state).float())
        return {"named_rightly": torch.cat(right).mean().item()}

    modules = {"differences": differences, "heads": heads}
    stage = Stage("tuning", modules, losses, evaluate, settings, recipe.losses)
    train(stage, folder)
    keep(stage, folder / WEIGHTS, {})
    return differences.arrays()


def load_tuning(recipe: Recipe, encoder: TextEncoder, folder: Path) -> dict[str, np.ndarray]:
    """The differences of a run that has made them."""
    differences = Differences(MiniLM(encoder.model, "cpu").sizes, recipe.model.text_rank)
    checkpoint.load(folder / WEIGHTS, {"differences": differences})
    return differences.arrays()
