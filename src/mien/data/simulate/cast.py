"""The simulated actors: voices and ways of speaking."""

from dataclasses import dataclass

import numpy as np

from mien.data.simulate import espeak, neural
from mien.data.simulate.articulation import Style


@dataclass(frozen=True)
class Actor:
    """A simulated actor: a voice and a way of speaking, the same in all clips."""

    name: str
    voice: str
    """see `speech.Voice.name`"""
    tract: float
    """stretches the spectrum (see `speech.Voice`)"""
    style: Style
    pitch: float = 1.0
    """mean pitch, times the voice's own"""


SHARES = {"flite": 0.5, "hibari": 0.3, "espeak-ng": 0.2}
"""Of the sentences. The neural voice is nearest to people, flite's times are surest, and
espeak-ng's voices are the most unlike each other."""

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
    Actor("oda", neural.NAME, 0.92, Style(jaw=1.03, lips=1.03, effort=0.98), pitch=0.70),
    Actor("pat", neural.NAME, 0.86, Style(jaw=1.00, lips=0.98, effort=1.03), pitch=0.58),
    Actor("quin", f"{espeak.PREFIX}en-us+m3", 1.00, Style(jaw=0.98, lips=1.00, effort=1.00)),
    Actor("rae", f"{espeak.PREFIX}en-us+f2", 1.00, Style(jaw=1.03, lips=0.98, effort=1.00)),
    Actor("sid", f"{espeak.PREFIX}en-us+klatt4", 1.00, Style(jaw=1.00, lips=1.03, effort=0.97)),
    Actor("tia", f"{espeak.PREFIX}en-gb-x-rp+f5", 1.00, Style(jaw=0.96, lips=1.02, effort=1.02)),
    Actor("uri", f"{espeak.PREFIX}en-gb-scotland", 0.95, Style(jaw=1.02, lips=1.00, effort=1.00)),
    Actor("vic", f"{espeak.PREFIX}en-gb+m7", 1.00, Style(jaw=1.00, lips=0.97, effort=1.03)),
)


def program(voice: str) -> str:
    """Return what speaks with the voice of this name: a key of SHARES."""
    if voice == neural.NAME:
        return "hibari"
    return "espeak-ng" if voice.startswith(espeak.PREFIX) else "flite"


def draw(random: np.random.Generator) -> Actor:
    """Draw an actor, so that each program speaks its share of the sentences."""
    programs = [program(actor.voice) for actor in ACTORS]
    chances = [SHARES[name] / programs.count(name) for name in programs]
    return ACTORS[int(random.choice(len(ACTORS), p=chances))]
