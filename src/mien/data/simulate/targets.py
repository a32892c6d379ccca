"""What the mouth does for each phone: a table for phoneticians to read and correct.

An entry of `TARGETS` says how far the lips stand apart and which shape they take at the phone's
best moment, on an otherwise neutral face; its `Manner` says how insistent the phone is about each
part of the mouth, and how early and how long it is felt.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """How a kind of phone makes itself felt."""

    jaw: float
    """dominance over the jaw; 1 is a stressed vowel"""
    shape: float
    """dominance over rounding and spreading"""
    lift: float
    """dominance over the lips' height"""
    ahead: float
    """seconds before the phone at which its dominance has fallen to 37 %"""
    behind: float
    """seconds after the phone at which its dominance has fallen to 37 %"""


@dataclass(frozen=True)
class Target:
    """The mouth at the best moment of a phone, on an otherwise neutral face."""

    manner: Manner
    opening: float
    """mm between the lips at the midline; the jaw opens as far as the lips leave to do"""
    funnel: float = 0.0
    """lips pushed open into a ring (mouthFunnel), 0 to 1, as all that follow"""
    pucker: float = 0.0
    """lips drawn together and forward (mouthPucker)"""
    stretch: float = 0.0
    """corners drawn sideways (mouthStretch)"""
    smile: float = 0.0
    """corners drawn up and back (mouthSmile)"""
    upper: float = 0.0
    """upper lip raised (mouthUpperUp)"""
    lower: float = 0.0
    """lower lip lowered (mouthLowerDown)"""
    tongue: float = 0.0
    """tip of the tongue between the teeth (tongueOut)"""


#                        jaw  shape lift  ahead behind
OPEN_VOWEL = Manner(1.00, 0.70, 0.60, 0.090, 0.070)
CLOSE_VOWEL = Manner(0.75, 0.80, 0.60, 0.090, 0.070)
ROUND_VOWEL = Manner(0.90, 1.60, 0.60, 0.130, 0.080)  # lip-heavy sounds start early
REDUCED = Manner(0.35, 0.20, 0.25, 0.060, 0.050)
BILABIAL = Manner(0.70, 0.15, 0.40, 0.060, 0.050)
LABIODENTAL = Manner(0.90, 0.30, 1.00, 0.070, 0.060)
GLIDE_W = Manner(1.40, 2.40, 1.00, 0.130, 0.070)
RHOTIC = Manner(0.45, 0.70, 0.40, 0.110, 0.070)
SIBILANT = Manner(1.30, 0.50, 0.90, 0.070, 0.060)  # the teeth must nearly meet to hiss
POSTALVEOLAR = Manner(1.30, 1.20, 0.90, 0.110, 0.070)
DENTAL = Manner(0.60, 0.20, 0.50, 0.060, 0.050)
TONGUE_ONLY = Manner(0.35, 0.12, 0.20, 0.050, 0.045)  # leaves the lips to the neighbours
BREATH = Manner(0.05, 0.05, 0.05, 0.050, 0.050)
SILENCE = Manner(0.90, 0.60, 0.80, 0.070, 0.080)

TARGETS: dict[str, tuple[Target, ...]] = {
    # open vowels
    "aa": (Target(OPEN_VOWEL, 12.0, lower=0.05),),
    "ae": (Target(OPEN_VOWEL, 11.0, stretch=0.25, smile=0.05, lower=0.12, upper=0.08),),
    "ah": (Target(OPEN_VOWEL, 8.5, lower=0.05),),
    "ao": (Target(ROUND_VOWEL, 10.5, funnel=0.35, pucker=0.08),),
    "eh": (Target(OPEN_VOWEL, 8.0, stretch=0.18, smile=0.05, lower=0.10, upper=0.05),),
    # close vowels
    "iy": (Target(CLOSE_VOWEL, 3.8, stretch=0.36, smile=0.15, lower=0.12, upper=0.06),),
    "ih": (Target(CLOSE_VOWEL, 4.8, stretch=0.15, smile=0.06, lower=0.08),),
    "uw": (Target(ROUND_VOWEL, 3.2, pucker=0.90, funnel=0.20),),
    "uh": (Target(ROUND_VOWEL, 4.6, pucker=0.25, funnel=0.30),),
    "er": (Target(ROUND_VOWEL, 4.6, pucker=0.20, funnel=0.32),),
    "ax": (Target(REDUCED, 4.5),),
    # diphthongs: from the first to the second
    "ay": (
        Target(OPEN_VOWEL, 11.5, lower=0.06),
        Target(CLOSE_VOWEL, 4.5, stretch=0.22, smile=0.12, lower=0.08),
    ),
    "aw": (
        Target(OPEN_VOWEL, 11.5, lower=0.06, stretch=0.08),
        Target(ROUND_VOWEL, 4.2, pucker=0.72, funnel=0.22),
    ),
    "ey": (
        Target(OPEN_VOWEL, 6.8, stretch=0.20, smile=0.06, lower=0.10),
        Target(CLOSE_VOWEL, 4.0, stretch=0.32, smile=0.14, lower=0.10),
    ),
    "ow": (
        Target(ROUND_VOWEL, 7.5, funnel=0.32, pucker=0.15),
        Target(ROUND_VOWEL, 3.8, pucker=0.82, funnel=0.22),
    ),
    "oy": (
        Target(ROUND_VOWEL, 8.5, funnel=0.38, pucker=0.12),
        Target(CLOSE_VOWEL, 4.5, stretch=0.22, smile=0.12, lower=0.08),
    ),
    # lips: p, b, m are shut and f, v laid on the teeth by constraints; this is what lies under them
    "p": (Target(BILABIAL, 3.0),),
    "b": (Target(BILABIAL, 3.0),),
    "m": (Target(BILABIAL, 2.5),),
    "f": (Target(LABIODENTAL, 4.0, upper=0.26),),
    "v": (Target(LABIODENTAL, 4.0, upper=0.24),),
    "w": (Target(GLIDE_W, 2.4, pucker=1.00, funnel=0.10),),
    # tongue and teeth
    "r": (Target(RHOTIC, 3.8, pucker=0.25, funnel=0.32),),
    "s": (Target(SIBILANT, 3.4, stretch=0.18, smile=0.04, lower=0.22, upper=0.12),),
    "z": (Target(SIBILANT, 3.4, stretch=0.16, smile=0.04, lower=0.22, upper=0.12),),
    "sh": (Target(POSTALVEOLAR, 3.8, funnel=0.50, pucker=0.12, lower=0.10, upper=0.10),),
    "zh": (Target(POSTALVEOLAR, 3.8, funnel=0.45, pucker=0.12, lower=0.10, upper=0.10),),
    "ch": (Target(POSTALVEOLAR, 3.6, funnel=0.48, pucker=0.12, lower=0.10, upper=0.10),),
    "jh": (Target(POSTALVEOLAR, 3.6, funnel=0.45, pucker=0.12, lower=0.10, upper=0.10),),
    "th": (Target(DENTAL, 4.5, lower=0.12, tongue=0.25),),
    "dh": (Target(DENTAL, 4.2, lower=0.10, tongue=0.20),),
    "l": (Target(TONGUE_ONLY, 5.0),),
    "t": (Target(TONGUE_ONLY, 3.2, lower=0.08),),
    "d": (Target(TONGUE_ONLY, 3.4, lower=0.06),),
    "n": (Target(TONGUE_ONLY, 3.4),),
    "k": (Target(TONGUE_ONLY, 4.6),),
    "g": (Target(TONGUE_ONLY, 4.4),),
    "ng": (Target(TONGUE_ONLY, 4.2),),
    "y": (Target(CLOSE_VOWEL, 3.4, stretch=0.22, smile=0.12),),
    "hh": (Target(BREATH, 5.5),),
    "pau": (Target(SILENCE, 0.0),),
}

BILABIALS, LABIODENTALS = frozenset("pbm"), frozenset("fv")
VOWELS = frozenset(
    name
    for name, row in TARGETS.items()
    if row[0].manner in (OPEN_VOWEL, CLOSE_VOWEL, ROUND_VOWEL, REDUCED) and name != "y"
)
