"""A run folder: all stages from a recipe and a corpus to a pack, explaining itself as it goes."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.again import Again
from mien.data.batches import Batches
from mien.data.clips import Corpus
from mien.data.demanded import Demanded
from mien.data.hearing import hear
from mien.data.known import index_of, sample_known
from mien.data.pairs import Quads, Settings
from mien.data.wordings import LabelWordings, Wordings
from mien.encoders import speech_encoder, text_encoder
from mien.errors import MienError
from mien.face import Face
from mien.features import HearsSpeech, ReadsText, TextEncoder
from mien.model import checkpoint
from mien.model.pack import write_pack
from mien.packfile import NEAREST, Known
from mien.train import processes
from mien.train.demands import WEIGHTS as DEMANDS_WEIGHTS
from mien.train.demands import load_demands, train_demands
from mien.train.explained import RUN, explain, settle
from mien.train.fitting import described_in, fitted, held_out_split, label_texts
from mien.train.reading import WEIGHTS as READING_WEIGHTS
from mien.train.reading import train_reading
from mien.train.recipe import Recipe
from mien.train.stage1 import WEIGHTS as STAGE1_WEIGHTS
from mien.train.stage1 import train_stage1
from mien.train.stage2 import WEIGHTS as STAGE2_WEIGHTS
from mien.train.stage2 import train_stage2
from mien.train.trainee import Trainee
from mien.train.tuning import WEIGHTS as TUNING_WEIGHTS
from mien.train.tuning import load_tuning, train_tuning

ENCODED = "encoded"
"""Folder in the corpus where encoders keep what they made, by content."""

SCALE_FRAMES = 16
"""Frames of the quads whose size is the global scale, or those of stage 1 where they are fewer."""

MOST_KNOWN = 1200
"""Texts in a pack by which a description is found to be far from all that it knows."""


def train_run(recipe: Recipe, corpus: Corpus, folder: Path) -> Path:
    """Train all stages into `folder` and write its pack; call again to resume after a kill.

    Under torchrun every process runs this, on one folder and one corpus (`processes`); the first
    writes. Returns the path of the pack. Raises MienError where the folder holds another recipe's
    run, and where a stage cannot be trained on this corpus.
    """
    processes.join()
    with processes.first():
        settle(recipe, folder)
    ears, reader = _encoders(recipe, corpus)
    recipe = fitted(recipe, corpus, speech_size=ears.size, text_size=reader.size)
    if processes.leads():
        explain(recipe, corpus, folder)
    recipe = processes.share(recipe)
    face, held_out = corpus.face, held_out_split(corpus)
    with processes.first():
        quads = Quads.from_corpus(corpus, face, settings=Settings("train"), progress=True)
    again = Again.of(corpus.clips("train"), face) if recipe.corpus.again else None
    if _missing(folder / STAGE1_WEIGHTS):
        with processes.first():
            unseen = _held_out_quads(corpus, face, held_out)
        scale = global_scale(quads, min(SCALE_FRAMES, recipe.stage1.frames))
        train_stage1(recipe, face, quads, unseen, scale=scale, folder=folder, again=again)
    tuning = _tuning(recipe, reader, folder)
    tuned = reader.tuned(tuning) if tuning else reader
    unread = recipe.reading.steps and _missing(folder / READING_WEIGHTS)
    untrained = _missing(folder / STAGE2_WEIGHTS)
    wordings = _wordings(recipe, corpus, tuned, held_out) if unread or untrained else {}
    if unread:
        known, unknown = wordings["train"], wordings["held_out"]
        assert isinstance(known, Wordings), "fitted refuses a stage `reading` without the bank"
        assert isinstance(unknown, Wordings)
        train_reading(recipe, face, known, unknown, folder=folder)
    with processes.first():
        heard = hear(corpus, ears, phases=recipe.corpus.phases, seed=recipe.corpus.seed)
    if recipe.demands.steps and _missing(folder / DEMANDS_WEIGHTS):
        said = [Demanded(corpus, heard, face, split=split) for split in ("train", held_out)]
        if all(said):
            train_demands(recipe, *said, folder=folder)
    if untrained:
        reach, actors = recipe.model.speech_reach, recipe.model.actors
        batches = Batches(
            corpus,
            heard,
            face,
            wordings["train"],
            split="train",
            reach=reach,
            again=again,
            anew=recipe.corpus.again,
            actors=actors,
        )
        told = wordings["held_out"]
        unseen = Batches(corpus, heard, face, told, split=held_out, reach=reach, actors=actors)
        train_stage2(recipe, face, batches, quads, unseen, folder=folder)
    path = folder / f"{recipe.name}.mien"
    if processes.leads():
        about = {"speech_encoder": ears.name, "text_encoder": reader.name}
        known = _known(recipe, corpus, reader, held_out)
        _write(path, recipe, face, about, known=known, tuning=tuning)
    return path


def _write(
    path: Path,
    recipe: Recipe,
    face: Face,
    about: dict[str, Any],
    *,
    known: Known | None,
    tuning: Mapping[str, np.ndarray] | None,
) -> None:
    """Write the pack of a finished run beside its weights."""
    provenance = {
        "run": json.loads((path.parent / RUN).read_text()),
        "encoders": asdict(recipe.encoders),
    }
    about |= {"name": recipe.name, "face": face.fingerprint, "provenance": provenance}
    trainee, demands = load_trained(recipe, face, path.parent), load_demands(recipe, path.parent)
    write_pack(path, trainee.step, demands, about, known=known, tuning=tuning)


def load_trained(recipe: Recipe, face: Face, folder: Path) -> Trainee:
    """The networks of a finished run, by its fitted recipe."""
    trainee = Trainee(recipe, face, folder=folder)
    modules = {"audio2con": trainee.audio2con, "text2exp": trainee.text2exp}
    checkpoint.load(folder / STAGE2_WEIGHTS, modules)
    return trainee


def global_scale(quads: Quads, frames: int = SCALE_FRAMES) -> float:
    """Root mean square of the coefficients, metres: the one scale they are divided by.

    Taken over 256 quads of so many frames.
    """
    sample = quads.batch(np.random.default_rng(0), 256, frames)
    return float(np.sqrt(np.mean(np.square(sample))))


def _missing(path: Path) -> bool:
    """Whether a stage's weights are still to be made: one answer for all processes."""
    return not processes.agreed(path.exists())


def _encoders(recipe: Recipe, corpus: Corpus) -> tuple[HearsSpeech, ReadsText]:
    """The encoders that the recipe names; what the slow ones make is kept beside the corpus."""
    names, cache = recipe.encoders, corpus.folder / ENCODED
    return (
        speech_encoder(names.speech, names.speech_path, cache=cache),
        text_encoder(names.text, names.text_path, cache=cache),
    )


def _held_out_quads(corpus: Corpus, face: Face, split: str) -> Quads | None:
    """The quads of the held-out split; None where too few clips are held out to cross."""
    try:
        return Quads.from_corpus(corpus, face, settings=Settings(split), progress=True)
    except MienError:  # damaged clips are found by the batches of the same split
        return None


def _tuning(recipe: Recipe, encoder: ReadsText, folder: Path) -> dict[str, np.ndarray] | None:
    """What tunes the text encoder: trained, or of this run; None where the recipe asks for none."""
    if not recipe.tuning.steps:
        return None
    assert isinstance(encoder, TextEncoder), "fitted refuses to tune other encoders"
    if _missing(folder / TUNING_WEIGHTS):
        return train_tuning(recipe, encoder, folder=folder)
    return load_tuning(recipe, encoder, folder)


def _wordings(
    recipe: Recipe, corpus: Corpus, encoder: ReadsText, held_out: str
) -> Mapping[str, LabelWordings]:
    """What describes clips, for `train` and `held_out`: the bank's wordings or the corpus's own."""
    if not recipe.corpus.bank:
        texts = {"train": label_texts(corpus, "train"), "held_out": label_texts(corpus, held_out)}
        return {name: LabelWordings(encoder, of, progress=True) for name, of in texts.items()}
    composed = {"train": ("train", recipe.corpus.composed), "held_out": ("validation", 0)}
    return {
        name: Wordings(encoder, corpus.face, split=split, composed=count, progress=True)
        for name, (split, count) in composed.items()
    }


def _known(recipe: Recipe, corpus: Corpus, encoder: ReadsText, held_out: str) -> Known | None:
    """What the pack was trained to read; None where that is too little to tell what is far."""
    if recipe.corpus.bank:
        return sample_known(encoder, progress=True)
    of_labels = [text for of in label_texts(corpus, "train").values() for text, _ in of]
    texts = list(dict.fromkeys(of_labels + described_in(corpus, "train")))
    random = np.random.default_rng([recipe.corpus.seed, 29])
    if len(texts) > MOST_KNOWN:
        texts = [texts[place] for place in random.permutation(len(texts))[:MOST_KNOWN]]
    unseen = described_in(corpus, held_out)[:MOST_KNOWN]
    return index_of(texts, unseen or texts, encoder) if len(texts) >= NEAREST else None
