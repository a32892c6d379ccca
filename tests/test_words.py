"""The bank of descriptions: enough wordings of every state, and no leak into the test."""

import functools
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from mien.data.simulate.bank import BANK_PATH, KINDS, SPLITS, Bank
from mien.data.simulate.expressions import STATES
from mien.errors import MienError

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


def test_the_held_out_splits_are_large_enough(bank):
    """They stay as they are when wordings are added to training."""
    sizes = {s: sum(len(bank.descriptions(name, s)) for name in STATES) for s in SPLITS}
    assert sizes["validation"] >= 1600
    assert sizes["test"] >= 2500
    assert sizes["train"] >= 4 * sizes["test"]


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
    angry = content["train"]["words"]
    if how == "unknown split":
        content["tset"] = content["test"]
    elif how == "not a list":
        content["train"]["words"] = "mad"
    elif how == "empty text":
        angry.append("  ")
    elif how == "level too high":
        angry.append({"text": "angry as never before", "level": 7})
    elif how == "unknown field":
        angry.append({"text": "angry as never before", "lvl": 1.0})
    elif how == "twice":
        content["test"]["words"].append(angry[0].upper())


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the bank's folder."""
    return Path(shutil.copytree(BANK_PATH, tmp_path / "bank"))


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ("unknown split", "tset"),
        ("not a list", "a list was wanted, not str"),
        ("empty text", "write some words"),
        ("level too high", r"level 7; give one in \(0, 1.5\]"),
        ("unknown field", "lvl"),
        ("twice", "keep one"),
    ],
)
def test_damaged_banks_are_refused(copied, how, match):
    path = copied / "angry.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    damage(content, how)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MienError, match=match):
        Bank.load(copied)


def test_missing_and_stray_files_are_refused(copied):
    (copied / "angry.json").rename(copied / "agnry.json")
    with pytest.raises(MienError, match="unknown states: agnry"):
        Bank.load(copied)
    (copied / "agnry.json").unlink()
    with pytest.raises(MienError, match=r"angry\.json cannot be read"):
        Bank.load(copied)
    (copied / "angry.json").write_text("{", encoding="utf-8")
    with pytest.raises(MienError, match=r"angry\.json cannot be read"):
        Bank.load(copied)


def test_unknown_names_are_refused(bank):
    with pytest.raises(MienError, match="no state 'agnry'"):
        bank.descriptions("agnry", "train")
    with pytest.raises(MienError, match="no split 'tset'"):
        bank.descriptions("angry", "tset")
