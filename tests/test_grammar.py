"""The grammar of descriptions: weights are what the words mean, and no held-out text leaks."""

import re
import time
from collections import Counter
from functools import cache

import numpy as np
import pytest

from mien.data.simulate.expressions import STATES
from mien.data.simulate.grammar import KINDS, SPLITS, Composition, draw, held_stems, strengthened
from mien.data.simulate.grammar.actions import (
    BOTH,
    PART_OF,
    UPPER,
    Doing,
    actions,
    together,
    without,
)
from mien.data.simulate.grammar.english import articled, gerund, third
from mien.data.simulate.grammar.feelings import feelings
from mien.data.simulate.grammar.lists import FILES, sections, stem
from mien.data.simulate.grammar.strength import form_of
from mien.data.simulate.grammar.units import chosen
from mien.errors import MienError
from mien.face import UNIT_NAMES

DRAWS = 4000
FACIAL_NAMES = """
brows_raised brows_lowered eyes_wide eyes_closed squinting nose_wrinkled cheeks_puffed lips_pressed
kissing lip_bitten mouth_open teeth_bared tongue_out looking_up looking_down
"""
FACIAL = FACIAL_NAMES.split()
FACIAL_SIDES = {"brows_raised": "brow", "eyes_closed": "wink", "wink": "wink"}
FACIAL_SIDES |= {"smile_side": "smirk", "looking_side": "looking"}


@cache
def draws(split: str, kind: str | None = None, count: int = DRAWS) -> tuple[Composition, ...]:
    random = np.random.default_rng([*split.encode(), *(kind or "").encode()])
    return tuple(draw(random, split, kind) for _ in range(count))


def in_half(weights: dict[str, float], *, upper: bool) -> dict[str, float]:
    return {u: a for u, a in weights.items() if (PART_OF[u].partition(".")[0] in UPPER) == upper}


def state(name: str) -> dict[str, float]:
    return dict(STATES[name].weights)


# -- draws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_draws_are_units_with_weights(split):
    for made in draws(split):
        assert set(made.weights) <= set(UNIT_NAMES)
        assert all(0 < amount <= 1 for amount in made.weights.values()), made
        assert made.kind in KINDS


@pytest.mark.parametrize("split", SPLITS)
def test_texts_are_clean(split):
    """Guards the frames: a slot left open, a mark left in, a word doubled, a wrong article."""
    wrong = re.compile(
        r"[{}_~^*@]|  |^\W|\b(a|the|with|no|not|to|is|and|but) \1\b|\ba [aeio]"
        r"|\bwith (with|without)|\b(her|his|their|the|your) (the|her|his|their|your)\b"
        r"|\bto (don't|stop|never) |\.\.",
        re.IGNORECASE,
    )
    bad = [
        made.text for made in draws(split) if wrong.search(made.text) and "a one" not in made.text
    ]
    assert not bad, bad[:5]


def test_the_same_generator_gives_the_same_draws():
    first, second = (np.random.default_rng(3) for _ in range(2))
    for split in SPLITS:
        made = [draw(first, split) for _ in range(50)]
        assert made == [draw(second, split) for _ in range(50)]
        assert len({m.text for m in made}) > 45


def test_draws_vary():
    texts = [made.text for made in draws("train")]
    assert len(set(texts)) > 0.9 * len(texts)
    assert all(count > 0.1 * DRAWS for count in Counter(m.kind for m in draws("train")).values())


@pytest.mark.parametrize("split", SPLITS)
def test_draws_are_quick(split):
    """More than 2,000 a second are wanted; half of it passes on a busy machine."""
    random = np.random.default_rng(0)
    began = time.process_time()
    for _ in range(1000):
        draw(random, split)
    assert time.process_time() - began < 1.0


def test_unknown_names_are_refused():
    random = np.random.default_rng(0)
    with pytest.raises(MienError, match=r"no split 'dev'.*train"):
        draw(random, "dev")
    with pytest.raises(MienError, match=r"no split 'dev'.*train"):
        strengthened(random, "happy", "dev")
    with pytest.raises(MienError, match=r"no kind 'poem'.*units"):
        draw(random, "train", "poem")


# -- meanings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FACIAL)
def test_facial_words_are_the_bank_s_states(name):
    assert together([Doing(actions()[name])]) == state(name)


@pytest.mark.parametrize(("name", "stem_of_state"), FACIAL_SIDES.items())
@pytest.mark.parametrize("side", ["left", "right"])
def test_sides_are_the_bank_s_states(name, stem_of_state, side):
    assert together([Doing(actions()[name], side)]) == state(f"{stem_of_state}_{side}")


def test_actions_beside_each_other_keep_to_their_parts():
    """A closed eye smiles only alone; a wink smiles unless the mouth is taken."""
    closed, wink = (Doing(actions()[name], "left") for name in ("eyes_closed", "wink"))
    raised, pressed, frown = (
        Doing(actions()[n]) for n in ("brows_raised", "lips_pressed", "corners_down")
    )
    weights = together([closed, raised, pressed])
    assert weights["eyeBlinkLeft"] == state("wink_left")["eyeBlinkLeft"]
    assert not {"mouthSmileLeft", "browDownLeft"} & weights.keys()
    assert weights["browOuterUpRight"] == state("brows_raised")["browOuterUpRight"]
    assert "mouthSmileLeft" in together([wink, raised])
    assert "mouthSmileLeft" not in together([wink, frown])


def test_amounts_scale():
    half = Doing(actions()["tongue_out"], BOTH, 0.5)
    assert half.weights()["tongueOut"] == pytest.approx(state("tongue_out")["tongueOut"] / 2)
    assert max(Doing(actions()["brows_raised"], BOTH, 1.5).weights().values()) == 1.0


def test_denied_units_are_gone_and_others_stay():
    happy, smile = state("happy"), Doing(actions()["smile"])
    left = without(happy, smile)
    assert not [unit for unit in left if unit.startswith("mouth")]
    assert left["cheekSquintLeft"] == happy["cheekSquintLeft"]


def test_a_denial_takes_no_more_than_it_names():
    """Guards "surprised, tongue not out", which once shut the mouth, as the tongue opens it."""
    surprised, angry = state("surprised"), state("angry")
    assert without(surprised, Doing(actions()["tongue_out"])) == surprised
    assert without(angry, Doing(actions()["lip_bitten"])) == angry
    assert without(state("tender"), Doing(actions()["wink"], "right")) == state("tender")
    open_mouth = without(surprised, Doing(actions()["mouth_open"]))
    assert open_mouth == {u: a for u, a in surprised.items() if u != "jawOpen"}


READINGS = [
    # what a text says, a unit that shows it, and one that must not move more
    (r"^(the )?left (eye)?brow (is )?(raised|up|lifted)", "browOuterUpLeft", "browOuterUpRight"),
    (r"^(the )?right (eye)?brow (is )?(raised|up|lifted)", "browOuterUpRight", "browOuterUpLeft"),
    (r"^(the )?left (eye|eyelid|lid) (is )?(closed|shut)", "eyeBlinkLeft", "eyeBlinkRight"),
    (r"^(the )?right (eye|eyelid|lid) (is )?(closed|shut)", "eyeBlinkRight", "eyeBlinkLeft"),
    (r"^(smirk|smil)ing (only )?on the left", "mouthSmileLeft", "mouthSmileRight"),
    (r"^(smirk|smil)ing (only )?on the right", "mouthSmileRight", "mouthSmileLeft"),
    (r"^looking (to the )?left", "eyeLookOutLeft", "eyeLookOutRight"),
    (r"^looking (to the )?right", "eyeLookOutRight", "eyeLookOutLeft"),
    (r"^(the )?(eye)?brows (are )?(raised|up)(,|$)", "browOuterUpLeft", "browDownLeft"),
    (r"^(the )?(eye)?brows (are )?(lowered|down)", "browDownLeft", "browInnerUp"),
    (r"tongue (is )?(out|sticking out)", "tongueOut", "mouthClose"),
    (r"^(the )?right cheek (is )?(raised|up|lifted|high)", "cheekSquintRight", "cheekSquintLeft"),
]


@pytest.mark.parametrize(("said", "shown", "less"), READINGS)
def test_texts_show_what_they_say(said, shown, less):
    """A plain reader, by regular expression, of what the engine wrote from its tables."""
    told = [m for m in draws("train", "units", 25000) if re.search(said, m.text, re.IGNORECASE)]
    assert told
    for made in told:
        assert made.weights.get(shown, 0) > 0.15, made
        assert made.weights.get(shown, 0) > made.weights.get(less, 0), made


NEGATIONS = [
    (r"\b(not|don't|never|stop|without|no longer|doesn't) (smil|grin)", "mouthSmile"),
    (r"\bno (smile|grin)|unsmiling|instead of (smil|a smile)", "mouthSmile"),
    (
        r"\b(without|not|don't|no longer) (rais|lift)(e|ing) (the|your|her|his) (eye)?brows",
        "browOuterUp",
    ),
    (r"brows (are )?(not|never) (lowered|down|pulled down)", "browDown"),
    (r"mouth (is )?(not|never|no longer) (open|hanging open|wide open|opened)", "jawOpen"),
    (r"\b(without|not|don't) (stick|pok)(e|ing) out (the|your|her|his) tongue", "tongueOut"),
]


@pytest.mark.parametrize(("said", "unit"), NEGATIONS)
def test_what_is_denied_is_not_shown(said, unit):
    told = [
        m
        for m in draws("train", "negation", 25000)
        if re.search(said, m.text, re.IGNORECASE)
        and not re.search(
            "left|right|one|toothy|corner|only|teeth|middle|not (smiling|grinning) but", m.text
        )
    ]
    assert len(told) > 3
    for made in told:
        assert not [u for u in made.weights if u.startswith(unit)], made


@pytest.mark.parametrize("text", ["no longer", "neither"])
def test_calm_after_a_feeling_is_rest(text):
    told = [
        m for m in draws("train", "negation") if m.text.startswith(("calm, " + text, text + " "))
    ]
    rest = [m for m in told if not re.search(r", now |brow|eye|lip|mouth|but", m.text)]
    assert rest
    assert not any(m.weights for m in rest)


def test_a_swap_shows_the_one_that_is_meant():
    adjectives = {w: f for f in feelings() for w in f.adjectives.plain}
    told = 0
    for made in draws("train", "negation"):
        match = re.fullmatch(r"not ([\w ]+) but ([\w ]+)", made.text)
        if match and match[1] in adjectives and match[2] in adjectives:
            told += 1
            assert made.weights == pytest.approx(adjectives[match[2]].weights)
    assert told


def test_regions_take_their_half_from_their_state():
    adjectives = {w: f for f in feelings() for w in f.adjectives.plain}
    told = 0
    for made in draws("train", "region", 12000):
        match = re.fullmatch(r"([\w ]+) around the eyes, ([\w ]+) around the mouth", made.text)
        if match and match[1] in adjectives and match[2] in adjectives:
            told += 1
            upper, lower = (state(adjectives[match[i]].name) for i in (1, 2))
            assert in_half(dict(made.weights), upper=True) == in_half(upper, upper=True)
            assert in_half(dict(made.weights), upper=False) == in_half(lower, upper=False)
    assert told


def test_a_smile_with_the_mouth_only_leaves_the_eyes():
    told = [m for m in draws("train", "region", 12000) if m.text == "smiling with the mouth only"]
    assert told
    for made in told:
        assert made.weights == in_half(state("happy"), upper=False)


@pytest.mark.parametrize(
    ("frame", "share"),
    [("a mix of {} and {}", 0.5), ("half {}, half {}", 0.5), ("mostly {}, a little {}", 0.7)],
)
def test_mixtures_are_blends(frame, share):
    named = {w: f for f in feelings() for w in (*f.adjectives.plain, *f.nouns.plain)}
    told = 0
    for made in draws("train", "mixture", 6000):
        match = re.fullmatch(frame.replace("{}", "([a-z]+)"), made.text)
        if match and match[1] in named and match[2] in named:
            told += 1
            x, y = (state(named[match[i]].name) for i in (1, 2))
            for unit in {**x, **y}:
                wanted = share * x.get(unit, 0) + (1 - share) * y.get(unit, 0)
                assert made.weights.get(unit, 0) == pytest.approx(wanted, abs=1e-3)
    assert told


# -- splits ---------------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def neighbours(text: str) -> set[tuple[str, ...]]:
    """A text's words, and they without each one: two texts a word apart have one in common."""
    said = tuple(words(text))
    return {said, *(said[:i] + said[i + 1 :] for i in range(len(said)))}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_no_held_out_text_is_a_word_away_from_training(split):
    """By search in draws; the next test says why it holds for all."""
    trained = set().union(*(neighbours(m.text) for m in draws("train")))
    near = [m.text for m in draws(split) if neighbours(m.text) & trained]
    assert not near, near[:5]
    assert neighbours("brows raised, lips tight") & neighbours("brows lowered, lips tight")
    assert not neighbours("brows raised, lips tight") & neighbours("brows lowered, lips thin")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_held_out_texts_have_two_words_that_training_lacks(split):
    held = held_stems(split)
    for made in draws("train"):
        assert not held.intersection(map(stem, words(made.text))), made.text
    for made in draws(split):
        assert sum(stem(word) in held for word in words(made.text)) >= 2, made.text


def test_held_out_splits_share_no_held_out_word():
    assert not held_stems("validation") & held_stems("test")
    assert not held_stems("train")


def test_combinations_are_held_out():
    """Beside the words: what is combined in a held-out draw is not combined in training."""

    def combined(split):
        random = np.random.default_rng(4)
        clauses = [chosen(random, split) for _ in range(3000)]
        return {tuple(sorted(c.doing.meaning for c in made)) for made in clauses if len(made) > 1}

    train, validation, test = (combined(split) for split in SPLITS)
    assert not train & test
    assert not train & validation
    assert not validation & test
    assert min(map(len, (train, validation, test))) > 500


# -- strength -------------------------------------------------------------------------------------

WORDINGS = [
    "happy",
    "sadness",
    "a smile",
    "a face like thunder",
    "She smiles warmly.",
    "Smile at me",
]


@pytest.mark.parametrize("text", WORDINGS)
@pytest.mark.parametrize("split", SPLITS)
def test_strength_goes_with_its_words(text, split):
    random = np.random.default_rng(1)
    weak = re.compile(
        r"slight|a little|a bit|faint|hint|barely|subtl|trace|scarcely|smidgen|minimally"
    )
    strong = re.compile(r"\bvery|extreme|utter|intense|over the top|tremendous|powerful|exceeding")
    seen = set()
    for _ in range(300):
        said, level = strengthened(random, text, split)
        seen.add(said)
        assert 0.2 <= level <= 1.5
        assert not re.search(r"[{}*~^]|  ", said), said
        assert text.split()[-1].strip(".").lower() in said.lower()
        if weak.search(said.lower()):
            assert level <= 0.6 or "subtle" not in said, (said, level)
        if strong.search(said.lower()) and not re.search("subtle|noticeable", said.lower()):
            assert level >= 1.15, (said, level)
    assert len(seen) >= (2 if split == "validation" else 3)


@pytest.mark.parametrize("text", WORDINGS)
def test_strength_wordings_of_the_splits_differ(text):
    random = np.random.default_rng(2)
    said = [{strengthened(random, text, split)[0] for _ in range(500)} for split in SPLITS]
    near = [set().union(*map(neighbours, texts)) for texts in said]
    assert not near[0] & near[1]
    assert not near[0] & near[2]
    assert not near[1] & near[2]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("happy", "adjective"),
        ("grief-stricken and lost", "phrase"),
        ("sorrow", "noun"),
        ("a smile", "shown"),
        ("a long face", "phrase"),
        ("He has won.", "sentence"),
    ],
)
def test_forms(text, form):
    assert form_of(text) == form


# -- words ----------------------------------------------------------------------------------------


def test_all_states_are_reached():
    """Every state is a feeling or taken by an action; a new state must get its words here."""
    taken = {f.name for f in feelings()} | {"neutral"}
    taken |= {
        n
        for n in STATES
        if any(state(n) == dict(w) for a in actions().values() for w in a.weights.values())
    }
    assert set(STATES) <= taken


@pytest.mark.parametrize("feeling", feelings(), ids=lambda f: f.name)
def test_feelings_show_where_they_say(feeling):
    shown = {"eyes": feeling.upper, "mouth": feeling.lower, "brows": feeling.brows}
    for zone in feeling.zones:
        assert sum(shown[zone].values()) >= 0.4, f"{feeling.name} hardly shows in the {zone}"


@pytest.mark.parametrize(
    ("base", "she", "ing"),
    [
        ("raise her brows", "raises her brows", "raising her brows"),
        ("press", "presses", "pressing"),
        ("shut the eye", "shuts the eye", "shutting the eye"),
        ("be raised", "is raised", "being raised"),
        ("squeeze", "squeezes", "squeezing"),
        ("pucker up", "puckers up", "puckering up"),
    ],
)
def test_verbs(base, she, ing):
    assert (third(base), gerund(base)) == (she, ing)


def test_articles():
    assert articled("a open mouth and a unhappy look") == "an open mouth and an unhappy look"
    assert articled("a one-sided smile") == "a one-sided smile"


def test_files_have_no_line_twice():
    """A wording both free and held out would be no held-out wording."""
    for file in FILES:
        for name, lines in sections(file).items():
            marked = {line[1:] for line in lines if line[0] in "~^"}
            assert not marked & set(lines), f"{file}, {name}"
