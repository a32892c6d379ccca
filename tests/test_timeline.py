"""Cues hold, turn into each other when they should, and are read strictly."""

import json
import math

import numpy as np
import pytest

from mien import audio
from mien.errors import MienError
from mien.timeline import EASE, MAX_CUES, Cue, Timeline

TIMES = audio.frame_times(300)  # ten seconds
HORROR = Timeline((Cue(0, "calm"), Cue(2.5, "dawning horror", 1.2, ease=0.3), Cue(6, "", ease=1.0)))


def share_of(timeline, second):
    """The slow twin: the shares of one moment, cue by cue."""
    shares = [1.0]
    for cue in timeline.cues[1:]:
        if second < cue.at:
            come = 0.0
        elif second >= cue.at + cue.ease:
            come = 1.0
        else:
            x = (second - cue.at) / cue.ease
            come = 3 * x**2 - 2 * x**3
        shares = [share * (1 - come) for share in shares] + [come]
    return shares


# Shares


def test_away_from_changes_one_cue_holds_exactly():
    shares = HORROR.shares(TIMES)
    assert shares.shape == (300, 3)
    assert shares.dtype == np.float32
    assert np.array_equal(shares[:76], np.tile([1, 0, 0], (76, 1)))
    assert np.array_equal(shares[84:181], np.tile([0, 1, 0], (97, 1)))
    assert np.array_equal(shares[210:], np.tile([0, 0, 1], (90, 1)))


def test_a_change_begins_at_its_time_and_ends_an_ease_later():
    comes = HORROR.shares(TIMES)[:, 1]
    assert np.flatnonzero(comes)[0] == 76  # the frame after 2.5 s
    assert np.flatnonzero(comes == 1)[0] == 84  # 2.8 s
    assert comes[79] + comes[80] == pytest.approx(1, abs=1e-6)  # half is between them, at 2.65 s
    assert (np.diff(comes[75:85]) > 0).all()


def test_nine_tenths_of_a_change_are_there_after_four_fifths_of_its_ease():
    """The 90 % that the default ease is chosen by."""
    fine = np.linspace(0, 3, 30001)
    comes = Timeline((Cue(0, "a"), Cue(1, "b"))).shares(fine)[:, 1]
    assert fine[np.argmax(comes >= 0.9)] - 1 == pytest.approx(0.804 * EASE, abs=1e-3)
    assert 0.804 * EASE <= 0.3  # the networks need some frames of the 0.4 s


@pytest.mark.parametrize("at", [0.1, 0.7, 2.5, 3.3])
def test_an_ease_of_0_is_a_cut_at_its_frame(at):
    comes = Timeline((Cue(0, "a"), Cue(at, "b", ease=0))).shares(TIMES)[:, 1]
    assert set(comes) == {0, 1}
    assert np.flatnonzero(comes)[0] == round(30 * at)


def test_the_first_cue_holds_before_its_time():
    assert np.array_equal(Timeline((Cue(4, "calm"),)).shares(TIMES), np.ones((300, 1)))
    assert (Timeline((Cue(4, "a"), Cue(5, "b"))).shares(TIMES)[:151, 0] == 1).all()


def test_cues_that_come_before_the_last_change_is_over():
    """Guards a jump: a cue must take over from where the face is, not from the cue before it."""
    hasty = Timeline((Cue(0, "a"), Cue(1, "b", ease=2), Cue(1.5, "c", ease=2), Cue(2, "d", ease=2)))
    shares = hasty.shares(TIMES)
    assert (shares[58:62, :3].max(0) > 0.05).all(), "three at once, as the fourth comes"
    assert np.abs(np.diff(shares, axis=0)).max() < 0.05
    assert (shares[120:] == [0, 0, 0, 1]).all()


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_those_of_the_slow_twin(seed):
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.05, 2, size=6))
    eases = random.choice([0, 0.1, 0.3, 1.0, 3.0], size=6)
    cues = tuple(Cue(at, "x", ease=ease) for at, ease in zip(times, eases, strict=True))
    shares = Timeline(cues).shares(TIMES)
    assert np.allclose(shares, [share_of(Timeline(cues), t) for t in TIMES], atol=1e-6)
    assert np.allclose(shares.sum(1), 1, atol=1e-6)
    assert shares.min() >= 0


# Ways to make one


def test_rows_of_numbers_or_of_texts():
    rows = [(0, "calm"), (2.5, "dawning horror", 0.8)]
    timeline = Timeline((Cue(0.0, "calm"), Cue(2.5, "dawning horror", 0.8)))
    assert Timeline.parse(rows) == timeline
    assert Timeline.parse([[str(value) for value in row] for row in rows]) == timeline
    assert Timeline.of("calm") == Timeline((Cue(0, "calm"),))


def test_json_round_trip(tmp_path):
    path = tmp_path / "cues.json"
    HORROR.to_json(path)
    assert Timeline.from_json(path) == HORROR
    with pytest.raises(MienError, match=r"cannot write .*cues.json as a new file: File exists"):
        HORROR.to_json(path)


def test_json_of_few_words(tmp_path):
    cues = [{"at": 0, "description": "calm"}, {"description": "wide-eyed", "at": 2, "ease": 0}]
    path = tmp_path / "cues.json"
    path.write_text(json.dumps({"cues": cues}))
    assert Timeline.from_json(path) == Timeline((Cue(0, "calm"), Cue(2, "wide-eyed", ease=0)))


def test_strengths_are_multiplied_up_to_the_limit():
    strengths = [cue.strength for cue in HORROR.scaled(1.4).cues]
    assert strengths == pytest.approx([1.4, 1.5, 1.4])
    assert HORROR.scaled(1.0) == HORROR
    assert [cue.strength for cue in HORROR.scaled(0).cues] == [0, 0, 0]
    for wrong in (-0.1, 1.6, math.nan):
        with pytest.raises(MienError, match=r"strength is .*; a number from 0 to 1\.5 is wanted"):
            HORROR.scaled(wrong)


# Refusals


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([], "has 0 cues; 1 to 200 are wanted"),
        ([(at, "a") for at in range(MAX_CUES + 1)], "has 201 cues"),
        ([(0, "a"), (0, "b")], r"the cue 'b' at 0 s follows one at 0 s; give the cues in order"),
        ([(2, "a"), (1.5, "b")], r"'b' at 1\.5 s follows one at 2 s"),
        ([(-1, "calm")], r"the cue 'calm' is at -1\.0 s; a time from 0 s on is wanted"),
        ([("nan", "calm")], "is at nan s"),
        ([("inf", "calm")], "is at inf s"),
        ([("calm", "0")], "'calm' is no number"),
        ([(10**400, "calm")], "is no number"),
        ([(None, "calm")], "None is no number"),
        ([(0, "calm", 1.6)], r"'calm' has strength 1\.6; a number from 0 to 1\.5 is wanted"),
        ([(0, "calm", "nan")], "has strength nan"),
        ([(0, "calm", "much")], "'much' is no number"),
        ([(0,)], "is no cue; give"),
        ([(0, "calm", 1, 0.3)], "is no cue"),
        ([(0, None)], "is no cue"),
        (["calm"], "'calm' is no cue"),
        ([(0, "very " * 100, 9)], "the cue 'very very very very very very…' has strength"),
    ],
)
def test_bad_rows(rows, match):
    with pytest.raises(MienError, match=match):
        Timeline.parse(rows)


@pytest.mark.parametrize("ease", [-0.1, math.nan, math.inf])
def test_bad_eases(ease):
    with pytest.raises(MienError, match=r"has ease .*; seconds from 0 on are wanted"):
        Cue(0, "calm", ease=ease)


def file(*cues):
    return json.dumps({"cues": cues})


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[]", "holds list; a JSON object is wanted"),
        ("{", "is not JSON"),
        ("{}", r"cues.json: a timeline has 0 cues"),
        ('{"cue": []}', "unknown setting 'cue'; did you mean 'cues'"),
        ('{"cues": 3}', "setting 'cues' is 3; a list is wanted"),
        (file("calm"), r"cues\[0\] is 'calm'; a table of settings is wanted"),
        (file({"at": 0}), r"cues\[0\] has no 'description'; add it"),
        (file({"at": 0, "description": ""}, {"description": ""}), r"cues\[1\] has no 'at'"),
        (file({"at": 0, "description": 3}), r"'cues\[0\].description' is 3; str is wanted"),
        (file({"at": "0", "description": ""}), r"'cues\[0\].at' is '0'; float is wanted"),
        (file({"at": True, "description": ""}), "float is wanted"),
        (file({"at": 10**400, "description": ""}), "cues.json: int too large"),
        (file({"at": math.nan, "description": ""}), "is at nan s"),
        (
            file({"at": 0, "description": "", "strenght": 1}),
            r"unknown setting 'cues\[0\].strenght'; did you mean 'strength'",
        ),
    ],
)
def test_bad_files(tmp_path, text, match):
    path = tmp_path / "cues.json"
    path.write_text(text)
    with pytest.raises(MienError, match=match):
        Timeline.from_json(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(MienError, match=r"cannot read .*gone\.json: No such file"):
        Timeline.from_json(tmp_path / "gone.json")
    with pytest.raises(MienError, match=r"cannot write .*: No such file or directory"):
        HORROR.to_json(tmp_path / "gone" / "cues.json")


def test_cues_after_the_end():
    HORROR.check_within(6.01)
    for seconds in (3.0, 6.0):
        wanted = rf"the cue '' is at 6 s, but the speech is {seconds:.2f} s long"
        with pytest.raises(MienError, match=wanted):
            HORROR.check_within(seconds)
