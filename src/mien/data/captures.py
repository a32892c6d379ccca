"""What all captured performances share: cut into clips, and crossed with simulated expressions.

A capture is one long take of a real actor: sound and weights. It is cut at quiet moments, and each
cut becomes several clips that say the same: one as captured, the others acted by the simulated
actor's expressions on top of the captured mouth. So captures have crossing pairs too, and what was
captured and what was added stands in each clip's provenance.
"""

import dataclasses
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

import mien
from mien import audio, lips
from mien.data.clips import Clip, CorpusWriter, Phone
from mien.data.phones import align_phones
from mien.data.simulate import demands
from mien.data.simulate.actor import act
from mien.data.simulate.articulation import VOWEL_FLOOR, Content
from mien.data.simulate.expressions import STATES
from mien.data.steady import steady
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

CAPTURE_ID = 2_000_000
"""sentence_id of the first capture; simulated sentences and silences lie below."""

SHORTEST, LONGEST = 3.0, 8.0
"""Seconds of a cut. What the face was seen in for less than SHORTEST is one cut, down to LEAST."""

LEAST = 1.0
"""Seconds; shorter stretches between two moments without a face are left out."""

VALIDATION_EVERY = 20
"""One cut in so many is for validation."""

MILLIMETRE_COSTS = 2.0
"""A cut is made where it is quiet; an open mouth counts as so many dB a millimetre."""

SHUT, PARTED = 1.0e-3, 2.0e-3
"""Metres: at SHUT and below the captured lips are in contact; from PARTED on they are not."""

PRESSING = 0.1
"""Lips in contact that are rolled in or pressed by so much are shut on purpose, not at rest."""

QUIET = 30.0
"""dB below the loud moments of a capture from which on nothing is said."""

REST = 0.2
"""Seconds; shut lips that long, in quiet, are at rest; at the ends of a capture any time."""

LEAVING = 0.16
"""Seconds over which the mouth goes from rest to speech and back."""

LEVELS, LEVEL_SHARES = (1 / 3, 2 / 3, 1.0, 1.25), (0.2, 0.3, 0.4, 0.1)
"""Levels of the simulated expressions, and how often each is drawn."""


@dataclass(frozen=True, eq=False)
class Capture:
    """A real actor's performance, its T frames at moments t / fps of its sound."""

    name: str
    """the clips' ids begin with it, e.g. facegood-1114_2_01"""
    speech: np.ndarray
    """(S,) float32 in [-1, 1], 16 kHz, as long as the frames"""
    weights: np.ndarray
    """(T, 52) in [0, 1]; the actor's own neutral is 0"""
    fps: float
    labiodental: np.ndarray
    """(T,) in [0, 1]: how much the lower lip lies on the upper teeth; 0 where nobody knows"""
    seen: np.ndarray
    """(T,) bool: whether anything was captured in this frame"""
    actor: str
    sentence: str = ""
    """the words, where they are known; then the capture is not cut"""
    phones: list[Phone] = field(default_factory=list)
    """of the sentence, covering the speech; empty where nobody knows them"""
    emotion: str = "neutral"
    """a state's name; only neutral captures are crossed with others"""
    level: float = 0.0
    split: str | None = None
    """None: training, and one cut in VALIDATION_EVERY for validation"""
    provenance: dict[str, Any] = field(default_factory=dict)
    """where it comes from; `source`, a digest of the files, tells captures of one name apart"""


@dataclass(frozen=True)
class Added:
    """What `add` did."""

    clips: int
    """written now"""
    there: int
    """there before"""
    seconds: float
    """length of the clips written now"""
    unseen: float
    """seconds of the captures that are left out, because no face was seen for long enough"""

    def __add__(self, other: "Added") -> "Added":
        mine, others = vars(self), vars(other)
        return Added(**{name: mine[name] + others[name] for name in mine})


def add(
    writer: CorpusWriter,
    capture: Capture,
    face: Face,
    *,
    takes: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> Added:
    """Write the clips of a capture, `takes` of each cut; clips that are there already stay.

    MienError where the corpus holds another capture of the same name.
    """
    _check_source(writer, capture)
    levels = loudness(capture.speech, len(capture.weights), capture.fps)
    content = capture_to_content(capture, levels, face)
    spans = cuts(capture, levels, face)
    there = clips = frames = 0
    for number, (start, stop) in enumerate(tqdm(spans, capture.name, disable=not progress)):
        stem = f"{capture.name}-{number:03d}"
        whole = spans == [(0, len(capture.weights))]
        sentence = capture.sentence if whole and capture.sentence else f"[{stem}]"
        about = {
            "sentence": sentence,
            "sentence_id": _sentence_id(writer, stem, sentence),
            "split": capture.split or _split(number),
            "phones": capture.phones if whole else [],
        }
        for take in _takes(capture, stem, takes, seed):
            if take.id in writer.done:
                there += 1
                continue
            part = _part(content, start, stop)
            writer.add(_clip(take, about, capture, part, start, face))
            clips, frames = clips + 1, frames + stop - start
    covered = sum(stop - start for start, stop in spans)
    unseen = (len(capture.weights) - covered) / capture.fps
    return Added(clips, there, frames / capture.fps, unseen)


def with_words(capture: Capture, sentence: str) -> Capture:
    """Return the capture with the English words said in it, their phones, and so its f and v.

    Trackers see an f as shut lips; only the words tell them apart.
    """
    phones = align_phones(capture.speech, sentence)
    times = audio.frame_times(len(capture.weights), capture.fps)
    bitten = demands.labiodental(phones, times)
    return dataclasses.replace(capture, sentence=sentence, phones=phones, labiodental=bitten)


def loudness(speech: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """Return the loudness (frames,) in dB below full scale, of 50 ms around each frame's moment."""
    reach = audio.seconds_to_samples(0.025)
    power = np.concatenate([[0.0], np.cumsum(np.asarray(speech, np.float64) ** 2)])
    middle = np.round(audio.frame_times(frames, fps) * audio.SPEECH_RATE).astype(int)
    first, last = (np.clip(middle + side, 0, len(speech)) for side in (-reach, reach))
    mean = (power[last] - power[first]) / np.maximum(last - first, 1)
    return 10 * np.log10(np.maximum(mean, 1e-10))


def cuts(capture: Capture, levels: np.ndarray, face: Face) -> list[tuple[int, int]]:
    """Return (start, stop) frames of the cuts: SHORTEST to LONGEST, ending at quiet moments.

    levels (T,) dB. Frames without a face are in no cut; a capture whose words are known stays
    whole where its face was seen throughout.
    """
    gap = lips.gap_of(face.limit(capture.weights), face)
    cost = _smooth(levels, 0.2 * capture.fps) + MILLIMETRE_COSTS * 1e3 * np.maximum(gap, 0.0)
    spans = []
    for start, stop in _runs(capture.seen):
        if stop - start < LEAST * capture.fps:
            continue
        known = capture.sentence and capture.seen.all()
        spans += [(start, stop)] if known else _cut(cost, start, stop, capture.fps)
    return spans


def _cut(cost: np.ndarray, start: int, stop: int, fps: float) -> list[tuple[int, int]]:
    """Return the cuts of one stretch, each at the cheapest frame within reach."""
    shortest, longest = round(SHORTEST * fps), round(LONGEST * fps)
    spans = []
    while stop - start > longest:
        first, last = start + shortest, min(start + longest, stop - shortest)
        end = first + int(np.argmin(cost[first : last + 1]))
        spans.append((start, end))
        start = end
    return [*spans, (start, stop)]


def capture_to_content(capture: Capture, levels: np.ndarray, face: Face) -> Content:
    """Return what the captured mouth says, as the simulated actor takes it.

    levels (T,) dB. Lips that the capture has in contact are a demand, so that no expression opens
    them; but not where they only rest, so that an expression may part them as it does in silence.
    """
    weights = np.clip(np.asarray(capture.weights, np.float64), 0.0, 1.0)
    gap = lips.gap_of(face.limit(weights), face)
    shut = np.clip((PARTED - gap) / (PARTED - SHUT), 0.0, 1.0)
    resting = _resting(gap, levels, capture.fps)
    purpose = np.where(resting, np.clip(_pressing(weights) / PRESSING, 0.0, 1.0), 1.0)
    return Content(
        weights=weights,
        closure=shut * purpose * (1 - capture.labiodental),
        labiodental=capture.labiodental,
        floor=VOWEL_FLOOR * np.maximum(gap - PARTED, 0.0),
        speaking=1 - _inside(resting, LEAVING * capture.fps),
    )


def _resting(gap: np.ndarray, levels: np.ndarray, fps: float) -> np.ndarray:
    """Return where (T,) the lips rest: in contact and quiet for REST or longer.

    A rest goes on for up to two frames while the lips are not parted: sound begins a little before
    they part, and a closure demanded there would shut a mouth that an expression holds open.
    """
    quiet = levels < np.percentile(levels, 99) - QUIET
    resting = np.zeros(len(gap), bool)
    for start, stop in _runs((gap <= SHUT) & quiet):
        if stop - start >= REST * fps or start == 0 or stop == len(gap):
            resting[max(start - 2, 0) : stop + 2] = True
    return resting & (gap < PARTED)


def _pressing(weights: np.ndarray) -> np.ndarray:
    """Return how much (T,) the lips are rolled in or pressed."""
    of = UNIT_NAMES.index
    rolled = np.minimum(weights[:, of("mouthRollLower")], weights[:, of("mouthRollUpper")])
    pressed = weights[:, [of("mouthPressLeft"), of("mouthPressRight")]].mean(axis=1)
    return np.maximum(rolled, pressed)


@dataclass(frozen=True)
class _Take:
    id: str
    emotion: str
    level: float
    state: str  # the simulated expression; neutral at level 0 where all is the actor's own
    amount: float
    seed: int

    @property
    def own(self) -> bool:
        return not self.amount


def _takes(capture: Capture, stem: str, takes: int, seed: int) -> list[_Take]:
    """Return the takes of a cut: as captured, and, if that is neutral, under other expressions."""
    made = [_Take(f"{stem}-0", capture.emotion, round(capture.level, 4), "neutral", 0.0, 0)]
    if capture.emotion != "neutral":
        return made
    random = np.random.default_rng([seed, zlib.crc32(stem.encode())])
    others = [name for name in STATES if name != "neutral"]
    for name in random.choice(others, min(takes - 1, len(others)), replace=False):
        level = round(float(random.choice(LEVELS, p=LEVEL_SHARES)), 4)
        drawn = int(random.integers(2**31))
        made.append(_Take(f"{stem}-{len(made)}", str(name), level, str(name), level, drawn))
    return made


def _clip(
    take: _Take, about: dict[str, Any], capture: Capture, content: Content, start: int, face: Face
) -> Clip:
    """Make a take of the cut that begins with frame `start` of the capture."""
    fps, frames = capture.fps, len(content.weights)
    state = STATES[take.state]
    done = act(content, fps=fps, state=state, level=take.amount, seed=take.seed, face=face)
    first = audio.seconds_to_samples(audio.frame_to_seconds(start, fps))
    samples = audio.sample_count(frames, fps)
    speech = capture.speech[first : first + samples]
    crossed = {"state": take.state, "level": take.amount, "seed": take.seed}
    return Clip(
        **about,
        id=take.id,
        actor=capture.actor,
        voice=capture.actor,
        rate=1.0,
        emotion=take.emotion,
        level=take.level,
        fps=fps,
        frames=frames,
        steady=steady(done.weights, fps, face) if take.own else done.steady,
        provenance={
            "captured_from": {**capture.provenance, "frames": [start, start + frames]},
            "made_by": f"mien {mien.__version__}",
            "crossed_with": None if take.own else crossed,
        },
        speech=np.pad(speech, (0, samples - len(speech))).astype(np.float32),
        weights=done.weights,
        envelope=None if take.own else done.envelope,
    )


def _part(content: Content, start: int, stop: int) -> Content:
    return Content(**{name: values[start:stop] for name, values in vars(content).items()})


def _split(number: int) -> str:
    return "validation" if number % VALIDATION_EVERY == VALIDATION_EVERY // 2 else "train"


def _sentence_id(writer: CorpusWriter, stem: str, sentence: str) -> int:
    """Return the id of clips of the same cut or words, else the next free one."""
    captured = [r for r in writer.records if r.sentence_id >= CAPTURE_ID]
    for record in captured:
        if record.id.rpartition("-")[0] == stem or record.sentence == sentence:
            return record.sentence_id
    return max((record.sentence_id for record in captured), default=CAPTURE_ID - 1) + 1


def _check_source(writer: CorpusWriter, capture: Capture) -> None:
    """MienError where clips of this name come from other files, or were prepared otherwise."""
    wanted = json.loads(json.dumps(capture.provenance))
    played = capture.actor, capture.emotion, round(capture.level, 4)
    for record in writer.records:
        if record.id.rsplit("-", 2)[0] != capture.name:
            continue
        known = dict(record.provenance.get("captured_from", {}))
        known.pop("frames", None)
        if known.get("source") != wanted.get("source"):
            raise MienError(
                f"{writer.folder} already has clips of another {capture.name!r}; rename the file "
                "or give a new folder"
            )
        own = record.id.endswith("-0")  # the take as captured; the others play something else
        if known != wanted or (own and (record.actor, record.emotion, record.level) != played):
            raise MienError(
                f"{writer.folder} has {capture.name!r} prepared with other options; "
                "give a new folder"
            )


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return (start, stop) of each stretch of True in flags (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _inside(flags: np.ndarray, frames: float) -> np.ndarray:
    """Return 0 outside of stretches of True (T,), and inside rising to 1 over so many frames."""
    return np.clip(2 * _smooth(flags.astype(float), 2 * frames) - 1, 0.0, 1.0)


def _smooth(values: np.ndarray, frames: float) -> np.ndarray:
    """Return the mean (T,) over a window of so many frames, the ends held."""
    reach = max(round(frames / 2), 0)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, np.ones(2 * reach + 1) / (2 * reach + 1), mode="valid")
