"""The twelve descriptions under which the lips are measured, from ecstatic laughter to clenched
fury.

The wordings are plain, since here lips are judged and not reading; none is one of the bank's for
training. Each stands for a state of the simulated actor, whose performance of the same phones is
the reference for opening and lag. Descriptions that ask for a shut or gaping mouth are left out,
since there it would be wrong to part or to close the lips as speech does: `LEFT_OUT` names them.
"""

from dataclasses import dataclass

from mien.data.simulate.bank import SPLITS, Bank


@dataclass(frozen=True)
class Scene:
    """What is asked of the face while it speaks."""

    description: str
    state: str | None
    """name of the simulated actor's state that it means; None where that is not known"""
    level: float = 1.0
    """how strong the wording means it, in (0, 1.5]"""


NEUTRAL = Scene("neutral", "neutral")
"""The row that the others are compared with."""

TWELVE = (
    Scene("ecstatic, laughing until the tears come", "laughing"),
    Scene("overjoyed, she can hardly believe it", "delighted"),
    Scene("beaming with happiness", "happy"),
    Scene("lovestruck, her eyes full of tenderness", "tender"),
    Scene("flabbergasted by the news", "surprised"),
    Scene("careworn and fretting about tomorrow", "worried"),
    Scene("heartbroken, holding back tears", "sad"),
    Scene("scared witless, her eyes wide with terror", "terrified"),
    Scene("full of revulsion at the smell", "disgusted"),
    Scene("sneering down at them with contempt", "contemptuous"),
    Scene("infuriated, trembling with rage", "angry"),
    Scene("quietly furious, jaw clenched", "seething"),
)

LEFT_OUT = (
    "lips pressed together",
    "mouth clamped shut",
    "cheeks puffed out",
    "mouth agape, jaw dropped",
    "a yawn",
    "screaming with the mouth wide open",
    "tongue out",
    "pouting, lips pushed forward",
)
"""Wishes for a mouth that stays shut, open or pushed out whatever is said."""


def scenes_of(descriptions: list[str] | None) -> tuple[Scene, ...]:
    """Return the scenes of descriptions; neutral and the twelve where none are given.

    A description's state and level are those of the twelve or of the bank; else the state is not
    known.
    """
    if not descriptions:
        return (NEUTRAL, *TWELVE)
    known = {scene.description.casefold(): scene for scene in (*_in_bank(), NEUTRAL, *TWELVE)}
    return tuple(known.get(text.casefold(), Scene(text, None)) for text in descriptions)


def _in_bank() -> list[Scene]:
    bank = Bank.load()
    return [
        Scene(wording.text, state, wording.level or 1.0)
        for state in bank.entries
        for split in SPLITS
        for wording in bank.descriptions(state, split)
    ]
