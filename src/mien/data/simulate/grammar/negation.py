"""Draws with a denial: what is denied is not shown, and what is said beside it is.

A denied action alone leaves the face at rest; a denied feeling leaves the one set against it.
"""

from dataclasses import replace

import numpy as np

from mien.data.simulate.grammar.actions import SIDES, Doing, actions, together, without
from mien.data.simulate.grammar.clauses import MODES, ONE_SIDED, Clause, Speaker, modes_of, parts
from mien.data.simulate.grammar.feelings import Feeling, any_feeling, filled, two_feelings
from mien.data.simulate.grammar.lists import chance, frames, picked
from mien.data.simulate.grammar.regions import spoken_with
from mien.data.simulate.grammar.units import Drawn, any_clause, belongs, finished, framed, joined

SEEN = 0.2
"""An amount from which one sees that a denial takes it away."""


def draw_negation(random: np.random.Generator, split: str) -> Drawn:
    """A text and its weights."""
    return picked(random, DRAWERS)(random, split)


def _denied(random: np.random.Generator, split: str) -> Drawn:
    """ "not smiling", "don't raise your brows": rest."""
    speaker, clause = Speaker(random, split), replace(_acted(random), denied=True)
    number = random.random()
    if number < 0.25:
        return framed(random, split, "denied.words", speaker.subject), {}
    if number < 0.5:
        return _filled(random, split, "without.alone", clause, speaker), {}
    mode = picked(random, tuple(sorted(modes_of(clause))))
    text = speaker.say(clause, mode)
    if chance(random, 0.2):
        other = _acted(random)
        if mode in modes_of(other) and not other.doing.claimed & clause.doing.claimed:
            other_text = speaker.say(replace(other, denied=True), mode)
            text = f"{text}{picked(random, (', ', ' and '))}{other_text}"
    return framed(random, split, _list(mode, clause), speaker.subject, list=text), {}


def _list(mode: str, *clauses: Clause) -> str:
    """The frames for a list with a denial: "try to don't" and "with not smiling" are not said."""
    if mode == "order":
        return "list.order.denied"
    whole = mode == "absolute" and any(not clause.action.part for clause in clauses)
    return "list.mixed" if whole else f"list.{mode}"


def _but(random: np.random.Generator, split: str) -> Drawn:
    """ "brows raised, but not smiling"."""
    speaker = Speaker(random, split)
    while True:
        clauses = [any_clause(random) for _ in range(2 if chance(random, 0.3) else 1)]
        clauses.append(_acted(random))
        claims = [c.doing.claimed for c in clauses]
        apart = sum(map(len, claims)) == len(frozenset().union(*claims))
        shared = frozenset(MODES).intersection(*map(modes_of, clauses))
        if apart and shared and belongs([c.doing.meaning for c in clauses], split):
            break
    mode = picked(random, tuple(sorted(shared)))
    *shown, left_out = clauses
    first = joined(random, split, mode, [speaker.say(clause, mode) for clause in shown])
    second = speaker.say(replace(left_out, denied=True), mode)
    text = frames(f"but.{mode}").pick(random, split).replace("{a}", first).replace("{b}", second)
    text = framed(random, split, _list(mode, *clauses), speaker.subject, list=text)
    return text, without(together(c.doing for c in shown), left_out.doing)


def _instead(random: np.random.Generator, split: str) -> Drawn:
    """ "pressed lips instead of a smile"."""
    shown, left_out = _opposed(random, split)
    speaker = Speaker(random, split)
    modes = modes_of(shown) & modes_of(left_out) & {"attribute", "gerund"}
    if not modes:
        return _instead(random, split)
    mode = picked(random, tuple(sorted(modes)))
    frame = frames(f"instead.{mode}").pick(random, split)
    text = frame.replace("{a}", speaker.say(shown, mode)).replace(
        "{b}", speaker.say(left_out, mode)
    )
    return finished(text), _left(shown.doing, left_out.doing)


def _without(random: np.random.Generator, split: str) -> Drawn:
    """ "raise your brows without smiling"."""
    shown, left_out = _opposed(random, split)
    text = _filled(random, split, "without.action", left_out, Speaker(random, split), shown)
    return text, _left(shown.doing, left_out.doing)


def _opposed(random: np.random.Generator, split: str) -> tuple[Clause, Clause]:
    """An action to show and another to leave out, that share no unit and no words."""
    while True:
        shown, left_out = any_clause(random), _acted(random)
        units = shown.doing.bare().keys() & left_out.doing.bare().keys()
        same_part = shown.action.part == left_out.action.part and shown.action.part
        meanings = [shown.doing.meaning, left_out.doing.meaning]
        if not units and not same_part and shown.action.alone and belongs(meanings, split):
            return shown, left_out


def _left(shown: Doing, left_out: Doing) -> dict[str, float]:
    return without(shown.weights(), left_out)


def _side(random: np.random.Generator, split: str) -> Drawn:
    """ "left eyebrow up, not the right"."""
    fitting = [a for a in actions().values() if set(SIDES) <= set(a.sides) and not a.fixed]
    action = picked(random, tuple(a for a in fitting if a.part and not a.side_after))
    side = picked(random, SIDES)
    other = SIDES[side == "left"]
    one = parts()[action.part].pick(random, split).partition("/")[0]
    section = "side.not" if chance(random, 0.6) else "side.order"
    objects = {"do": f"the {side} {one}", "undo": f"the {other} {one}"}
    text = frames(section).pick(random, split)
    for slot, thing in objects.items():
        text = text.replace(f"{{{slot}}}", action.do.pick(random, split).replace("_", thing))
    words = {"side": side, "other": other, "one": one, "be": action.be.pick(random, split)}
    for slot, word in words.items():
        text = text.replace(f"{{{slot}}}", word)
    return finished(text), Doing(action, side).weights()


def _feeling(random: np.random.Generator, split: str) -> Drawn:
    """ "happy but not smiling"."""
    if chance(random, 0.1):
        x, smile = any_feeling(random), Doing(actions()["smile"])
        return _felt(random, split, "feeling.unsmiling", x, x), without(x.weights, smile)
    x, clause = _feeling_and_denied(random, split)
    if chance(random, 0.3):
        text = _filled(random, split, "without.feeling", clause, Speaker(random, split), x=x)
    else:
        text = spoken_with(random, split, "feeling.not", replace(clause, denied=True), x=x)
    return text, without(x.weights, clause.doing)


def _feeling_and_denied(random: np.random.Generator, split: str) -> tuple[Feeling, Clause]:
    """A feeling and an action to leave out, mostly one that it shows."""
    shows = chance(random, 0.7)
    while True:
        x, clause = any_feeling(random), _acted(random)
        gone = x.weights.keys() - without(x.weights, clause.doing).keys()
        seen = max((x.weights[unit] for unit in gone), default=0.0) >= SEEN
        if seen == shows and belongs([x.name, f"not {clause.doing.meaning}"], split):
            return x, clause


def _swap(random: np.random.Generator, split: str) -> Drawn:
    """ "not sad but happy"."""
    while True:
        x, y = two_feelings(random)
        if belongs([x.name, f"not {y.name}"], split):
            break
    return _felt(random, split, "feeling.swap", x, y), dict(x.weights)


def _none(random: np.random.Generator, split: str) -> Drawn:
    """ "calm, no longer angry": rest."""
    return _felt(random, split, "feeling.none", *two_feelings(random)), {}


def _felt(random: np.random.Generator, split: str, section: str, x: Feeling, y: Feeling) -> str:
    """A frame with two feelings."""
    text = filled(random, split, frames(section).pick(random, split), x=x, y=y)
    return finished(text.replace("{subject}", Speaker(random, split).subject))


def _acted(random: np.random.Generator) -> Clause:
    """An action that can be denied: not rest, nor "one side", which could mean both instead."""
    while True:
        clause = any_clause(random)
        ambiguous = clause.side_word == ONE_SIDED or clause.action.name == "smile_side"
        if not clause.action.zero and not ambiguous:
            return clause


def _filled(
    random: np.random.Generator,
    split: str,
    section: str,
    left_out: Clause,
    speaker: Speaker,
    shown: Clause | None = None,
    x: Feeling | None = None,
) -> str:
    """A frame with an action to leave out ({plain}, {doing}) and perhaps one to show."""
    while True:
        frame = frames(section).pick(random, split)
        said = {"plain": (left_out, "attribute"), "doing": (left_out, "gerund")}
        said |= {mode: (shown, mode) for mode in MODES} if shown else {}
        wanted = {slot: what for slot, what in said.items() if f"{{{slot}}}" in frame}
        if all(clause is not None and mode in modes_of(clause) for clause, mode in wanted.values()):
            break
    frame = filled(random, split, frame, x=x).replace("{subject}", speaker.subject)
    for slot, (clause, mode) in wanted.items():
        assert clause is not None
        frame = frame.replace(f"{{{slot}}}", speaker.say(replace(clause, denied=False), mode))
    return finished(frame)


DRAWERS = (_denied,) * 4 + (_but,) * 6 + (_instead,) * 2 + (_without,) * 2 + (_side,) * 3
DRAWERS += (_feeling,) * 7 + (_swap,) * 3 + (_none,) * 2
