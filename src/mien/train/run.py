"""A run folder: all stages from a recipe and a corpus to a pack, explaining itself as it goes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import mien
from mien.config import read_json, to_dict
from mien.data.again import Again
from mien.data.batches import Batches
from mien.data.clips import Corpus
from mien.data.demanded import Demanded
from mien.data.hearing import hear
from mien.data.known import sample_known
from mien.data.pairs import Quads, Settings
from mien.data.wordings import Wordings
from mien.errors import MienError
from mien.face import Face
from mien.features import SpeechEncoder, TextEncoder
from mien.model import checkpoint
from mien.model.pack import write_pack
from mien.train.demands import WEIGHTS as DEMANDS_WEIGHTS
from mien.train.demands import load_demands, train_demands
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


def train_run(recipe: Recipe, corpus: Corpus, folder: Path) -> Path:
    """Train all stages into `folder` and write its pack; call again to resume after a kill.

    Returns the path of the pack. Raises MienError where the folder holds another recipe's run.
    """
    _explain(recipe, corpus, folder)
    face = Face.load()
    speech_encoder, text_encoder = SpeechEncoder.load(), TextEncoder.load()
    quads = {
        split: Quads.from_corpus(corpus, face, settings=Settings(split), progress=True)
        for split in ("train", "validation")
    }
    again = Again.of(corpus.clips("train"), face) if recipe.corpus.again else None
    if not (folder / STAGE1_WEIGHTS).exists():
        scale = global_scale(quads["train"])
        train_stage1(
            recipe,
            face,
            quads["train"],
            quads["validation"],
            scale=scale,
            folder=folder,
            again=again,
        )
    tuning = _tuning(recipe, text_encoder, folder)
    reader = text_encoder.tuned(tuning) if tuning else text_encoder
    unread, untrained = (not (folder / name).exists() for name in (READING_WEIGHTS, STAGE2_WEIGHTS))
    if unread or untrained:
        composed = {"train": recipe.corpus.composed, "validation": 0}
        wordings = {
            split: Wordings(reader, face, split=split, composed=count, progress=True)
            for split, count in composed.items()
        }
    if unread:
        train_reading(recipe, face, wordings["train"], wordings["validation"], folder=folder)
    heard = hear(corpus, speech_encoder, phases=recipe.corpus.phases, seed=recipe.corpus.seed)
    if not (folder / DEMANDS_WEIGHTS).exists():
        said = [Demanded(corpus, heard, face, split=split) for split in ("train", "validation")]
        if all(said):
            train_demands(recipe, *said, folder=folder)
    if untrained:
        reach, anew = recipe.model.speech_reach, {"train": recipe.corpus.again, "validation": 0.0}
        batches = {
            split: Batches(
                corpus,
                heard,
                face,
                known,
                split=split,
                reach=reach,
                again=again,
                anew=anew[split],
            )
            for split, known in wordings.items()
        }
        train_stage2(
            recipe, face, batches["train"], quads["train"], batches["validation"], folder=folder
        )
    trainee = load_trained(recipe, face, folder)
    path = folder / f"{recipe.name}.mien"
    about = {
        "name": recipe.name,
        "face": face.fingerprint,
        "speech_encoder": speech_encoder.name,
        "text_encoder": text_encoder.name,
        "provenance": {"run": json.loads((folder / "run.json").read_text())},
    }
    known = sample_known(text_encoder, progress=True)
    demands = load_demands(recipe, folder)
    write_pack(path, trainee.step, demands, about, known=known, tuning=tuning)
    return path


def _tuning(recipe: Recipe, encoder: TextEncoder, folder: Path) -> dict[str, np.ndarray] | None:
    """What tunes the text encoder: trained, or of this run; None where the recipe asks for none."""
    if not recipe.tuning.steps:
        return None
    if (folder / TUNING_WEIGHTS).exists():
        return load_tuning(recipe, encoder, folder)
    return train_tuning(recipe, encoder, folder=folder)


def load_trained(recipe: Recipe, face: Face, folder: Path) -> Trainee:
    """The networks of a finished run."""
    trainee = Trainee(recipe, face, folder=folder)
    modules = {"audio2con": trainee.audio2con, "text2exp": trainee.text2exp}
    checkpoint.load(folder / STAGE2_WEIGHTS, modules)
    return trainee


def global_scale(quads: Quads) -> float:
    """Root mean square of the coefficients, metres: the one scale they are divided by."""
    sample = quads.batch(np.random.default_rng(0), 256, 16)
    return float(np.sqrt(np.mean(np.square(sample))))


def _explain(recipe: Recipe, corpus: Corpus, folder: Path) -> None:
    """Write recipe.json once, and into run.json each start; refuse a folder of another recipe.

    The uncommitted changes at start number N are in diff-N.patch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values, recipe_file, run_file = to_dict(recipe), folder / "recipe.json", folder / "run.json"
    if recipe_file.exists():
        if read_json(recipe_file) != json.loads(json.dumps(values)):
            raise MienError(f"{folder} holds a run of another recipe; name a new folder")
    else:
        recipe_file.write_text(json.dumps(values, indent=1))
    starts = read_json(run_file)["starts"] if run_file.exists() else []
    start = {"command": sys.argv[1:], "mien": mien.__version__, "commit": _git("rev-parse", "HEAD")}
    run: dict[str, Any] = {
        "starts": [*starts, start],
        "corpus": {
            "clips": len(corpus.records),
            "minutes": round(corpus.seconds / 60, 2),
            "actors": sorted({record.actor for record in corpus.records}),
            "fps": sorted({record.fps for record in corpus.records}),
        },
    }
    (folder / f"diff-{len(starts)}.patch").write_text(_git("diff", "HEAD"))
    run_file.write_text(json.dumps(run, indent=1))


def _git(*arguments: str) -> str:
    """Output of git in the source tree; empty where there is none."""
    place = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=place, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
