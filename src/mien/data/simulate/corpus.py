"""A corpus of simulated clips: each sentence by one actor, under several expressions.

A job that was killed goes on where it stopped. The folder may hold clips of other origin too.
"""

import dataclasses
import json
import math
import os
import re
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

import mien
from mien import audio
from mien.config import read_json
from mien.data.clips import Clip, Corpus, CorpusWriter
from mien.data.phones import AlignmentError
from mien.data.simulate import cast, espeak, neural, pauses, sentences, speech
from mien.data.simulate.actor import perform
from mien.data.simulate.cast import ACTORS
from mien.data.simulate.delivery import deliver
from mien.data.simulate.plan import Plan, Take, takes
from mien.data.simulate.prominence import prominence
from mien.data.simulate.speech import Utterance, Voice
from mien.errors import MienError
from mien.face import Face
from mien.jobs import each

SETTINGS, LOST = "corpus.json", "lost.txt"
"""Beside the manifest: how the clips are made, and the ids of takes that no aligner understands."""

OWN_ID = re.compile(r"\d{7}-\d+")
"""The ids of simulated clips; clips of other origin are called otherwise."""

OTHER_RATES = (1.0, 0.94, 1.06, 0.88)
"""A sentence whose phones the aligner loses is spoken again at the take's rate times these."""


def simulate(
    folder: Path | str,
    *,
    minutes: float = 60.0,
    seed: int = 0,
    fps: float = audio.FPS,
    prosody: str | None = None,
    face: Face | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: bool = True,
) -> Corpus:
    """Make clips in `folder` until they last `minutes`, and return the corpus.

    `prosody` is "independent" of the expression or "confounded" with it; None is that of the
    corpus in the folder, or independent. Clips that are there already stay, and those of other
    origin count nothing. `jobs` and `scheduler`: how many make clips at once (`mien.jobs.each`);
    the corpus is the same for any number. MienError where a speech program is missing, where
    `minutes` is not positive and finite, where the folder cannot be written or holds a corpus of
    another plan.
    """
    if not 0 < minutes * 60 < math.inf:
        raise MienError(f"minutes is {minutes:g}; a corpus needs more than 0, 60 is usual")
    plan = Plan(seed=seed, fps=audio.check_fps(fps), prosody=prosody or _prosody_in(Path(folder)))
    writer = CorpusWriter(folder)
    _keep_settings(writer, plan, face or Face.load())
    lost = writer.folder / LOST
    known = dict.fromkeys(lost.read_text().split() if lost.exists() else (), 0.0)
    known |= {record.id: record.seconds for record in writer.records}
    new = (take for take in takes(plan) if take.id not in known)
    clips = each(_Maker(plan, face), new, jobs=jobs, scheduler=scheduler)
    made = 0.0
    with tqdm(total=round(minutes * 60), unit="s", desc="simulate", disable=not progress) as bar:
        for take in takes(plan):
            if take.id in known:
                made += known[take.id]
            elif clip := next(clips):
                writer.add(clip)
                made += clip.seconds
            else:
                with lost.open("a") as file:
                    file.write(f"{take.id}\n")
            bar.update(min(round(made), bar.total) - bar.n)
            # Whole sentences only: a lone clip has nothing to cross with.
            if made >= minutes * 60 and take.id.endswith(f"-{plan.takes - 1}"):
                return Corpus(folder)
    raise AssertionError("takes never end")


@dataclasses.dataclass(frozen=True)
class _Maker:
    """Makes the clips of a plan, in whatever process; each loads the head that ships once."""

    plan: Plan
    face: Face | None
    """None: the head that ships"""

    def __call__(self, take: Take) -> Clip | None:
        return make_clip(take, self.plan, self.face or _shipped_face())


@cache
def _shipped_face() -> Face:
    return Face.load()


def make_clip(take: Take, plan: Plan, face: Face) -> Clip | None:
    """Speak and perform one take; None where no phone times fit the sound, at any rate tried."""
    said = _spoken(take)
    if said is None:
        return None
    spoken, voice = said
    frames = audio.frame_count(len(spoken.speech), plan.fps)
    performance = perform(
        spoken.phones,
        frames,
        fps=plan.fps,
        state=take.expression,
        level=take.level,
        style=take.style,
        seed=take.seed,
        face=face,
        prominence=prominence(spoken.speech, spoken.phones),
        stop=take.fades and take.fades * frames / plan.fps,
    )
    return Clip(
        **_description(take, voice, plan),
        frames=frames,
        steady=performance.steady,
        speech=spoken.speech,
        weights=performance.weights,
        phones=spoken.phones,
        envelope=performance.envelope,
    )


def _spoken(take: Take) -> tuple[Utterance, Voice] | None:
    """Return the take's speech with its pauses, and the voice with the rate that it came out at."""
    if take.sentence_id >= sentences.SILENCE_ID:
        return pauses.silence(take.after), take.voice
    said = speak(sentences.sentence(take.sentence_id), take.voice)
    if said is None:
        return None
    spoken, voice = said
    loud = deliver(spoken.speech, loudness=voice.loudness, dynamics=voice.dynamics)
    random = np.random.default_rng([take.seed, 5])
    spoken = pauses.lengthen(dataclasses.replace(spoken, speech=loud), take.inner, random)
    spoken = pauses.pad(spoken, take.before, take.after)
    return (pauses.breathe(spoken, random) if take.breath else spoken), voice


def speak(text: str, voice: Voice) -> tuple[Utterance, Voice] | None:
    """Speak with the program that has the voice, at the first rate whose phone times fit.

    Returns the voice with that rate too; None where they fit at no rate that is tried.
    """
    say = {"flite": speech.say, "hibari": neural.say, "espeak-ng": espeak.say}
    for factor in OTHER_RATES:
        tried = dataclasses.replace(voice, rate=round(voice.rate * factor, 3))
        try:
            return say[cast.program(voice.name)](text, tried), tried
        except AlignmentError:
            continue
    return None


def _description(take: Take, voice: Voice, plan: Plan) -> dict:
    """Return what the record says of a take, all but its lengths."""
    return {
        "id": take.id,
        "sentence": sentences.sentence(take.sentence_id),
        "sentence_id": take.sentence_id,
        "actor": take.actor.name,
        "voice": voice.name,
        "rate": voice.rate,
        "emotion": take.emotion,
        "level": take.level,
        "descriptions": list(take.descriptions),
        "fps": plan.fps,
        "split": sentences.split(take.sentence_id),
        "provenance": {
            "simulated_by": f"mien {mien.__version__}",
            "prosody": plan.prosody,
            "pitch": voice.pitch,
            "span": voice.span,
            "loudness": voice.loudness,
            "dynamics": voice.dynamics,
            "tract": voice.tract,
            "style": dataclasses.asdict(take.style),
            "pauses": [take.before, take.inner, take.after],
            "expression": take.expression.weights if take.descriptions else None,
            "seed": take.seed,
        },
    }


def _prosody_in(folder: Path) -> str:
    """Return the prosody of the corpus in the folder, or that of a new one."""
    path = folder / SETTINGS
    return str(read_json(path).get("prosody", Plan.prosody)) if path.is_file() else Plan.prosody


def _keep_settings(writer: CorpusWriter, plan: Plan, face: Face) -> None:
    """Write corpus.json, or refuse to add to a corpus that was made otherwise."""
    path = writer.folder / SETTINGS
    actors = [actor.name for actor in ACTORS]
    settings = {**dataclasses.asdict(plan), "face": face.fingerprint, "actors": actors}
    if path.exists():
        if read_json(path) != settings:
            raise MienError(
                f"{path} is of a corpus made with another seed, plan, cast or face; "
                "give a new folder"
            )
        return
    if any(OWN_ID.fullmatch(record.id) for record in writer.records):
        raise MienError(
            f"{writer.folder} holds simulated clips and no {SETTINGS}; give a new folder"
        )
    part = path.with_suffix(".part")
    part.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)
