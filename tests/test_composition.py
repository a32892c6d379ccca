"""Phrases of parts of the face: how they are read from a file, and judged."""

import json

import numpy as np
import pytest

from mien.data.simulate.bank import Bank
from mien.errors import MienError
from mien.evaluate.composition import composition, judge
from mien.evaluate.phrases import read_phrases
from mien.evaluate.samples import Share
from planted import Planted, weights_of

FIVE = """\
# phrases of parts

raises the left eyebrow only | left>right:browOuterUp +browOuterUpLeft -mouthSmileLeft
winks with the right eye | right>left:eyeBlink +eyeBlinkRight -eyeBlinkLeft
not smiling | -mouthSmileLeft -mouthSmileRight
sad eyes but a small smile | +browInnerUp +mouthSmileLeft +mouthSmileRight -mouthFrownLeft
brows lowered | the mouth pulled left | +browDownLeft +browDownRight left>right:mouth
"""


@pytest.fixture
def phrases(tmp_path):
    (tmp_path / "phrases.txt").write_text(FIVE)
    return read_phrases(tmp_path / "phrases.txt")


def right():
    """What each of the five asks for."""
    return {
        "raises the left eyebrow only": weights_of(browOuterUpLeft=0.8),
        "winks with the right eye": weights_of(eyeBlinkRight=1.0, eyeBlinkLeft=0.1),
        "not smiling": weights_of(),
        "sad eyes but a small smile": weights_of(
            browInnerUp=0.7, mouthSmileLeft=0.3, mouthSmileRight=0.3
        ),
        "brows lowered | the mouth pulled left": weights_of(
            browDownLeft=0.6, browDownRight=0.6, mouthLeft=0.4
        ),
    }


def test_a_file_is_read(phrases):
    assert len(phrases) == 5
    first, last = phrases[0], phrases[-1]
    assert first.text == "raises the left eyebrow only"
    assert [(d.sign, d.unit, d.other) for d in first.demands] == [
        (">", "browOuterUpLeft", "browOuterUpRight"),
        ("+", "browOuterUpLeft", None),
        ("-", "mouthSmileLeft", None),
    ]
    assert last.text == "brows lowered | the mouth pulled left"
    assert (last.demands[2].unit, last.demands[2].other) == ("mouthLeft", "mouthRight")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("smile\n", "line 1 is 'smile'; write a phrase, a bar"),
        ("\n# so\nsmile |  \n", "line 3"),
        ("| +jawOpen\n", "write a phrase"),
        ("smile | mouthSmileLeft\n", "'mouthSmileLeft' is no demand"),
        ("smile | +mouthSmile\n", "name the side, mouthSmileLeft or mouthSmileRight"),
        ("smile | +mouthSmileLfet\n", "did you mean mouthSmileLeft"),
        ("smile | left>left:mouthSmile\n", "is no demand"),
        ("smile | left>right:jawOpen\n", "no unit 'jawOpenLeft'"),
        ("smile | +jawOpen\nSmile | +jawOpen\n", "line 2: 'Smile' stands there twice"),
        ("# nothing\n", "holds no phrase"),
    ],
)
def test_a_bad_line_is_refused(tmp_path, content, match):
    (tmp_path / "phrases.txt").write_text(content)
    with pytest.raises(MienError, match=match):
        read_phrases(tmp_path / "phrases.txt")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(MienError, match=r"gone\.txt cannot be read"):
        read_phrases(tmp_path / "gone.txt")


def test_miens_own_phrases_are_many_and_held_out():
    own = read_phrases()
    assert len(own) >= 60
    for sign in "+->":
        assert sum(any(d.sign == sign for d in one.demands) for one in own) >= 20
    bank = Bank.load()
    trained = {d.text.casefold() for name in bank.entries for d in bank.descriptions(name, "train")}
    assert not trained & {one.text.casefold() for one in own}


def test_what_is_asked_for_is_right(phrases):
    found = composition(Planted(right()), phrases)
    assert (found.phrases, found.demands()) == (Share(5, 5), Share(15, 15))
    assert [found.demands(sign) for sign in "+->"] == [Share(7, 7), Share(5, 5), Share(3, 3)]
    assert "Not right" not in found.markdown()


def test_the_wrong_side_is_wrong(phrases):
    answers = right()
    answers["winks with the right eye"] = weights_of(eyeBlinkLeft=1.0)
    found = composition(Planted(answers), phrases)
    assert (found.phrases, found.demands()) == (Share(4, 5), Share(12, 15))
    assert "winks with the right eye: `right>left:eyeBlink` -1.00" in found.markdown()


def test_a_smile_where_none_is_asked_is_wrong(phrases):
    answers = right() | {"not smiling": weights_of(mouthSmileLeft=0.5)}
    found = composition(Planted(answers), phrases)
    assert (found.phrases, found.demands("-")) == (Share(4, 5), Share(4, 5))


def test_a_still_face_meets_only_what_stays(phrases):
    found = composition(Planted({}), phrases)
    assert (found.phrases, found.demands("-")) == (Share(1, 5), Share(5, 5))
    for sign in (None, "+", "-", ">"):
        assert found.demands(sign) == found.still(sign)


def test_changes_count_from_neutral(phrases):
    """A face that always smiles neither smiles at a wish nor fails where none is wanted."""
    smiling = weights_of(mouthSmileLeft=0.4, mouthSmileRight=0.4)
    answers = {
        "not smiling": smiling,
        "sad eyes but a small smile": np.maximum(right()["sad eyes but a small smile"], smiling),
    }
    found = composition(Planted(answers, rest=smiling), phrases)
    judged = {one.phrase.text: one.met for one in found.judged}
    assert judged["not smiling"] == (True, True)
    assert judged["sad eyes but a small smile"] == (True, False, False, True)


@pytest.mark.parametrize(
    ("demand", "amounts", "met"),
    [
        ("+jawOpen", {"jawOpen": 0.15}, False),
        ("+jawOpen", {"jawOpen": 0.16}, True),
        ("-jawOpen", {"jawOpen": 0.12}, False),
        ("-jawOpen", {"jawOpen": 0.11}, True),
        ("-jawOpen", {"jawOpen": -0.5}, True),
        ("left>right:eyeBlink", {"eyeBlinkLeft": 0.15}, True),
        ("left>right:eyeBlink", {"eyeBlinkLeft": 0.9, "eyeBlinkRight": 0.76}, False),
        ("right>left:eyeBlink", {"eyeBlinkLeft": 0.5}, False),
    ],
)
def test_the_borders(tmp_path, demand, amounts, met):
    (tmp_path / "one.txt").write_text(f"so | {demand}\n")
    (phrase,) = read_phrases(tmp_path / "one.txt")
    assert judge(phrase, weights_of(**amounts).astype(np.float64).round(6)).met == (met,)


def test_what_is_reported_is_plain_data(phrases):
    rows = json.loads(json.dumps(composition(Planted(right()), phrases).rows()))
    assert rows["phrases"]["hits"] == rows["phrases"]["total"] == 5
    assert rows["judged"][1]["demands"][0]["demand"] == "right>left:eyeBlink"
    assert rows["judged"][1]["demands"][0]["measured"] == pytest.approx(0.9, abs=0.02)
