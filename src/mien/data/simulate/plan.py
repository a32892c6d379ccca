"""What is drawn for a corpus: who says which sentence, how, and under which expression.

Every take is a function of the seed and its place, so a longer corpus of the same seed begins with
the shorter one.
"""

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mien import audio
from mien.data.simulate import cast, expressions, prosody, sentences
from mien.data.simulate.articulation import Style
from mien.data.simulate.cast import Actor
from mien.data.simulate.compositions import compositions
from mien.data.simulate.expressions import STATES, State
from mien.data.simulate.prosody import Prosody
from mien.data.simulate.speech import Voice
from mien.errors import MienError


@dataclass(frozen=True)
class Plan:
    """What is drawn for a corpus; kept beside it as corpus.json."""

    seed: int = 0
    """seed of everything"""
    fps: float = audio.FPS
    """frames per second of the clips"""
    takes: int = 3
    """clips of each sentence, each under another expression"""
    neutral: float = 0.1
    """share of the clips that are neutral"""
    beyond: float = 0.1
    """share of the clips whose level lies between 1 and 1.5"""
    composed: float = 0.3
    """share of the clips whose expression is composed by the grammar: no state of the bank"""
    fading: float = 0.15
    """share of the clips whose expression decays before their end"""
    prosody: str = "independent"
    """`independent` of the expression, or `confounded` with it (see `prosody`)"""
    before: float = 0.15
    """share of the clips that begin with 0.5 to 2 s of silence"""
    after: float = 0.15
    """share of the clips that end with as much, drawn independently"""
    inner: float = 0.3
    """share of the clips whose inner pause, where there is one, is 0.3 to 1 s longer"""
    breath: float = 0.35
    """share of the clips in which a breath is heard, where a pause has room for it"""
    silent_every: int = 12
    """one in so many sentences says nothing: a still mouth under each expression"""
    mumbled: float = 0.05
    """share of the sentences that are mumbled"""
    clear: float = 0.05
    """share of the sentences that are over-articulated"""

    def __post_init__(self) -> None:
        if self.prosody not in prosody.KINDS:
            raise MienError(f"prosody is {self.prosody!r}; use one of {', '.join(prosody.KINDS)}")


@dataclass(frozen=True)
class Manner:
    """How carefully a sentence is spoken, seen and heard alike: factors, and dB."""

    effort: float = 1.0
    rate: float = 1.0
    loudness: float = 0.0
    dynamics: float = 1.0


COMPOSED = "composed"
"""The emotion of clips whose expression is no state of the bank; they carry their description."""

FADES_AT = (0.4, 0.8)
"""Share of a clip's length at which its expression begins to decay, where it does."""

USUAL = Manner()
MUMBLED = Manner(effort=0.7, loudness=-8.0, dynamics=0.75)
CLEAR = Manner(effort=1.25, rate=0.82, loudness=5.0, dynamics=1.2)

UNDERSHOOT = 0.35
"""By how much effort falls when the rate doubles: fast speech does not reach its targets."""

SLOW, FAST = (0.72, 1.0), (1.05, 1.35)
"""Two rates of each sentence are drawn from these, so that its clips must be aligned in time."""


@dataclass(frozen=True)
class Take:
    """One clip to be made."""

    id: str
    sentence_id: int
    actor: Actor
    voice: Voice
    style: Style
    """the actor's, with the effort of this take"""
    emotion: str
    """a state's name, or `COMPOSED`"""
    expression: State
    descriptions: tuple[str, ...]
    """wordings of a composed expression"""
    level: float
    fades: float | None
    """share of the clip's length at which the expression begins to decay"""
    before: float
    """seconds of silence put before the speech"""
    inner: float
    """seconds by which an inner pause is lengthened"""
    after: float
    """seconds of silence put after it; all of the clip's length where nothing is said"""
    breath: bool
    """whether a breath is heard where there is room for it"""
    seed: int


def takes(plan: Plan) -> Iterator[Take]:
    """Yield all clips of a plan, without end, in the order in which they are made."""
    for place in itertools.count():
        random = np.random.default_rng([plan.seed, 3, place])
        silent = place % plan.silent_every == plan.silent_every - 1
        spoken = place - place // plan.silent_every
        sentence_id = sentences.drawn(spoken, plan.seed)
        if silent:
            sentence_id = sentences.SILENCE_ID + place // plan.silent_every
        actor, manner = cast.draw(random), _manner(plan, random)
        rates = random.uniform(*SLOW), random.uniform(*FAST)
        still = random.uniform(2.0, 4.0) if silent else 0.0
        for number, state in enumerate(_states(plan, random)):
            emotion, expression, descriptions = state.name, state, ()
            if emotion != "neutral" and random.random() < plan.composed:
                drawn = next(compositions(random, sentences.split(sentence_id)))
                emotion, descriptions = COMPOSED, (drawn.text,)
                expression = expressions.composed(drawn.weights, name=COMPOSED)
            level = _level(emotion, plan, random)
            fades = random.uniform(*FADES_AT) if random.random() < plan.fading else None
            rate = rates[number % 2]
            spoken_as = prosody_of(plan.prosody, random, state=expression, level=level, rate=rate)
            before, inner, after = _pauses(plan, random)
            yield Take(
                id=f"{sentence_id:07d}-{number}",
                sentence_id=sentence_id,
                actor=actor,
                voice=voice_of(actor, spoken_as, manner),
                style=style_of(actor, spoken_as.rate * manner.rate, manner, random),
                emotion=emotion,
                expression=expression,
                descriptions=descriptions,
                level=level,
                fades=fades,
                before=0.0 if silent else before,
                inner=0.0 if silent else inner,
                after=still or after,
                breath=bool(random.random() < plan.breath),
                seed=int(random.integers(2**31)),
            )


def prosody_of(
    kind: str, random: np.random.Generator, *, state: State, level: float, rate: float
) -> Prosody:
    """Draw how a take is spoken; `kind` is one of `prosody.KINDS`."""
    if kind == "confounded":
        return prosody.confounded(random, state=state, level=level)
    return prosody.independent(random, rate=rate)


def voice_of(actor: Actor, spoken: Prosody, manner: Manner) -> Voice:
    """Return the actor's voice as it is asked to speak."""
    return Voice(
        name=actor.voice,
        tract=actor.tract,
        rate=round(spoken.rate * manner.rate, 3),
        pitch=round(actor.pitch * spoken.pitch, 3),
        span=spoken.span,
        loudness=round(spoken.loudness + manner.loudness, 3),
        dynamics=round(spoken.dynamics * manner.dynamics, 3),
    )


def style_of(actor: Actor, rate: float, manner: Manner, random: np.random.Generator) -> Style:
    """Draw how the actor articulates at a rate: haste does not reach its targets."""
    hurried = 1 - UNDERSHOOT * (rate - 1)
    effort = actor.style.effort * manner.effort * hurried * random.uniform(0.95, 1.05)
    return dataclasses.replace(actor.style, effort=round(float(effort), 3))


def _manner(plan: Plan, random: np.random.Generator) -> Manner:
    chance = random.random()
    if chance < plan.mumbled:
        return MUMBLED
    return CLEAR if chance < plan.mumbled + plan.clear else USUAL


def _states(plan: Plan, random: np.random.Generator) -> list[State]:
    """Draw the states of a sentence's takes, all different; one may be neutral."""
    names = [name for name in STATES if name != "neutral"]
    drawn = [STATES[name] for name in random.choice(names, plan.takes, replace=False)]
    if random.random() < plan.neutral * plan.takes:
        drawn[int(random.integers(plan.takes))] = STATES["neutral"]
    return drawn


def _level(emotion: str, plan: Plan, random: np.random.Generator) -> float:
    """Draw a level: MEAD's three, the full one most often, sometimes beyond it; neutral has 0."""
    beyond, level = random.uniform(1.0, 1.5), random.choice([1 / 3, 2 / 3, 1.0], p=[0.2, 0.3, 0.5])
    if emotion == "neutral":
        return 0.0
    return round(float(beyond if random.random() < plan.beyond else level), 4)


def _pauses(plan: Plan, random: np.random.Generator) -> tuple[float, float, float]:
    """Draw seconds of silence before, inside and after the speech, each mostly none."""
    before, after = random.uniform(0.5, 2.0, 2)
    inner = random.uniform(0.3, 1.0)
    first, middle, last = random.random(3) < (plan.before, plan.inner, plan.after)
    return (
        round(before, 3) if first else 0.0,
        round(inner, 3) if middle else 0.0,
        round(after, 3) if last else 0.0,
    )
