"""The states and the words for them: right units, enough wordings, and no leak into the test."""

import copy
import functools
import itertools
import json
import re
from collections.abc import Iterable

import numpy as np
import pytest

from mien.data.simulate.bank import BANK_PATH, KINDS, SPLITS, Bank
from mien.data.simulate.expressions import STATES
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

# Words that carry no expression; "not", "no", "left", "one" and the like stay content.
STOP = frozenset(
    re.findall(
        "[a-z]+",
        "a an the and or but as if of to in on at by for with from into up is are was were be "
        "been it its he she his her him they their them i me my you your we us our this that "
        "there who what has have had do does did will would could can just so than then when "
        "while like looks look person someone somebody face play say s t ",
    )
)
SUFFIXES = ("fully", "edly", "ingly", "ness", "ing", "ful", "ed", "ly", "es", "y", "s", "e")
HELD_OUT = ("quietly furious, jaw clenched", "boiling with fury", "devastated", "dawning horror")


def stem(word: str) -> str:
    """A rough stem, so that "worried" and "worries" count as one word."""
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)].rstrip("i")
    return word


@functools.cache
def content(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning (all words, if none does)."""
    words = re.findall(r"[a-z]+", text.lower())
    return frozenset(stem(w) for w in words if w not in STOP) or frozenset(words)


def too_close(held_out: frozenset[str], trained: frozenset[str]) -> bool:
    """The same words, nearly the same, all but one of three or more, or one added to one."""
    shared = len(held_out & trained)
    one_added = len(held_out) == 2 and trained < held_out
    one_replaced = len(held_out) == len(trained) >= 3 and shared >= len(held_out) - 1
    return shared / len(held_out | trained) >= 0.8 or one_replaced or one_added


def leaks(bank: Bank, split: str, states: Iterable[str] = STATES) -> list[str]:
    """Wordings of a split that training has seen, or seen but for one word in the same state."""
    everywhere = {content(d.text) for s in STATES for d in bank.descriptions(s, "train")}
    found = []
    for state in states:
        trained = {content(d.text) for d in bank.descriptions(state, "train")}
        vocabulary = frozenset().union(*trained)
        for text in (d.text for d in bank.descriptions(state, split)):
            words = content(text)
            near = (t for t in trained if not words.isdisjoint(t))
            known = words in everywhere or any(too_close(words, t) for t in near)
            if known or (len(words) == 1 and words <= vocabulary):
                found.append(f"{state}: {text}")
    return found


@pytest.fixture(scope="module")
def bank() -> Bank:
    return Bank.load()


@pytest.fixture
def content_of_file() -> dict:
    return json.loads(BANK_PATH.read_text(encoding="utf-8"))


# -- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_are_amounts_of_units(state):
    assert set(state.weights) <= set(UNIT_NAMES)
    assert all(0 < amount <= 1 for amount in state.weights.values())
    assert 0.1 <= state.onset <= 2
    assert bool(state.facs) == bool(state.weights)
    assert state.note


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_leave_room_for_speech(state):
    """The actor opens and closes the mouth on top of a state."""
    assert state.weights.get("jawOpen", 0) <= 0.25
    assert "mouthClose" not in state.weights
    assert state.weights.get("mouthFunnel", 0) <= 0.3


def test_level_scales_and_stops_at_one():
    happy = STATES["happy"]
    smile = UNIT_NAMES.index("mouthSmileLeft")
    amount = happy.weights["mouthSmileLeft"]
    assert happy.weights_at(0.5, UNIT_NAMES)[smile] == pytest.approx(amount / 2)
    assert happy.weights_at(1.5, UNIT_NAMES)[smile] == 1.0
    assert not happy.weights_at(0.0, UNIT_NAMES).any()
    assert not STATES["neutral"].weights_at(1.5, UNIT_NAMES).any()


def test_winks_and_brows_know_their_side():
    assert STATES["wink_left"].weights["eyeBlinkLeft"] == 1.0
    assert "eyeBlinkRight" not in STATES["wink_left"].weights
    assert STATES["brow_right"].weights["browOuterUpRight"] == 1.0
    swap = {"Left": "Right", "Right": "Left"}
    for name in ("wink", "brow"):
        left, right = STATES[f"{name}_left"].weights, STATES[f"{name}_right"].weights
        mirror = {re.sub("Left|Right", lambda m: swap[m[0]], u): a for u, a in left.items()}
        assert mirror == right


def test_no_two_states_look_alike():
    """At level 1, the 200 skin vertices that differ most are 1.5 mm apart on average."""
    face = Face.load()
    weights = np.stack([s.weights_at(1.0, face.unit_names) for s in STATES.values()])
    skin = face.weights_to_vertices(face.limit(weights))[:, face.parts["skin"]]
    for (a, one), (b, other) in itertools.combinations(zip(STATES, skin, strict=True), 2):
        distance = np.linalg.norm(one - other, axis=-1)
        assert np.sort(distance)[-200:].mean() > 1.5e-3, f"{a} and {b} look alike"


# -- the bank -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_enough_words(bank, name):
    counts = {
        (split, kind): sum(d.kind == kind for d in bank.descriptions(name, split))
        for split in SPLITS
        for kind in KINDS
    }
    for kind in KINDS:
        assert sum(counts[split, kind] for split in SPLITS) >= 30
        assert counts["train", kind] >= 25
        assert counts["validation", kind] >= 3
        assert counts["test", kind] >= 4


def test_shares_of_the_splits(bank):
    sizes = {s: sum(len(bank.descriptions(name, s)) for name in STATES) for s in SPLITS}
    total = sum(sizes.values())
    assert 0.74 <= sizes["train"] / total <= 0.84
    assert 0.06 <= sizes["validation"] / total <= 0.12
    assert 0.09 <= sizes["test"] / total <= 0.16


@pytest.mark.parametrize("split", ["validation", "test"])
def test_training_has_not_seen_held_out_wordings(bank, split):
    assert leaks(bank, split) == []


@pytest.mark.parametrize(
    ("trained", "held_out"),
    [
        ("a face like thunder", "A FACE LIKE THUNDER"),
        ("she smiles warmly", "smiling, warm"),
        ("brows drawn, lips tight and thin", "brows drawn, lips tight and narrow"),
        ("utterly gutted by the news", "gutted"),
    ],
)
def test_the_leak_test_finds_planted_leaks(bank, trained, held_out):
    """Guards the guard: case, word forms, one word replaced, one word out of a sentence."""
    entries = {s: {k: bank.entries[s][k] for k in SPLITS} for s in STATES}
    example = bank.descriptions("happy", "train")[0]
    plant = [type(example)(text) for text in (trained, held_out)]
    entries["happy"] = {"train": (plant[0],), "validation": (), "test": (plant[1],)}
    assert f"happy: {held_out}" in leaks(Bank(entries), "test", ["happy"])


@pytest.mark.parametrize("text", HELD_OUT)
def test_the_wordings_that_we_show_are_held_out(bank, text):
    """The README's and the issue's examples are read, not remembered."""
    assert any(text == d.text for s in STATES for d in bank.descriptions(s, "test"))


def test_levels_follow_the_adverbs(bank):
    weak = re.compile(r"\b(slight|slightly|a little|a bit|faint|mild|mildly)\b", re.IGNORECASE)
    for state in STATES:
        for split in SPLITS:
            for d in bank.descriptions(state, split):
                if d.level is not None and weak.search(d.text):
                    assert d.level <= 0.6, d.text
                if d.level is not None and re.search(r"\b(very|extremely)\b", d.text):
                    assert d.level >= 1, d.text


def test_words_about_a_side_change_the_state(bank):
    """What wink_left says about the left eye, wink_right says about the right one."""
    texts = {s: {d.text.lower() for d in bank.descriptions(s, "train")} for s in STATES}
    assert "close only the left eye." in texts["wink_left"]
    assert "close only the right eye." in texts["wink_right"]
    assert "smiling" in texts["happy"]
    assert "not smiling" in texts["neutral"]


# -- damaged banks --------------------------------------------------------------------------------


def damage(content: dict, how: str) -> None:
    angry = content["angry"]["train"]["words"]
    if how == "missing state":
        del content["angry"]
    elif how == "unknown state":
        content["agnry"] = content["angry"]
    elif how == "unknown split":
        content["angry"]["tset"] = content["angry"]["test"]
    elif how == "not a list":
        content["angry"]["train"]["words"] = "mad"
    elif how == "empty text":
        angry.append("  ")
    elif how == "level too high":
        angry.append({"text": "angry as never before", "level": 7})
    elif how == "unknown field":
        angry.append({"text": "angry as never before", "lvl": 1.0})
    elif how == "twice":
        content["happy"]["test"]["words"].append(angry[0].upper())


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ("missing state", "angry"),
        ("unknown state", "agnry"),
        ("unknown split", "tset"),
        ("not a list", "a list was wanted, not str"),
        ("empty text", "write some words"),
        ("level too high", r"level 7; give one in \(0, 1.5\]"),
        ("unknown field", "lvl"),
        ("twice", "keep one"),
    ],
)
def test_damaged_banks_are_refused(content_of_file, tmp_path, how, match):
    content = copy.deepcopy(content_of_file)
    damage(content, how)
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MienError, match=match):
        Bank.load(path)


def test_unreadable_banks_and_unknown_names(bank, tmp_path):
    (tmp_path / "bank.json").write_text("{", encoding="utf-8")
    with pytest.raises(MienError, match="cannot be read"):
        Bank.load(tmp_path / "bank.json")
    with pytest.raises(MienError, match="cannot be read"):
        Bank.load(tmp_path / "none.json")
    with pytest.raises(MienError, match="no state 'agnry'"):
        bank.descriptions("agnry", "train")
    with pytest.raises(MienError, match="no split 'tset'"):
        bank.descriptions("angry", "tset")
