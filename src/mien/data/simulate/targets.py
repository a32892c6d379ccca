"""What the mouth does for each phone: a table for phoneticians to read and correct.

A row of `_TABLE` says how far the lips stand apart and which shape they take at the phone's best
moment, on an otherwise neutral face. Its manner says how insistent the phone is about each part of
the mouth, and how early and how long it is felt.

Of the tongue the face has one unit, its tip between the teeth (tongueOut): th and dh show it. What
l, n, t, d, s, r and the back consonants do inside the mouth is not shown.

Sources. Heights and rounding of vowels: the IPA's vowel chart, with the values that Ladefoged and
Johnson (A Course in Phonetics) give General American. Which phones move the lips, the jaw, or
neither: Edwards, Landreth, Fiume and Singh (JALI, 2016); how high the jaw stands in consonants:
Keating, Lindblom, Lubker and Kreiman (1994). Dominance: Löfqvist (1990), Cohen and
Massaro (1993). The millimetres and the amounts are our own, judged on this head's pictures.
"""

import re
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
    tongue: float
    """dominance over the tip of the tongue"""
    ahead: float
    """seconds before the phone at which its dominance has fallen to 37 %"""
    behind: float
    """seconds after the phone at which its dominance has fallen to 37 %"""
    vowel: bool = False


@dataclass(frozen=True)
class Target:
    """The mouth at the best moment of a phone, on an otherwise neutral face."""

    manner: Manner
    opening: float
    """mm between the lips at the midline; the jaw opens as far as the lips leave to do"""
    funnel: float
    """lips pushed open into a ring (mouthFunnel), 0 to 1, as all that follow"""
    pucker: float
    """lips drawn together and forward (mouthPucker)"""
    stretch: float
    """corners drawn sideways (mouthStretch)"""
    smile: float
    """corners drawn up and back (mouthSmile)"""
    upper: float
    """upper lip raised (mouthUpperUp)"""
    lower: float
    """lower lip lowered (mouthLowerDown)"""
    tongue: float
    """tip of the tongue between the teeth (tongueOut)"""


MANNERS = {
    #                     jaw  shape lift  tongue ahead  behind vowel
    "open vowel":  Manner(1.00, 0.70, 0.60, 0.50, 0.090, 0.070, True),
    "close vowel": Manner(0.95, 0.80, 0.60, 0.50, 0.090, 0.070, True),
    "round vowel": Manner(0.90, 1.60, 0.60, 0.50, 0.130, 0.080, True),  # lip-heavy: starts early
    "reduced":     Manner(0.35, 0.20, 0.25, 0.30, 0.060, 0.050, True),
    "bilabial":    Manner(0.70, 0.15, 0.40, 0.30, 0.060, 0.050),
    "labiodental": Manner(0.90, 0.30, 1.00, 0.50, 0.070, 0.060),
    "round glide": Manner(1.40, 2.40, 1.00, 0.50, 0.130, 0.070),  # lip-heavy
    "close glide": Manner(0.80, 0.80, 0.60, 0.50, 0.080, 0.060),
    "rhotic":      Manner(0.45, 0.70, 0.40, 0.50, 0.110, 0.070),  # lip-heavy
    "sibilant":    Manner(1.30, 0.50, 0.90, 1.00, 0.070, 0.060),
    "palatal":     Manner(1.30, 1.20, 0.90, 1.00, 0.110, 0.070),  # lip-heavy
    "dental":      Manner(0.60, 0.20, 0.50, 3.00, 0.060, 0.050),
    "tongue tip":  Manner(0.60, 0.12, 0.20, 1.00, 0.050, 0.045),  # the jaw helps, the lips do not
    "tongue":      Manner(0.35, 0.12, 0.20, 0.50, 0.050, 0.045),  # leaves all to its neighbours
    "breath":      Manner(0.05, 0.05, 0.05, 0.05, 0.050, 0.050),
    "silence":     Manner(0.90, 0.60, 0.80, 0.90, 0.070, 0.080),
}  # fmt: skip

_TABLE = """
phone  manner        opening  funnel  pucker  stretch  smile  upper  lower  tongue    IPA  as in

# Open and mid vowels, by height: open, near-open, open-mid. The jaw tells them apart.
aa     open vowel       12.0    .       .       .       .      .     0.05    .        ɑ    hot
ae     open vowel       11.0    .       .      0.25    0.05   0.08   0.12    .        æ    hat
ah     open vowel        8.5    .       .       .       .      .     0.05    .        ʌ    hut
eh     open vowel        8.0    .       .      0.18    0.05   0.05   0.10    .        ɛ    head
# Close and near-close front vowels: spread, most for iy.
ih     close vowel       4.8    .       .      0.15    0.06    .     0.08    .        ɪ    hid
iy     close vowel       3.4    .       .      0.36    0.15   0.06   0.12    .        i    heed
# Rounded vowels: the higher, the smaller and further forward the ring.
ao     round vowel      10.0   0.35    0.08     .       .      .      .      .        ɔ    law
uh     round vowel       4.4   0.30    0.25     .       .      .      .      .        ʊ    hood
uw     round vowel       3.2   0.20    0.90     .       .      .      .      .        u    who
er     round vowel       5.0   0.32    0.20     .       .      .      .      .        ɝ    herd
# Schwa: the mouth at ease. Unstressed vowels move toward it.
ax     reduced           4.5    .       .       .       .      .      .      .        ə    ago
# Diphthongs: two targets.
ay     open vowel       11.5    .       .       .       .      .     0.06    .        a    high
ay     close vowel       4.8    .       .      0.22    0.12    .     0.08    .        ɪ
aw     open vowel       11.5    .       .      0.08     .      .     0.06    .        a    how
aw     round vowel       4.4   0.22    0.72     .       .      .      .      .        ʊ
ey     open vowel        6.8    .       .      0.20    0.06    .     0.10    .        e    hay
ey     close vowel       4.2    .       .      0.32    0.14    .     0.10    .        ɪ
ow     round vowel       7.5   0.32    0.15     .       .      .      .      .        o    hoe
ow     round vowel       4.0   0.22    0.82     .       .      .      .      .        ʊ
oy     round vowel       9.0   0.38    0.12     .       .      .      .      .        ɔ    boy
oy     close vowel       4.8    .       .      0.22    0.12    .     0.08    .        ɪ
# Bilabials and labiodentals: a constraint shuts p, b, m and lays f, v on the teeth (`demands`);
# this is what lies under it.
p      bilabial          3.0    .       .       .       .      .      .      .        p    pie
b      bilabial          3.0    .       .       .       .      .      .      .        b    buy
m      bilabial          2.5    .       .       .       .      .      .      .        m    my
f      labiodental       4.0    .       .       .       .     0.26    .      .        f    fie
v      labiodental       4.0    .       .       .       .     0.24    .      .        v    vie
# Glides and the rhotic.
w      round glide       2.6   0.10    1.00     .       .      .      .      .        w    why
y      close glide       3.6    .       .      0.22    0.12    .      .      .        j    you
r      rhotic            4.4   0.32    0.25     .       .      .      .      .        ɹ    rye
# Sibilants: a narrow jaw (see `demands`) and bared teeth; sh, zh, ch, jh are funnelled.
s      sibilant          3.4    .       .      0.18    0.04   0.12   0.22    .        s    sigh
z      sibilant          3.4    .       .      0.16    0.04   0.12   0.22    .        z    zoo
sh     palatal           6.4   0.44    0.18     .       .     0.06   0.08    .        ʃ    shy
zh     palatal           6.0   0.41    0.18     .       .     0.06   0.08    .        ʒ    beige
ch     palatal           6.2   0.43    0.18     .       .     0.06   0.08    .        tʃ   chin
jh     palatal           6.0   0.41    0.18     .       .     0.06   0.08    .        dʒ   joy
# Dentals: the tip of the tongue between the teeth.
th     dental            5.8    .       .       .       .      .     0.12   0.43      θ    thigh
dh     dental            5.4    .       .       .       .      .     0.12   0.40      ð    thy
# Consonants of the tongue alone, from its tip to its back, and breath.
t      tongue tip        3.2    .       .       .       .      .     0.08    .        t    tie
d      tongue tip        3.4    .       .       .       .      .     0.06    .        d    die
n      tongue            3.4    .       .       .       .      .      .      .        n    nigh
l      tongue            5.0    .       .       .       .      .      .      .        l    lie
k      tongue            4.6    .       .       .       .      .      .      .        k    key
g      tongue            4.4    .       .       .       .      .      .      .        ɡ    guy
ng     tongue            4.2    .       .       .       .      .      .      .        ŋ    sing
hh     breath            5.5    .       .       .       .      .      .      .        h    hi
pau    silence           0.0    .       .       .       .      .      .      .        .    .
"""


def _read(table: str) -> dict[str, tuple[Target, ...]]:
    """Return the targets of each phone, in order; columns are two or more spaces apart."""
    targets: dict[str, tuple[Target, ...]] = {}
    lines = [line for line in table.strip().splitlines() if line and not line.startswith("#")]
    for line in lines[1:]:
        name, manner, *amounts = re.split(r"\s{2,}", line)
        numbers = [0.0 if amount == "." else float(amount) for amount in amounts[:8]]
        targets[name] = (*targets.get(name, ()), Target(MANNERS[manner], *numbers))
    return targets


TARGETS = _read(_TABLE)
"""The targets of each phone: one, or two for diphthongs."""

BILABIALS, LABIODENTALS = frozenset("pbm"), frozenset("fv")
SIBILANTS = frozenset(["s", "z", "sh", "zh", "ch", "jh"])
VOWELS = frozenset(name for name, row in TARGETS.items() if row[0].manner.vowel)


def openness(name: str) -> float:
    """Return the millimetres by which a phone opens the lips: the mean of its targets."""
    return sum(target.opening for target in TARGETS[name]) / len(TARGETS[name])
