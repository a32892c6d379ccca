"""The states of the simulated actor: expressions as amounts of the face's units, after the FACS.

An amount is what the unit has at level 1; `State.weights_at` scales it. The mouth of a state leaves
room for speech: the jaw stays almost shut and the lips are never sealed by a state, because the
actor opens and closes them on top of it. So brows, lids, cheeks, nose and lip corners carry most.
"Left" is the face's own left. AU numbers are those of Ekman, Friesen and Hager (FACS, 2002);
L and R before a number mean one side only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Amount = float | tuple[float, float]  # both sides alike, or (left, right)


@dataclass(frozen=True)
class State:
    """One expression."""

    name: str
    weights: Mapping[str, float]  # unit -> amount at level 1, in [0, 1]; absent units are 0
    onset: float  # seconds from neutral to the full state
    facs: tuple[str, ...]  # the action units it is made of
    note: str  # what a viewer should read from it

    def weights_at(self, level: float, unit_names: Sequence[str]) -> np.ndarray:
        """Weights (U,) float32 in [0, 1] at a level in [0, 1.5], in the order of `unit_names`."""
        amounts = [level * self.weights.get(unit, 0.0) for unit in unit_names]
        return np.clip(np.asarray(amounts, dtype=np.float32), 0.0, 1.0)


def _units(singles: Mapping[str, float] | None = None, **pairs: Amount) -> dict[str, float]:
    """Unit amounts from single units and from pairs that are named without their side."""
    weights = dict(singles or {})
    for stem, amount in pairs.items():
        left, right = amount if isinstance(amount, tuple) else (amount, amount)
        weights |= {f"{stem}{side}": a for side, a in (("Left", left), ("Right", right)) if a}
    return weights


def _mirrored(weights: Mapping[str, float]) -> dict[str, float]:
    """The same expression with the face's sides exchanged."""
    other = {"Left": "Right", "Right": "Left"}
    swapped = {}
    for unit, amount in weights.items():
        side = next((s for s in other if unit.endswith(s)), None)
        swapped[unit.removesuffix(side) + other[side] if side else unit] = amount
    return swapped


_WINK_LEFT = _units(
    eyeBlink=(1.0, 0.0),
    eyeSquint=(0.6, 0.1),
    cheekSquint=(0.9, 0.25),
    browDown=(0.35, 0.0),
    browOuterUp=(0.0, 0.35),
    mouthSmile=(0.75, 0.4),
    mouthDimple=(0.3, 0.0),
)
_BROW_LEFT = _units(
    browOuterUp=(1.0, 0.0),
    browDown=(0.0, 0.6),
    eyeWide=(0.5, 0.0),
    eyeSquint=(0.0, 0.25),
)

# A table: a few lines a state.
# fmt: off
_ALL = (
    State("neutral", {}, onset=0.4, facs=(), note="at rest: nothing to read"),
    State("happy", _units(
        mouthSmile=(0.9, 0.86), mouthDimple=0.15, cheekSquint=(0.7, 0.66), eyeSquint=0.25,
        browOuterUp=0.12,
    ), onset=0.5, facs=("6", "12"), note="a warm smile that reaches the eyes"),
    State("laughing", _units(
        {"jawOpen": 0.22, "browInnerUp": 0.3}, mouthSmile=1.0, mouthUpperUp=0.4, mouthLowerDown=0.2,
        cheekSquint=1.0, eyeSquint=0.8, eyeBlink=(0.3, 0.26), noseSneer=0.25, browOuterUp=0.2,
    ), onset=0.4, facs=("6", "7", "12", "25", "26"),
        note="ecstatic: cheeks high, eyes laughed into slits, teeth in view"),
    State("sad", _units(
        {"browInnerUp": 1.0, "mouthShrugLower": 0.25}, mouthFrown=(0.8, 0.76), eyeBlink=0.18,
        eyeLookDown=0.2, eyeSquint=0.12,
    ), onset=0.9, facs=("1", "15", "17", "64"), note="inner brows up, corners down, heavy lids"),
    State("crying", _units(
        {"browInnerUp": 1.0, "mouthShrugLower": 0.4, "jawOpen": 0.15}, browDown=0.3, eyeSquint=0.75,
        eyeBlink=(0.26, 0.22), cheekSquint=0.7, noseSneer=0.35, mouthFrown=1.0,
        mouthStretch=(0.55, 0.5), mouthLowerDown=0.4, mouthUpperUp=0.3,
    ), onset=0.8, facs=("1", "4", "6", "7", "9", "11", "15", "17", "20"),
        note="grief that has broken through"),
    State("angry", _units(
        {"jawForward": 0.25, "jawOpen": 0.1}, browDown=1.0, eyeWide=0.5, eyeSquint=0.25,
        noseSneer=(0.65, 0.6), mouthUpperUp=0.4, mouthLowerDown=0.45, mouthFrown=0.4,
        mouthStretch=0.25,
    ), onset=0.4, facs=("4", "5", "7", "10", "23", "25"),
        note="open anger: glaring eyes, teeth bared"),
    State("seething", _units(
        {"jawForward": 0.3, "mouthRollLower": 0.5, "mouthRollUpper": 0.4}, browDown=(0.9, 0.85),
        eyeSquint=0.95, cheekSquint=0.2, noseSneer=(0.3, 0.26), mouthPress=0.6, mouthFrown=0.75,
    ), onset=0.7, facs=("4", "7", "9", "23", "24", "31"),
        note="quiet fury: lids tight, lips pressed thin, jaw clenched"),
    State("disgusted", _units(
        {"mouthShrugLower": 0.4}, noseSneer=1.0, mouthUpperUp=(0.9, 0.8), browDown=0.5,
        cheekSquint=0.7, eyeSquint=0.65, mouthFrown=0.55,
    ), onset=0.5, facs=("9", "10", "15", "17"), note="nose wrinkled, upper lip lifted"),
    State("contemptuous", _units(
        {"mouthLeft": 0.3}, mouthSmile=(0.6, 0.0), mouthDimple=(0.9, 0.0), mouthUpperUp=(0.4, 0.0),
        noseSneer=(0.45, 0.0), cheekSquint=(0.3, 0.0), mouthPress=(0.0, 0.4), eyeBlink=0.3,
        browOuterUp=(0.3, 0.15),
    ), onset=0.6, facs=("L10", "L12", "L14", "43"),
        note="one lip corner sneers, lids lowered: looking down on someone"),
    State("afraid", _units(
        {"browInnerUp": 0.9, "jawOpen": 0.05}, browOuterUp=0.25, browDown=0.3, eyeWide=0.65,
        mouthStretch=(0.5, 0.46), mouthFrown=0.3,
    ), onset=0.4, facs=("1", "2", "4", "5", "20"),
        note="brows raised and drawn together, eyes wide, lips drawn back"),
    State("terrified", _units(
        {"browInnerUp": 1.0, "jawOpen": 0.25}, browOuterUp=0.6, browDown=0.25, eyeWide=1.0,
        mouthStretch=1.0, mouthLowerDown=0.65, mouthUpperUp=0.15, mouthFrown=0.35,
    ), onset=0.3, facs=("1", "2", "4", "5", "20", "25", "26"),
        note="terror: eyes as wide as they go, mouth pulled back over the teeth"),
    State("surprised", _units(
        {"browInnerUp": 0.9, "jawOpen": 0.25, "mouthFunnel": 0.2}, browOuterUp=0.95, eyeWide=0.75,
    ), onset=0.25, facs=("1", "2", "5", "26"),
        note="high round brows, wide eyes, jaw dropped, no tension"),
    State("delighted", _units(
        {"browInnerUp": 0.75, "jawOpen": 0.2}, browOuterUp=0.75, eyeWide=0.35,
        mouthSmile=(0.9, 0.86), mouthUpperUp=0.3, cheekSquint=0.45,
    ), onset=0.3, facs=("1", "2", "5", "6", "12", "26"),
        note="a happy surprise: brows high, eyes wide, broad smile"),
    State("worried", _units(
        {"browInnerUp": 1.0, "mouthRollLower": 0.45}, browDown=(0.25, 0.2), eyeSquint=0.25,
        mouthPress=0.5, mouthStretch=(0.3, 0.15), mouthFrown=0.45,
    ), onset=0.7, facs=("1", "4", "7", "24", "28"), note="knitted brows, lower lip drawn in"),
    State("confused", _units(
        {"browInnerUp": 0.25, "mouthLeft": 0.3, "mouthShrugUpper": 0.2}, browDown=(0.85, 0.25),
        browOuterUp=(0.0, 0.6), eyeSquint=(0.6, 0.2), noseSneer=(0.35, 0.0),
        mouthUpperUp=(0.4, 0.0), mouthFrown=(0.2, 0.3),
    ), onset=0.6, facs=("1", "4", "7", "R2", "L10"),
        note="brows uneven, one side of lip and nose lifted: does not get it"),
    State("bored", _units(
        {"mouthRight": 0.5, "mouthShrugLower": 0.2}, eyeBlink=0.42, eyeLookIn=(0.55, 0.0),
        eyeLookOut=(0.0, 0.55), browOuterUp=0.2, mouthFrown=(0.2, 0.35), mouthDimple=(0.0, 0.4),
    ), onset=1.0, facs=("43", "R14", "15", "62"),
        note="half-shut eyes wander off, mouth pulled aside"),
    State("tired", _units(
        {"browInnerUp": 0.4, "jawOpen": 0.1}, eyeBlink=(0.44, 0.38), eyeLookDown=0.35,
        browOuterUp=0.1, mouthFrown=0.35, mouthLowerDown=0.15,
    ), onset=1.2, facs=("1", "15", "43", "64"), note="lids falling, everything slack"),
    State("proud", _units(
        {"browInnerUp": 0.15, "mouthShrugLower": 0.25, "jawForward": 0.2}, mouthSmile=(0.5, 0.42),
        mouthDimple=0.6, mouthPress=0.5, eyeBlink=0.3, eyeSquint=0.35, browOuterUp=0.6,
    ), onset=0.7, facs=("2", "12", "14", "17", "24", "43"),
        note="smug: closed, dimpled smile under raised brows and lowered lids"),
    State("tender", _units(
        {"browInnerUp": 0.75}, mouthSmile=(0.52, 0.5), cheekSquint=0.35, eyeSquint=0.25,
    ), onset=0.9, facs=("1", "6", "12"), note="a soft smile, inner brows up, gentle eyes"),
    State("determined", _units(
        {"mouthShrugLower": 0.7, "jawForward": 0.6}, browDown=0.8, eyeWide=0.2, eyeSquint=0.4,
        mouthPress=0.5, mouthFrown=0.35,
    ), onset=0.6, facs=("4", "5", "7", "15", "17", "24", "29"),
        note="level stare, chin set, lips firm"),
    State("pained", _units(
        {"browInnerUp": 0.3, "jawOpen": 0.08}, eyeBlink=(0.85, 0.8), eyeSquint=1.0, cheekSquint=0.9,
        browDown=0.95, noseSneer=0.65, mouthUpperUp=0.5, mouthStretch=(0.8, 0.7),
        mouthLowerDown=0.45,
    ), onset=0.3, facs=("4", "6", "7", "9", "10", "20", "25", "43"),
        note="wincing: eyes squeezed shut, teeth gritted"),
    State("wink_left", _WINK_LEFT, onset=0.25, facs=("L6", "12", "L46"),
        note="the left eye winks, playfully"),
    State("wink_right", _mirrored(_WINK_LEFT), onset=0.25, facs=("R6", "12", "R46"),
        note="the right eye winks, playfully"),
    State("brow_left", _BROW_LEFT, onset=0.35, facs=("L2", "R4"),
        note="the left eyebrow alone goes up"),
    State("brow_right", _mirrored(_BROW_LEFT), onset=0.35, facs=("R2", "L4"),
        note="the right eyebrow alone goes up"),
    State("skeptical", _units(
        {"mouthRight": 0.35, "mouthShrugLower": 0.35}, browOuterUp=(0.75, 0.0), browDown=(0.1, 0.8),
        eyeSquint=(0.6, 0.95), cheekSquint=(0.0, 0.3), mouthPress=0.3, mouthFrown=(0.55, 0.8),
    ), onset=0.6, facs=("L2", "R4", "7", "15", "17", "24"),
        note="narrowed eyes, uneven brows, doubting mouth"),
    State("pouting", _units(
        {"mouthPucker": 0.65, "mouthShrugLower": 0.65, "browInnerUp": 0.2, "cheekPuff": 0.25},
        browDown=0.65, mouthFrown=0.7, eyeLookUp=0.15,
    ), onset=0.6, facs=("1", "4", "15", "17", "18", "22"),
        note="lower lip pushed out, sulking brows"),
    State("shy", _units(
        {"browInnerUp": 0.5, "mouthRollLower": 0.35}, mouthSmile=(0.4, 0.5), mouthPress=0.35,
        cheekSquint=0.3, eyeLookDown=0.65, eyeLookIn=(0.35, 0.0), eyeLookOut=(0.0, 0.35),
        eyeBlink=0.15,
    ), onset=0.7, facs=("1", "12", "24", "62", "64"),
        note="embarrassed: a small pressed smile, eyes down and away"),
    State("thinking", _units(
        {"mouthPucker": 0.3, "mouthLeft": 0.4}, eyeLookUp=0.7, eyeLookOut=(0.5, 0.0),
        eyeLookIn=(0.0, 0.5), eyeSquint=0.3, browDown=(0.0, 0.3), browOuterUp=(0.35, 0.0),
        mouthPress=0.25,
    ), onset=0.7, facs=("L2", "R4", "18", "61", "63"),
        note="eyes up and aside, lips pushed to one side: working it out"),
)
# fmt: on

STATES: dict[str, State] = {state.name: state for state in _ALL}
