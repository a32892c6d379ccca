"""Sentences and the corpus of the simulated actor; `test_voices` tests the sound."""

import dataclasses
import importlib.util
import itertools
import shutil
from itertools import pairwise

import numpy as np
import pytest

from mien import audio
from mien.data.clips import Clip, Corpus, CorpusWriter, Phone
from mien.data.phones import AlignmentError
from mien.data.simulate import cast, corpus, pauses, plan, prosody, sentences, speech
from mien.data.simulate.cover import cover
from mien.data.simulate.expressions import STATES
from mien.data.simulate.plan import Plan
from mien.data.simulate.speech import Utterance, Voice
from mien.data.simulate.targets import TARGETS
from mien.errors import MienError
from mien.face import Face

needs_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
needs_voices = pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("espeak-ng"))
    or not all(map(importlib.util.find_spec, ("pocketsphinx", "hibari"))),
    reason="flite, espeak-ng, pocketsphinx or hibari-tts is not installed",
)


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


# Sentences


def test_sentences_are_many_and_all_different():
    lines = sentences.written()
    assert len(lines) >= 500
    assert len(set(lines)) == len(lines)
    words = [len(line.split()) for line in lines]
    assert min(words) == 2
    assert max(words) >= 15


def test_a_sentence_has_one_split_and_nine_of_ten_are_for_training():
    splits = [sentences.split(k) for k in range(2000)]
    assert splits.count("train") == 1800
    assert splits.count("validation") == splits.count("test") == 100


def test_drawing_visits_every_sentence_once_and_every_split_early():
    order = [sentences.drawn(place, seed=4) for place in range(700)]
    assert sorted(order) == list(range(700))
    assert order != [sentences.drawn(place, seed=5) for place in range(700)]
    assert {sentences.split(k) for k in order[:20]} == {"train", "validation", "test"}


def test_the_grammar_goes_on_where_the_written_sentences_end():
    end = len(sentences.written())
    more = [sentences.sentence(end + k) for k in range(200)]
    assert len(set(more)) > 190
    assert not any("{" in line for line in more)
    assert more == [sentences.generated(k) for k in range(200)]


@needs_flite
def test_our_sentences_hold_every_phone():
    missing, heard = set(TARGETS), set()
    for place in range(150):
        spoken = speech.say(sentences.sentence(sentences.drawn(place, seed=0)), Voice("kal16"))
        heard |= {phone.name for phone in spoken.phones}
        if heard >= missing:
            break
    assert heard == missing


# What is drawn


def drawn(count: int, **settings) -> list[plan.Take]:
    return list(itertools.islice(plan.takes(Plan(**settings)), count))


def test_the_plan_is_balanced():
    takes = drawn(4000)
    neutral = np.mean([take.emotion == "neutral" for take in takes])
    assert 0.07 < neutral < 0.13
    assert {take.emotion for take in takes} == {*STATES, plan.COMPOSED}
    spoken = [cast.program(take.actor.voice) for take in takes]
    for program, share in cast.SHARES.items():
        assert spoken.count(program) / len(spoken) == pytest.approx(share, abs=0.05)
    assert {take.actor.name for take in takes} == {actor.name for actor in cast.ACTORS}


def test_silence_is_as_common_as_the_plan_says():
    """Networks that hear little silence move their lips in it."""
    takes = drawn(4000)
    said = [take for take in takes if take.sentence_id < sentences.SILENCE_ID]
    assert 1 - len(said) / len(takes) == pytest.approx(1 / 12, abs=0.005)
    before = np.array([take.before for take in said])
    after = np.array([take.after for take in said])
    assert np.mean((before > 0) | (after > 0)) == pytest.approx(0.28, abs=0.03)
    assert 0.01 < np.mean((before > 0) & (after > 0)) < 0.04
    for seconds in (before, after):
        assert ((seconds == 0) | ((seconds >= 0.5) & (seconds <= 2))).all()
    assert np.mean([take.inner > 0 for take in said]) == pytest.approx(0.3, abs=0.03)


def test_effort_is_heard():
    """What cannot be heard cannot be learned: mumbling is dull and quiet, haste undershoots."""
    takes = drawn(4000)
    effort = np.array([take.style.effort / take.actor.style.effort for take in takes])
    loudness = np.array([take.voice.loudness for take in takes])
    rate = np.array([take.voice.rate for take in takes])
    mumbled, usual, clear = effort < 0.8, (effort > 0.87) & (effort < 1.16), effort > 1.2
    assert 0.03 < mumbled.mean() < 0.07
    assert 0.03 < clear.mean() < 0.07
    assert loudness[mumbled].mean() < loudness[usual].mean() - 6
    assert loudness[clear].mean() > loudness[usual].mean() + 3
    assert rate[clear].mean() < rate[usual].mean() - 0.1
    assert np.corrcoef(rate[usual], effort[usual])[0, 1] < -0.8


def named_by_prosody(kind: str) -> float:
    """How often the nearest mean of rate, pitch, loudness and span names one of four states."""
    wanted = ("terrified", "tired", "delighted", "tender")
    takes = [take for take in drawn(6000, prosody=kind) if take.emotion in wanted]
    takes = [take for take in takes if take.level == 1.0]
    heard = np.array([(t.voice.rate, t.voice.pitch, t.voice.loudness, t.voice.span) for t in takes])
    heard = (heard - heard.mean(axis=0)) / heard.std(axis=0)
    state = np.array([wanted.index(take.emotion) for take in takes])
    learn = np.arange(len(takes)) % 2 == 0
    means = np.stack([heard[learn & (state == k)].mean(axis=0) for k in range(len(wanted))])
    guess = np.linalg.norm(heard[~learn, None] - means, axis=2).argmin(axis=1)
    return float(np.mean(guess == state[~learn]))


def test_prosody_tells_the_expression_in_the_confounded_corpus_alone():
    assert named_by_prosody("confounded") > 0.75
    assert named_by_prosody("independent") < 0.35  # chance is 0.25


def test_confounded_prosody_is_stronger_at_a_higher_level():
    def loudness(level: float) -> float:
        random = np.random.default_rng(0)
        angry = STATES["angry"]
        drawn = [prosody.confounded(random, state=angry, level=level) for _ in range(200)]
        return float(np.mean([one.loudness for one in drawn]))

    assert loudness(0.0) == pytest.approx(0.0, abs=0.2)
    assert loudness(1.0) == pytest.approx(4.8, abs=0.2)


def test_an_unknown_prosody_is_refused():
    with pytest.raises(MienError, match="use one of independent, confounded"):
        Plan(prosody="sung")


# The corpus


@needs_voices
def test_a_lost_take_is_not_tried_again(tmp_path, face, monkeypatch):
    """It would be spoken at four rates at each start, also where the corpus is complete."""
    made, make = [], corpus.make_clip

    def second_is_lost(take, plan, face):
        made.append(take.id)
        return None if len(made) == 2 else make(take, plan, face)

    monkeypatch.setattr(corpus, "make_clip", second_is_lost)
    for _ in range(2):
        found = corpus.simulate(tmp_path, minutes=0.1, face=face, progress=False)
    assert len(set(made)) == len(made) == len(found.records) + 1
    assert (tmp_path / "lost.txt").read_text() == f"{made[1]}\n"


@needs_voices
def test_a_corpus_that_was_interrupted_ends_as_if_it_had_not_been(tmp_path, face):
    """Seconds of each clip count whether it was made now or before the kill."""
    whole = corpus.simulate(tmp_path / "whole", minutes=0.4, face=face, progress=False)
    corpus.simulate(tmp_path / "parts", minutes=0.25, face=face, progress=False)
    manifest = tmp_path / "parts" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-7])
    parts = corpus.simulate(tmp_path / "parts", minutes=0.4, face=face, progress=False)
    assert sorted(r.id for r in parts.records) == sorted(r.id for r in whole.records)
    for record in whole.records:
        one, other = whole.clip(record.id), parts.clip(record.id)
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.speech, other.speech)
    with pytest.raises(MienError, match="another seed"):
        corpus.simulate(tmp_path / "parts", minutes=0.4, seed=1, face=face, progress=False)
    for number in {record.sentence_id for record in whole.records}:
        clips = [record for record in whole.records if record.sentence_id == number]
        played = {(clip.emotion, *clip.descriptions) for clip in clips}
        assert len(played) == len(clips) == plan.Plan.takes
        assert len({clip.actor for clip in clips}) == len({clip.split for clip in clips}) == 1
        assert len({clip.rate for clip in clips}) >= 2


@needs_voices
def test_clips_of_other_origin_stay_and_count_nothing(tmp_path, face):
    """Captures lie in the same folder; training on it simulates into it, mostly nothing."""
    made = corpus.simulate(tmp_path / "a", minutes=0.02, face=face, prosody="confounded",
                           progress=False)  # fmt: skip
    captured = dataclasses.replace(made.clip(made.records[0].id), id="facegood-1-0")
    writer = CorpusWriter(tmp_path / "b")
    writer.add(captured)
    both = corpus.simulate(tmp_path / "b", minutes=0.02, face=face, prosody="confounded",
                           progress=False)  # fmt: skip
    assert [r.id for r in both.records] == [captured.id, *(r.id for r in made.records)]
    again = corpus.simulate(tmp_path / "b", minutes=0.02, face=face, progress=False)
    assert again.records == both.records
    with pytest.raises(MienError, match="another seed, plan"):
        corpus.simulate(tmp_path / "b", minutes=0.02, prosody="independent", face=face)


def test_simulated_clips_without_their_plan_are_refused(tmp_path, face):
    """Which clips are still to be made would be a guess."""
    weights = np.zeros((30, 52), np.float32)
    writer = CorpusWriter(tmp_path)
    writer.add(make_clip("0000003-1", weights))
    with pytest.raises(MienError, match=r"no corpus\.json"):
        corpus.simulate(tmp_path, minutes=1, face=face, progress=False)


def test_a_sentence_that_the_aligner_loses_is_spoken_at_another_rate(monkeypatch):
    heard = []

    def lost_twice(text: str, voice: Voice) -> Utterance:
        heard.append(voice.rate)
        if len(heard) < 3:
            raise AlignmentError("lost")
        return pauses.silence(1.0)

    monkeypatch.setattr(corpus.espeak, "say", lost_twice)
    said = corpus.speak("hello there", Voice("espeak-ng:en-us", rate=1.1))
    assert said is not None
    assert said[1].rate == heard[-1] == pytest.approx(1.1 * corpus.OTHER_RATES[2], abs=1e-3)
    monkeypatch.setattr(corpus.espeak, "say", always_lost)
    assert corpus.speak("hello there", Voice("espeak-ng:en-us")) is None


def always_lost(text: str, voice: Voice) -> Utterance:
    raise AlignmentError("lost")


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), 1e308])
def test_a_corpus_needs_a_length(tmp_path, minutes):
    with pytest.raises(MienError, match="minutes is"):
        corpus.simulate(tmp_path, minutes=minutes)


# Phonetic cover


def make_clip(clip_id: str, weights: np.ndarray, names: tuple[str, ...] = (), **changes) -> Clip:
    """A second of noise in which phones of equal length are said."""
    edges = np.linspace(0, 1, len(names) + 1)
    values = {
        "id": clip_id, "sentence": "so", "sentence_id": 3, "actor": "ada", "voice": "slt",
        "rate": 1.0, "emotion": "happy", "level": 1.0, "fps": 30.0, "frames": 30,
        "steady": (0, 30), "split": "train",
        "speech": np.zeros(audio.sample_count(30), np.float32), "weights": weights,
        "phones": [Phone(n, float(a), float(b))
                   for n, (a, b) in zip(names, pairwise(edges), strict=True)],
    }  # fmt: skip
    return Clip(**{**values, **changes})


def test_cover_counts_what_was_said(tmp_path):
    writer, weights = CorpusWriter(tmp_path), np.zeros((30, 52), np.float32)
    writer.add(make_clip("0000003-0", weights, ("pau", "b", "aa", "b", "pau", "iy")))
    writer.add(make_clip("0000003-1", weights, ("pau", "b", "aa", "b", "pau", "iy")))  # a take
    writer.add(make_clip("0000004-0", weights, ("b", "oy"), sentence_id=4, voice="awb"))
    writer.add(make_clip("1000000-0", weights, ("pau",), sentence="", sentence_id=1_000_000))
    writer.add(make_clip("video-a-000-0", weights, (), sentence_id=2_000_000, voice="ann"))
    found = cover(Corpus(tmp_path))
    assert found.phones == {"b": 3, "aa": 1, "iy": 1, "oy": 1}
    assert found.first == {"b": 2, "iy": 1}
    assert found.last == {"b": 1, "iy": 1, "oy": 1}
    assert found.voices == {"slt": {"b": 2, "aa": 1, "iy": 1}, "awb": {"b": 1, "oy": 1}}
    assert found.pairs["b", "aa"] == found.pairs["pau", "iy"] == found.pairs["iy", "pau"] == 1
    assert found.pairs["pau", "b"] == 2
    assert ("pau", "pau") not in found.pairs
    assert found.rarest == [("aa", 1), ("iy", 1), ("oy", 1), ("b", 3)]
    assert len(found.missing) == len(TARGETS) - 1 - 4
    assert "4 of 40 phones, 8 pairs; rarest: aa 1" in found.summary()
    assert "| b | 3 | 50.00% | 2 | 1 | 5 | 1 | 2 |" in found.markdown()
