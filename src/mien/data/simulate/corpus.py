"""A corpus of simulated clips: each sentence by one actor, under several expressions.

Every clip is a function of the seed and its place, so a job that was killed goes on where it
stopped, and a longer corpus of the same seed begins with the shorter one. Rate and pitch are drawn
independently of the expression (see `speech`).
"""

import dataclasses
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

import mien
from mien import audio
from mien.config import read_json
from mien.data.clips import Clip, Corpus, CorpusWriter
from mien.data.simulate import neural, sentences, speech
from mien.data.simulate.actor import perform
from mien.data.simulate.articulation import Style
from mien.data.simulate.expressions import STATES
from mien.data.simulate.speech import Utterance, Voice
from mien.errors import MienError
from mien.face import Face

SETTINGS = "corpus.json"


@dataclass(frozen=True)
class Actor:
    """A simulated actor: a voice and a way of speaking, the same in all clips."""

    name: str
    voice: str
    """flite's voice, or `neural.NAME`"""
    tract: float
    """stretches the spectrum (see `speech.Voice`)"""
    style: Style


# The styles stay near 1: they cannot be heard, so a model could only guess at larger ones.
ACTORS = (
    Actor("ada", "slt", 1.00, Style(jaw=1.00, lips=1.00, effort=1.00)),
    Actor("bea", "slt", 1.08, Style(jaw=0.94, lips=1.06, effort=1.00)),
    Actor("cleo", "slt", 0.93, Style(jaw=1.06, lips=0.96, effort=1.00)),
    Actor("dan", "awb", 1.00, Style(jaw=0.96, lips=1.00, effort=1.05)),
    Actor("eric", "awb", 0.92, Style(jaw=1.05, lips=1.04, effort=0.96)),
    Actor("fay", "awb", 1.16, Style(jaw=1.00, lips=1.06, effort=1.00)),
    Actor("gus", "rms", 1.00, Style(jaw=1.04, lips=0.96, effort=1.00)),
    Actor("hal", "rms", 0.93, Style(jaw=0.96, lips=1.04, effort=0.96)),
    Actor("ivy", "rms", 1.18, Style(jaw=1.00, lips=1.00, effort=1.05)),
    Actor("jon", "kal16", 1.00, Style(jaw=1.00, lips=1.05, effort=1.00)),
    Actor("kit", "kal16", 1.10, Style(jaw=1.06, lips=1.00, effort=0.95)),
    Actor("lea", neural.NAME, 1.00, Style(jaw=1.00, lips=1.00, effort=1.00)),
    Actor("mia", neural.NAME, 1.08, Style(jaw=1.04, lips=0.97, effort=1.02)),
    Actor("nia", neural.NAME, 0.94, Style(jaw=0.96, lips=1.03, effort=1.00)),
    Actor("oda", neural.NAME, 1.00, Style(jaw=1.03, lips=1.03, effort=0.98)),
    Actor("pat", neural.NAME, 0.86, Style(jaw=1.00, lips=0.98, effort=1.03)),
)


@dataclass(frozen=True)
class Plan:
    """What is drawn for a corpus; kept beside it as corpus.json."""

    seed: int = 0
    """seed of everything"""
    fps: float = audio.FPS
    """frames per second of the clips"""
    takes: int = 4
    """clips of each sentence, each under another expression"""
    neutral: float = 0.1
    """share of the clips that are neutral"""
    beyond: float = 0.1
    """share of the clips whose level lies between 1 and 1.5"""
    paused: float = 0.06
    """share of the clips that begin or end with 0.5 to 1.5 s of silence"""
    silent_every: int = 12
    """one in so many sentences says nothing: a still mouth under each expression"""


@dataclass(frozen=True)
class Take:
    """One clip to be made."""

    id: str
    sentence_id: int
    actor: Actor
    voice: Voice
    emotion: str
    level: float
    before: float
    """seconds of silence put before the speech"""
    after: float
    """seconds of silence put after it; all of the clip's length where nothing is said"""
    seed: int


def simulate(
    folder: Path | str,
    *,
    minutes: float = 60.0,
    seed: int = 0,
    fps: float = audio.FPS,
    face: Face | None = None,
    progress: bool = True,
) -> Corpus:
    """Make clips in `folder` until they last `minutes`, and return the corpus.

    Clips that are there already stay. MienError where flite is missing, where `minutes` is not
    positive, where the folder cannot be written or holds a corpus of another plan.
    """
    if not minutes > 0:
        raise MienError(f"minutes is {minutes:g}; a corpus needs more than 0, 60 is usual")
    plan = Plan(seed=seed, fps=audio.check_fps(fps))
    face = face or Face.load()
    writer = CorpusWriter(folder)
    _keep_settings(writer, plan, face)
    seconds = {record.id: record.seconds for record in writer.records}
    made = 0.0
    with tqdm(total=round(minutes * 60), unit="s", desc="simulate", disable=not progress) as bar:
        for take in takes(plan):
            if take.id not in seconds:
                clip = make_clip(take, plan, face)
                writer.add(clip)
                seconds[take.id] = clip.seconds
            made += seconds[take.id]
            bar.update(min(round(made), bar.total) - bar.n)
            # Whole sentences only: a lone clip has nothing to cross with.
            if made >= minutes * 60 and take.id.endswith(f"-{plan.takes - 1}"):
                return Corpus(folder)
    raise AssertionError("takes never end")


def takes(plan: Plan) -> Iterator[Take]:
    """Yield all clips of a plan, without end, in the order in which they are made."""
    for place in itertools.count():
        random = np.random.default_rng([plan.seed, 3, place])
        silent = place % plan.silent_every == plan.silent_every - 1
        spoken = place - place // plan.silent_every
        sentence_id = sentences.drawn(spoken, plan.seed)
        if silent:
            sentence_id = sentences.SILENCE_ID + place // plan.silent_every
        actor = ACTORS[int(random.integers(len(ACTORS)))]
        rates = random.uniform(0.8, 1.0), random.uniform(1.05, 1.3)
        still = random.uniform(2.0, 4.0) if silent else 0.0
        for number, emotion in enumerate(_emotions(plan, random)):
            voice = Voice(
                name=actor.voice,
                rate=round(rates[number % 2], 3),
                pitch=round(random.uniform(0.85, 1.2), 3),
                tract=actor.tract,
            )
            before, after = _pauses(plan, random)
            yield Take(
                id=f"{sentence_id:07d}-{number}",
                sentence_id=sentence_id,
                actor=actor,
                voice=voice,
                emotion=emotion,
                level=_level(emotion, plan, random),
                before=0.0 if silent else before,
                after=still or after,
                seed=int(random.integers(2**31)),
            )


def make_clip(take: Take, plan: Plan, face: Face) -> Clip:
    """Speak and perform one take."""
    spoken = _speak(take)
    frames = audio.frame_count(len(spoken.speech), plan.fps)
    performance = perform(
        spoken.phones,
        frames,
        fps=plan.fps,
        state=STATES[take.emotion],
        level=take.level,
        style=take.actor.style,
        seed=take.seed,
        face=face,
    )
    return Clip(
        **_description(take, plan),
        frames=frames,
        steady=performance.steady,
        speech=spoken.speech,
        weights=performance.weights,
        phones=spoken.phones,
    )


def _speak(take: Take) -> Utterance:
    if take.sentence_id >= sentences.SILENCE_ID:
        return speech.silence(take.after)
    say = neural.say if take.voice.name == neural.NAME else speech.say
    spoken = say(sentences.sentence(take.sentence_id), take.voice)
    return speech.pad(spoken, take.before, take.after)


def _description(take: Take, plan: Plan) -> dict:
    """Return what the record says of a take, all but its lengths."""
    return {
        "id": take.id,
        "sentence": sentences.sentence(take.sentence_id),
        "sentence_id": take.sentence_id,
        "actor": take.actor.name,
        "voice": take.voice.name,
        "rate": take.voice.rate,
        "emotion": take.emotion,
        "level": take.level,
        "fps": plan.fps,
        "split": sentences.split(take.sentence_id),
        "provenance": {
            "simulated_by": f"mien {mien.__version__}",
            "pitch": take.voice.pitch,
            "tract": take.voice.tract,
            "style": dataclasses.asdict(take.actor.style),
            "seed": take.seed,
        },
    }


def _emotions(plan: Plan, random: np.random.Generator) -> list[str]:
    """Draw the expressions of a sentence, all different; one may be neutral."""
    names = [name for name in STATES if name != "neutral"]
    drawn = [str(name) for name in random.choice(names, plan.takes, replace=False)]
    if random.random() < plan.neutral * plan.takes:
        drawn[int(random.integers(plan.takes))] = "neutral"
    return drawn


def _level(emotion: str, plan: Plan, random: np.random.Generator) -> float:
    """Draw a level: MEAD's three, the full one most often, sometimes beyond it; neutral has 0."""
    beyond, level = random.uniform(1.0, 1.5), random.choice([1 / 3, 2 / 3, 1.0], p=[0.2, 0.3, 0.5])
    if emotion == "neutral":
        return 0.0
    return round(float(beyond if random.random() < plan.beyond else level), 4)


def _pauses(plan: Plan, random: np.random.Generator) -> tuple[float, float]:
    """Draw seconds of silence before and after; mostly none, never on both sides."""
    seconds, chance = round(random.uniform(0.5, 1.5), 3), random.random()
    first, second = chance < plan.paused / 2, plan.paused / 2 <= chance < plan.paused
    return (seconds if first else 0.0), (seconds if second else 0.0)


def _keep_settings(writer: CorpusWriter, plan: Plan, face: Face) -> None:
    """Write corpus.json, or refuse to add to a corpus that was made otherwise."""
    path = writer.folder / SETTINGS
    settings = {**dataclasses.asdict(plan), "face": face.fingerprint}
    if path.exists():
        if read_json(path) != settings:
            raise MienError(
                f"{path} is of a corpus made with another seed, plan or face; give a new folder"
            )
        return
    if writer.records:
        raise MienError(f"{writer.folder} holds clips that were not simulated; give a new folder")
    part = path.with_suffix(".part")
    part.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)
