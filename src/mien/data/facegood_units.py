"""FACEGOOD's 116 Maya channels as our units: the table, to be read and corrected.

A row says how much of each unit a channel at 1 gives; rows add up. It follows the repository's own
`doc/Voice2Face_blendshape2ARkit.xlsx`, but for these:

- where the sheet takes the largest of several channels (the four corners of mouth_funnel, both
  sides of mouth_pucker), we take their mean, so that one corner alone does not count as all four;
- mouth_oh_c and mouth_oo_c are missing there, and mouth_oh_c is among the most active: they are
  the rounded vowels, given by the simulated actor's own targets for "ao" and "uw";
- mouth_stretch_c opens our jaw by JAW, not by 1: at 1 the loud frames of a sequence part the lips
  by 13-19 mm (90th percentile) and the widest shout by 39; with JAW by 8-14 and 24, and the actor's
  own open vowels go to 12 mm;
- nose_wrinkle, not nose_out (flared nostrils), is noseSneer.

`_l` is taken for the face's own left; the captures are symmetric, so they cannot tell. Brows, lids
and eyes were not captured (all zero); their rows serve files of the same layout that have them.
"""

from collections.abc import Mapping

import numpy as np

from mien.face import UNIT_NAMES

JAW = 0.6
"""How far mouth_stretch_c at 1 opens our jaw."""


def _sides(stem: str, unit: str, amount: float = 1.0) -> dict[str, dict[str, float]]:
    """Rows of stem_l and stem_r, each for the unit of its own side."""
    return {f"{stem}_l": {f"{unit}Left": amount}, f"{stem}_r": {f"{unit}Right": amount}}


def _shared(unit: str, *channels: str) -> dict[str, dict[str, float]]:
    """Rows of channels whose mean is one unit."""
    return {channel: {unit: 1 / len(channels)} for channel in channels}


TABLE: dict[str, dict[str, float]] = {
    # Jaw
    "mouth_stretch_c": {"jawOpen": JAW},
    "mouth_chew_c": {"mouthClose": JAW},
    "jaw_thrust_c": {"jawForward": 1.0},
    "jaw_sideways_l": {"jawLeft": 1.0},
    "jaw_sideways_r": {"jawRight": 1.0},
    # Rounding
    "mouth_oh_c": {"jawOpen": 0.2, "mouthFunnel": 0.4, "mouthPucker": 0.25},
    "mouth_oo_c": {"mouthPucker": 0.9, "mouthFunnel": 0.2},
    **_shared("mouthFunnel", *(f"mouth_funnel_{corner}" for corner in ("dl", "dr", "ul", "ur"))),
    **_shared("mouthPucker", "mouth_pucker_l", "mouth_pucker_r"),
    # Lips
    **_shared("mouthRollLower", "mouth_suck_dl", "mouth_suck_dr"),
    **_shared("mouthRollUpper", "mouth_suck_ul", "mouth_suck_ur"),
    **_sides("mouth_press", "mouthPress"),
    **_sides("mouth_lowerLipDepress", "mouthLowerDown"),
    **_sides("mouth_upperLipRaise", "mouthUpperUp"),
    "mouth_chinRaise_d": {"mouthShrugLower": 1.0},
    "mouth_chinRaise_u": {"mouthShrugUpper": 1.0},
    "mouth_sideways_l": {"mouthLeft": 1.0},
    "mouth_sideways_r": {"mouthRight": 1.0},
    # Corners
    **_sides("mouth_lipCornerPull", "mouthSmile"),
    **_sides("mouth_lipCornerDepress", "mouthFrown"),
    **_sides("mouth_lipStretch", "mouthStretch"),
    **_sides("mouth_dimple", "mouthDimple"),
    # Cheeks and nose
    **_shared("cheekPuff", "cheek_puff_l", "cheek_puff_r"),
    **_sides("cheek_raise", "cheekSquint"),
    **_sides("nose_wrinkle", "noseSneer"),
    # Brows, lids, eyes
    **_sides("brow_lower", "browDown"),
    **_sides("brow_raise", "browOuterUp"),
    "brow_raise_c": {"browInnerUp": 1.0},
    **_sides("eye_blink2", "eyeBlink"),
    **_sides("eye_shutTight", "eyeSquint"),
    **_sides("eye_upperLidRaise", "eyeWide"),
    **_sides("eye_lookDown2", "eyeLookDown"),
    **_sides("eye_lookUp", "eyeLookUp"),
    "eye_lookLeft_l": {"eyeLookOutLeft": 1.0},
    "eye_lookRight_l": {"eyeLookInLeft": 1.0},
    "eye_lookLeft_r": {"eyeLookInRight": 1.0},
    "eye_lookRight_r": {"eyeLookOutRight": 1.0},
}
"""channel → unit → amount; a channel at 1 with a row {"jawOpen": 0.6} gives jawOpen 0.6"""

_WITHOUT_A_ROW = """
    brow_raise_d cheek_UP cheek_suck_l cheek_suck_r eye_blink1_l eye_blink1_r eye_downLidRaise_l
    eye_downLidRaise_r eye_lidTight_l eye_lidTight_r eye_lookDown1_l eye_lookDown1_r
    mouth_lipCornerDepressFix_l mouth_lipCornerDepressFix_r mouth_lipCornerPullOpen_l
    mouth_lipCornerPullOpen_r mouth_lipStretchOpen_l mouth_lipStretchOpen_r mouth_lowerLipProtrude_c
    mouth_pressFix_c mouth_screamFix_c mouth_stretch_u nose_out_l nose_out_r tooth_d_d tooth_d_u
    tooth_l tooth_r tongue_u tongue_u_u tongue_u_d tongue_d tongue_Scale_X tongue_Scale__X
    tongue_Scale_Y tongue_Scale__Y tongue_Scale_Z tongue_Scale__Z tongue_Rot_1X tongue_Rot__1X
    tongue_Rot_1Y tongue_Rot__1Y tongue_Rot_1Z tongue_Rot__1Z tongue_Rot_2X tongue_Rot__2X
    tongue_Rot_2Y tongue_Rot__2Y tongue_Rot_2Z tongue_Rot__2Z tongue_Rot_3X tongue_Rot__3X
    tongue_Rot_3Y tongue_Rot__3Y tongue_Rot_3Z tongue_Rot__3Z
"""
UNMAPPED = frozenset(_WITHOUT_A_ROW.split())
"""Channels without a row: correctives of other channels, teeth (ours follow the jaw), the tongue
(ours has one unit, tongueOut), and shapes that the 52 units do not have. In the captures only
tooth_d_d among them moves (lower teeth, 99th percentile 0.1)."""

CHANNELS = frozenset(TABLE) | UNMAPPED
"""All 116."""


def channels_to_units(names: list[str], table: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """Return (len(names), 52): channel weights (T, N) @ this are unit weights, before clipping."""
    matrix = np.zeros((len(names), len(UNIT_NAMES)))
    for row, name in enumerate(names):
        for unit, amount in table.get(name, {}).items():
            matrix[row, UNIT_NAMES.index(unit)] = amount
    return matrix
