"""The measure of reading and its baseline, on animators and embeddings whose answers are known."""

import json

import numpy as np
import pytest

from mien.data.simulate.bank import Description
from mien.errors import MienError
from mien.evaluate.nearest import nearest_states
from mien.evaluate.samples import Share
from mien.evaluate.words import reading
from mien.features import TEXTS, TextEncoder
from mien.settled import state_coefficients
from planted import Planted, small_bank, weights_of_state

BANK = small_bank(
    happy={
        "train": ["glad", "merry"],
        "test": ["glad indeed", Description("merry , a little", 0.35), "more merry"],
    },
    sad={
        "train": ["gloomy"],
        "test": ["gloomy indeed", Description("He is gloomy.", None, "sentences")],
    },
    angry={"train": ["furious"], "test": [Description("furious beyond words", 1.4)]},
    wink_left={"train": ["wink left"], "test": ["wink left please"]},
    wink_right={"train": ["wink right"], "test": ["wink right please"]},
)
WORDINGS = [
    (state, wording) for state in BANK.entries for wording in BANK.descriptions(state, "test")
]


def embed(texts):
    """Bags of words, of length 1: texts are as like as the words that they share."""
    words = sorted({w for _, d in WORDINGS for w in d.text.lower().strip(".").split()} |
                   {"glad", "merry", "gloomy", "furious", "wink", "left", "right"})  # fmt: skip
    bags = [[float(w in text.lower().strip(".").split()) for w in words] for text in texts]
    return np.array(bags) / np.linalg.norm(bags, axis=1, keepdims=True)


def reader(takes_for=lambda state: state):
    """Show the state that a wording is taken for, at the wording's own level."""
    return Planted({
        wording.text: weights_of_state(takes_for(state), wording.level or 1.0)
        for state, wording in WORDINGS
    })  # fmt: skip


def read(takes_for=lambda state: state):
    return reading(reader(takes_for), bank=BANK, embed=embed)


def test_a_perfect_reader_reads_all():
    found = read()
    assert found.total.top1 == found.total.top3 == Share(8, 8)
    assert found.confusions() == []
    assert found.states == 5


def test_a_confusion_is_counted_and_named():
    found = read(lambda state: "wink_right" if state == "wink_left" else state)
    assert found.total.top1 == Share(7, 8)
    assert found.by("state")["wink_left"].top1 == Share(0, 1)
    assert found.by("state")["wink_right"].top1 == Share(1, 1)
    assert found.confusions() == [("wink_left", "wink_right", 1)]
    assert "wink_left read as wink_right (1)" in found.markdown()


def test_one_answer_to_everything_is_right_by_chance():
    assert read(lambda state: "happy").total.top1 == Share(3, 8)


def test_kinds_are_counted_apart():
    found = read(lambda state: "happy" if state == "sad" else state)
    kinds = found.by("kind")
    assert list(kinds) == ["words", "sentences"]
    assert (kinds["words"].top1, kinds["sentences"].top1) == (Share(6, 7), Share(0, 1))


def test_a_weak_wording_is_held_against_weak_states():
    """A faint terror is nearer to neutral than to terror at level 1, but not at its own level."""
    bank = small_bank(neutral={}, terrified={"test": [Description("uneasy", 0.4)]})
    faint = weights_of_state("terrified", 0.4)
    animator = Planted({"uneasy": faint})
    shown = animator.face.weights_to_coefficients(animator.face.limit(faint))
    full = state_coefficients(animator.face, "terrified", 1.0)
    assert np.linalg.norm(shown) < np.linalg.norm(full - shown)
    found = reading(animator, bank=bank, embed=lambda texts: np.ones((len(texts), 1)))
    assert found.total.top1 == Share(1, 1)


def test_a_split_without_wordings_is_refused():
    with pytest.raises(MienError, match="no wording in its split 'validation'"):
        reading(reader(), split="validation", bank=BANK, embed=embed)


# The baseline


def test_the_baseline_takes_the_state_of_the_likest_training_wording():
    found = nearest_states(
        embed, BANK, ["merry , a little", "gloomy wink right", "wink left please"]
    )
    assert [order[0] for order in found] == ["happy", "wink_right", "wink_left"]
    assert found[1][:3] == ["wink_right", "sad", "wink_left"]
    assert all(sorted(order) == sorted(BANK.entries) for order in found)


def test_a_state_is_as_like_as_its_likest_wording():
    """Not as the mean of its wordings, and a state that cannot be known comes last."""
    bank = small_bank(
        bored={},
        happy={"train": ["near", "far"]},
        sad={"train": ["between"]},
    )
    places = {"near": 0.1, "far": 3.0, "between": 0.5, "asked": 0.0}

    def on_circle(texts):
        return np.array([(np.cos(places[t]), np.sin(places[t])) for t in texts])

    assert nearest_states(on_circle, bank, ["asked"]) == [["happy", "sad", "bored"]]


def test_the_baseline_stands_beside_and_the_distance_is_in_points():
    """The baseline reads 8 of 8; a reader who misses both of sad is 25 points behind."""
    found = read(lambda state: "angry" if state == "sad" else state)
    assert found.total.baseline_top1 == Share(8, 8)
    assert found.total.ahead.value == pytest.approx(-25)
    assert found.total.ahead.low < -25 < found.total.ahead.high
    assert "**-25.0**" in found.markdown()


def test_what_is_reported_is_plain_data():
    rows = json.loads(json.dumps(read().rows()))
    assert rows["total"]["top1"]["value"] == 1.0
    assert rows["by_state"]["sad"]["baseline_top1"]["total"] == 2
    assert rows["wordings"][0] == {
        "text": "glad indeed", "state": "happy", "kind": "words",
        "nearest": rows["wordings"][0]["nearest"], "baseline": rows["wordings"][0]["baseline"],
    }  # fmt: skip
    assert rows["wordings"][0]["nearest"][0] == rows["wordings"][0]["baseline"][0] == "happy"


@pytest.fixture(scope="module")
def minilm():
    return TextEncoder.load()


def test_embeddings_in_batches_are_those_of_single_texts(minilm):
    """More texts of one length than a batch holds, and of other lengths between them."""
    texts = [f"a smile {'very ' * (n % 3)}wide" for n in range(3 * TEXTS + 5)] + ["", "grin"]
    found = minilm.embed(texts)
    for place in (0, 1, 2, TEXTS, 3 * TEXTS + 4, -2, -1):
        mean = minilm.encode(texts[place]).mean(axis=0)
        alone = mean / np.linalg.norm(mean)
        assert np.allclose(found[place], alone, atol=0.02), texts[place]
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_minilm_finds_plain_paraphrases(minilm):
    bank = small_bank(
        happy={"train": ["a happy smile"]}, angry={"train": ["she is furious with him"]}
    )
    found = nearest_states(minilm.embed, bank, ["smiling happily", "furious at them"])
    assert [order[0] for order in found] == ["happy", "angry"]
