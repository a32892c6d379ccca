"""Held-out sentences, each spoken twice: as it would be under one state, and under another.

Actors, voices and prosody are a corpus's, independent of the state or confounded with it, at level
1 and without pauses around the speech. Of the sentences only the test split's are said.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mien import audio
from mien.data.clips import Phone
from mien.data.simulate import cast, plan, prosody, sentences
from mien.data.simulate.actor import Performance, perform
from mien.data.simulate.articulation import Style
from mien.data.simulate.cast import Actor
from mien.data.simulate.corpus import speak
from mien.data.simulate.delivery import deliver
from mien.data.simulate.expressions import STATES
from mien.data.simulate.prominence import prominence
from mien.errors import MienError
from mien.face import Face

FPS = audio.FPS
LEVEL = 1.0
SPLIT = "test"


@dataclass(frozen=True, eq=False)
class Acted:
    """A sentence as it is spoken under a state; how it looks is known for every state."""

    state: str
    speech: np.ndarray
    """(S,) float32 in [-1, 1], 16 kHz"""
    phones: list[Phone]
    style: Style
    seed: int
    """of what nobody asked for: idle motion, the expression's start, its drift; one per sentence"""

    def performed(self, state: str, face: Face) -> Performance:
        """Return the simulated actor saying this, so timed, under any state at level 1."""
        return perform(
            self.phones,
            audio.frame_count(len(self.speech), FPS),
            fps=FPS,
            state=STATES[state],
            level=LEVEL,
            style=self.style,
            seed=self.seed,
            face=face,
            prominence=prominence(self.speech, self.phones),
        )


def paired(states: Sequence[str], count: int, random: np.random.Generator) -> list[tuple[str, str]]:
    """Draw `count` pairs of different states: no state comes again before all others came.

    Of an odd number of states each round leaves one out. MienError where there are less than two.
    """
    if len(states) < 2:
        raise MienError(f"{len(states)} states make no pair; give a bank with two or more")
    pairs: list[tuple[str, str]] = []
    while len(pairs) < count:
        order = [str(name) for name in random.permutation(list(states))]
        pairs += zip(order[::2], order[1::2], strict=False)
    return pairs[:count]


def spoken(
    pairs: Sequence[tuple[str, str]], kind: str, *, seed: int = 0
) -> Iterator[tuple[Acted, Acted]]:
    """Speak one held-out sentence for each pair of states, once as each would be spoken.

    The prosody is of one of the `prosody.KINDS`. Either kind has the same sentences and actors, but
    for those whose phones no aligner finds; the next sentence takes their place. Raises MienError
    for another kind, and where a speech program is missing.
    """
    if kind not in prosody.KINDS:
        raise MienError(f"prosody is {kind!r}; use one of {', '.join(prosody.KINDS)}")
    numbers = (sentences.drawn(place, seed) for place in itertools.count())
    held_out = (number for number in numbers if sentences.split(number) == SPLIT)
    for first, second in pairs:
        for number in held_out:
            random = np.random.default_rng([seed, 17, number])
            actor = cast.draw(random)
            rates = random.permutation([random.uniform(*plan.SLOW), random.uniform(*plan.FAST)])
            both = [
                _acted(number, actor, state, kind, float(rate), random)
                for state, rate in zip((first, second), rates, strict=True)
            ]
            if both[0] and both[1]:
                yield both[0], both[1]
                break


def _acted(
    number: int, actor: Actor, state: str, kind: str, rate: float, random: np.random.Generator
) -> Acted | None:
    """Speak a sentence as a corpus does; None where its phones are not found again."""
    manner = plan.prosody_of(kind, random, state=STATES[state], level=LEVEL, rate=rate)
    voice = plan.voice_of(actor, manner, plan.USUAL)
    style = plan.style_of(actor, voice.rate, plan.USUAL, random)
    said = speak(sentences.sentence(number), voice)
    if said is None:
        return None
    utterance, _ = said
    loud = deliver(utterance.speech, loudness=voice.loudness, dynamics=voice.dynamics)
    return Acted(state, loud, utterance.phones, style, seed=number)
