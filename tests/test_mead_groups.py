"""Which MEAD recordings say the same: planted sentences, shifted numbers, and real emotions."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from mien import audio
from mien.data import mead_groups
from mien.data.mead_groups import SAME, by_number, by_sound, distance, own, read_orders, rows
from mien.errors import MienError

SHARED = Path(__file__).parents[2] / "shared" / "data"
LABELS = ("angry", "happy")


def sentence(name, *, stretch=1.0, noise=0.0, seed=0):
    """Speech features (T, 24) of a sentence: 30 frames of its own, at another rate, with noise."""
    spoken = np.random.default_rng(zlib.crc32(name.encode())).standard_normal((12, 24))
    times = np.linspace(0, 11, round(30 * stretch))
    curve = np.stack([np.interp(times, np.arange(12), column) for column in spoken.T], axis=1)
    return rows(curve + noise * np.random.default_rng(seed).standard_normal(curve.shape))


def actor(order, *, lost=()):
    """Features of an actor who says what a numbering says, after `lost` recordings vanished.

    Numbers after a lost recording move up, as MEAD's authors tell of M003.
    """
    heard = {}
    for label, count in (("neutral", 40), *((label, 30) for label in LABELS)):
        said = [n for n in range(1, count + 1) if (label, n) not in lost]
        for number, meant in enumerate(said, 1):
            name = order.sentence(label, meant)
            stretch = {"neutral": 1.0, "angry": 0.8, "happy": 1.2}[label]
            heard[label, 1, number] = sentence(name, stretch=stretch, noise=0.1, seed=number)
    return heard


def test_the_table_has_the_sets_of_the_supplement():
    """3 common, 10 generic, 17 of each emotion's own and 27 of neutral, in both numberings."""
    for order in read_orders():
        for label, count in (("neutral", 40), ("contempt", 30), ("surprised", 30)):
            names = [order.sentence(label, number) for number in range(1, count + 1)]
            assert names[:3] == ["common_1", "common_2", "common_3"]
            assert sum(name.startswith("generic_") for name in names) == 10
            assert sum(name.startswith(f"{label}_") for name in names) == count - 13
            assert len(set(names)) == count
    head, tail = read_orders()
    assert head.sentence("sad", 4) == head.sentence("neutral", 4) == "generic_1"
    assert tail.sentence("sad", 21) == tail.sentence("neutral", 31) == "generic_1"
    assert tail.sentence("sad", 20) == own("sad", 20)


@pytest.mark.parametrize("which", [0, 1])
def test_the_sound_tells_which_numbering_fits(which):
    orders = read_orders()
    heard = actor(orders[which])
    found = by_sound(heard, orders)
    assert found.order == orders[which].name
    assert found.names == by_number(list(heard), orders[which]).names
    assert (found.checked, found.moved, found.doubtful) == (26, 0, 0)


def test_a_lost_neutral_recording_shifts_nothing():
    """As with M003: every neutral number after the tenth means the next sentence."""
    tail = read_orders()[1]
    heard = actor(tail, lost=[("neutral", 10)])
    found = by_sound(heard, [tail])
    assert found.names["neutral", 1, 30] == "generic_1"
    assert found.names["angry", 1, 21] == "generic_1"
    assert found.names["happy", 1, 30] == "generic_10"
    assert found.moved == 20, "ten generic sentences in each of two emotions"


def test_a_lost_acted_recording_moves_those_after_it():
    tail = read_orders()[1]
    found = by_sound(actor(tail, lost=[("angry", 5)]), [tail])
    assert found.names["angry", 1, 20] == "generic_1"
    assert found.names["angry", 1, 29] == "generic_10"
    assert found.names["happy", 1, 21] == "generic_1"
    assert found.names["neutral", 1, 31] == "generic_1"
    said = [name for (label, *_), name in found.names.items() if label == "angry"]
    assert len(set(said)) == len(said), "no sentence twice"


def test_what_sounds_like_nothing_stands_alone():
    tail = read_orders()[1]
    heard = actor(tail)
    heard["angry", 1, 21] = sentence("something else")
    found = by_sound(heard, [tail])
    assert found.names["angry", 1, 21] == own("angry", 21)
    assert found.doubtful == 1
    assert found.names["happy", 1, 21] == "generic_1"


def test_levels_of_one_number_share_its_own_sentence():
    order = read_orders()[0]
    keys = [("angry", level, 20) for level in (1, 2, 3)]
    assert set(by_number(keys, order).names.values()) == {own("angry", 20)}


def test_without_neutral_recordings_the_numbers_are_believed():
    orders = read_orders()
    heard = {key: value for key, value in actor(orders[0]).items() if key[0] != "neutral"}
    found = by_sound(heard, orders)
    assert found.checked == 0
    assert found.names["angry", 1, 4] == found.names["happy", 1, 4] == "generic_1"


def test_distance_follows_the_words_and_not_the_rate():
    one, slow = sentence("a"), sentence("a", stretch=1.4)
    assert distance(one, one) == pytest.approx(0.0, abs=1e-6)
    assert distance(one, slow) < 0.1 < distance(one, sentence("b"))
    assert distance(one, slow) == pytest.approx(distance(slow, one), abs=1e-6)


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "# heard\norder,label,first,last,sentence,text\n"
        'mine,all,1,1,greeting,"Good morning, everybody."\nmine,others,2,4,shared,\n'
        "mine,neutral,12,14,shared,\n"
    )
    (order,) = read_orders(path)
    assert order.texts == {"greeting": "Good morning, everybody."}
    assert order.sentence("fear", 3) == order.sentence("neutral", 13) == "shared_2"
    assert order.sentence("neutral", 2) == own("neutral", 2)
    for row, match in (
        ("mine,joy,1,2,x,", "line 2: 'mine,joy,1,2,x,' is no row"),
        ("mine,all,one,2,x,", "line 2.*is no row"),
        ("mine,all,1,2", "line 2.*is no row"),
    ):
        path.write_text(f"order,label,first,last,sentence,text\n{row}\n")
        with pytest.raises(MienError, match=match):
            read_orders(path)
    path.write_text("label,number\n")
    with pytest.raises(MienError, match="order,label,first,last,sentence,text are wanted"):
        read_orders(path)


@pytest.mark.skipif(not (SHARED / "crema_d").is_dir(), reason="../shared/data/crema_d is absent")
def test_one_sentence_in_three_emotions_is_nearer_than_other_sentences():
    """A real actor, "Don't forget a jacket"; and LJSpeech, which says something else."""
    from mien.features import SpeechEncoder

    ears = SpeechEncoder.load()

    def heard(path):
        speech = audio.decode(path)[: audio.seconds_to_samples(3.0)]
        return rows(ears.encode(speech, fps=audio.FPS))

    calm, *acted = (heard(SHARED / f"crema_d/1001_DFA_{e}_XX.flv") for e in ("NEU", "ANG", "HAP"))
    for one in acted:
        assert distance(one, calm) <= SAME
    other = heard(SHARED / "speech/ljspeech/LJ001-0002.wav")
    assert distance(other, calm) > mead_groups.LIKELY
