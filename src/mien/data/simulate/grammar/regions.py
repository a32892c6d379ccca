"""Draws by region: one thing in the eyes, another in the mouth, or a feeling with an action."""

from collections.abc import Callable

import numpy as np

from mien.data.simulate.grammar.actions import PART_OF, SIDES, UPPER, Doing, together
from mien.data.simulate.grammar.clauses import Clause, Speaker, measured, modes_of
from mien.data.simulate.grammar.feelings import (
    Feeling,
    Zone,
    any_feeling,
    apart,
    eyes_of,
    feelings,
    filled,
    mouth_of,
    two_feelings,
)
from mien.data.simulate.grammar.lists import chance, frames, picked
from mien.data.simulate.grammar.units import Drawn, any_clause, belongs, finished

SLOTS = ("absolute", "attribute", "be", "gerund", "third", "order")
REST = "rest"


def draw_region(random: np.random.Generator, split: str) -> Drawn:
    """A text and its weights."""
    number, kinds = random.random(), tuple(DRAWERS)
    shares = np.cumsum([DRAWERS[kind] for kind in kinds])
    return kinds[int(np.searchsorted(shares, number * shares[-1]))](random, split)


def _pair(random: np.random.Generator, split: str) -> Drawn:
    """ "sad eyes but a small smile"."""
    while True:
        feeling = any_feeling(random, "eyes")
        upper = _upper(random, split, feeling)
        lower = _mouth(random, split, feeling)
        if feeling.name not in upper.meaning and "mouth" not in lower.meaning:
            continue
        if upper.meaning != lower.meaning and belongs([upper.meaning, lower.meaning], split):
            break
    section = "region.pair.loose" if upper.loose or lower.loose else "region.pair"
    text = _spoken(random, split, section, u=upper.text, l=lower.text)
    return text, {**upper.weights, **lower.weights}


def _upper(random: np.random.Generator, split: str, feeling: Feeling) -> Zone:
    """A feeling's eyes, eyes at rest or something they or the brows do."""
    number = random.random()
    if number < 0.1:
        return _rest(random, split, "upper")
    return _acting(random, split, high=True) if number < 0.25 else eyes_of(random, split, feeling)


def _mouth(random: np.random.Generator, split: str, other: Feeling) -> Zone:
    """A feeling's mouth, a mouth at rest or one that does something."""
    number = random.random()
    if number < 0.15:
        return _rest(random, split, "lower")
    if number < 0.45:
        return _acting(random, split, high=False)
    while True:
        feeling = any_feeling(random, "mouth")
        if apart(feeling, other):
            return mouth_of(random, split, feeling)


def _rest(random: np.random.Generator, split: str, half: str) -> Zone:
    """A half of the face that shows nothing."""
    return Zone(frames(f"region.{half}.rest").pick(random, split), {}, f"{REST}.{half}")


def _acting(random: np.random.Generator, split: str, *, high: bool) -> Zone:
    """An action of one half of the face: "pressed lips", "brows raised", "smiling"."""
    while True:
        clause = any_clause(random)
        halves = {_is_high(part) for part in clause.doing.claimed}
        modes = modes_of(clause) & {"attribute", "absolute", "gerund"}
        if halves == {high} and not clause.action.zero and modes:
            break
    mode = "attribute" if "attribute" in modes and chance(random, 0.6) else ""
    mode = mode or picked(random, tuple(sorted(modes)))
    if chance(random, 0.2):
        clause = measured(random, split, clause)
        mode = mode if mode in modes_of(clause) else "absolute"
    text = Speaker(random, split).say(clause, mode)
    weights = {u: a for u, a in clause.doing.bare().items() if _is_high(PART_OF[u]) == high}
    return Zone(text, weights, clause.doing.meaning, loose=mode != "attribute")


def _is_high(part: str) -> bool:
    """Whether a part lies in the upper face."""
    return part.partition(".")[0] in UPPER


def _adjectives(random: np.random.Generator, split: str) -> Drawn:
    """ "angry above the nose, happy below it"."""
    while True:
        x, y = any_feeling(random, "eyes"), any_feeling(random, "mouth")
        if apart(x, y) and belongs([f"{x.name}.eyes", f"{y.name}.mouth"], split):
            break
    text = _spoken(random, split, "region.pair.adjectives", x=x, y=y)
    return text, {**x.upper, **y.lower}


def _brows(random: np.random.Generator, split: str) -> Drawn:
    """ "angry brows over a happy mouth": of the upper face only the brows."""
    while True:
        x = any_feeling(random, "brows")
        lower = _mouth(random, split, x)
        if not lower.loose and belongs([f"{x.name}.brows", lower.meaning], split):
            break
    text = _spoken(random, split, "region.brows", x=x, l=lower.text)
    return text, {**x.brows, **lower.weights}


def _brows_only(random: np.random.Generator, split: str) -> Drawn:
    x = any_feeling(random, "brows")
    return _spoken(random, split, "region.brows.only", x=x), x.brows


def _upper_only(random: np.random.Generator, split: str) -> Drawn:
    """ "laughing eyes, straight mouth"."""
    x = any_feeling(random, "eyes")
    return _spoken(random, split, "region.upper.only", x=x), x.upper


def _lower_only(random: np.random.Generator, split: str) -> Drawn:
    """ "angry with the mouth only"."""
    y = any_feeling(random, "mouth")
    return _spoken(random, split, "region.lower.only", y=y), y.lower


def _smile_only(random: np.random.Generator, split: str) -> Drawn:
    """ "a smile that does not reach the eyes"."""
    happy = next(feeling for feeling in feelings() if feeling.name == "happy")
    return _spoken(random, split, "region.smile.only"), happy.lower


def _halves(random: np.random.Generator, split: str) -> Drawn:
    """ "left half of the face happy, right half sad"; what has no side is half of each."""
    while True:
        x, y = two_feelings(random)
        if belongs([f"{x.name}.left", f"{y.name}.right"], split):
            break
    weights = {}
    for unit in {**x.weights, **y.weights}:
        left, right = x.weights.get(unit, 0.0), y.weights.get(unit, 0.0)
        side = PART_OF[unit].partition(".")[2] or _gaze_side(unit)
        weights[unit] = {"left": left, "right": right}.get(side, (left + right) / 2)
    return _spoken(random, split, "region.halves", x=x, y=y), weights


def _gaze_side(unit: str) -> str:
    """The side of a unit whose part has none; eyes look one way, so a gaze has none either."""
    if PART_OF[unit] in ("gaze", "shift", "jaw"):
        return ""
    return next((side for side in SIDES if unit.endswith(side.capitalize())), "")


def _with_action(random: np.random.Generator, split: str) -> Drawn:
    """ "happy, with the left eye closed": what the action claims is the action's."""
    while True:
        x, clause = any_feeling(random), any_clause(random)
        if set(SLOTS) & modes_of(clause) and belongs([x.name, clause.doing.meaning], split):
            break
    if chance(random, 0.2):
        clause = measured(random, split, clause)
    text = spoken_with(random, split, "region.action", clause, x=x)
    return text, acting(x, clause.doing)


def acting(feeling: Feeling, doing: Doing) -> dict[str, float]:
    """The weights of a feeling in which an action settles its parts."""
    rest = {u: a for u, a in feeling.weights.items() if PART_OF[u] not in doing.claimed}
    return rest | together([doing], claimed=frozenset(PART_OF[u] for u in rest))


# Saying


def spoken_with(
    random: np.random.Generator,
    split: str,
    section: str,
    clause: Clause,
    **named: Feeling,
) -> str:
    """A frame of a section with feelings and a clause in the mode the frame asks for."""
    speaker, there = Speaker(random, split), modes_of(clause)
    while True:
        frame = frames(section).pick(random, split)
        mode = next((slot for slot in SLOTS if f"{{{slot}}}" in frame), None)
        bare = "with {absolute}" in frame and not clause.action.part  # "with smiling"
        if mode in there and not bare:
            break
    frame = filled(random, split, frame, **named).replace("{subject}", speaker.subject)
    return finished(frame.replace(f"{{{mode}}}", speaker.say(clause, str(mode))))


def _spoken(random: np.random.Generator, split: str, section: str, **slots: str | Feeling) -> str:
    """A frame of a section with feelings and phrases."""
    frame = frames(section).pick(random, split)
    named = {slot: value for slot, value in slots.items() if isinstance(value, Feeling)}
    frame = filled(random, split, frame, **named)
    frame = frame.replace("{subject}", Speaker(random, split).subject)
    for slot, value in slots.items():
        if isinstance(value, str):
            frame = frame.replace(f"{{{slot}}}", value)
    return finished(frame)


DRAWERS: dict[Callable[[np.random.Generator, str], Drawn], float] = {
    _pair: 0.33,
    _adjectives: 0.18,
    _brows: 0.1,
    _with_action: 0.25,
    _upper_only: 0.05,
    _lower_only: 0.05,
    _brows_only: 0.02,
    _smile_only: 0.02,
    _halves: 0.02,
}
