"""Sentences, speech and the corpus of the simulated actor; `test_actor` tests what it does."""

import shutil

import numpy as np
import pytest

from mien import audio
from mien.data.clips import Corpus, Phone
from mien.data.simulate import corpus, sentences, speech
from mien.data.simulate.expressions import STATES
from mien.data.simulate.speech import Voice
from mien.data.simulate.targets import TARGETS
from mien.errors import MienError
from mien.face import Face

needs_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")


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


# Speech


@needs_flite
@pytest.mark.parametrize("name", speech.VOICES)
@pytest.mark.parametrize("tract", [1.0, 1.15])
def test_phone_times_fit_the_sound(name, tract):
    """Silences must be quiet and vowels loud where flite says, at any rate, or lips run late."""
    spoken = speech.say("Bob, papa, and a map.", Voice(name, rate=0.8, tract=tract))
    ends = [phone.end for phone in spoken.phones]
    assert ends[-1] == pytest.approx(len(spoken.speech) / audio.SPEECH_RATE, abs=1e-3)
    assert [phone.start for phone in spoken.phones] == [0.0, *ends[:-1]]

    def level(phone: Phone) -> float:
        middle = slice(
            int((phone.start * 0.7 + phone.end * 0.3) * 16000),
            int((phone.start * 0.3 + phone.end * 0.7) * 16000),
        )
        return 10 * np.log10(np.mean(spoken.speech[middle] ** 2) + 1e-12)

    quiet = [level(phone) for phone in spoken.phones if phone.name == "pau"]
    loud = [level(phone) for phone in spoken.phones if phone.name in ("aa", "ae")]
    assert max(quiet) < min(loud) - 15


@needs_flite
def test_rate_changes_the_length_and_the_tract_does_not():
    normal, fast, small = (
        len(speech.say("A very big map.", voice).speech)
        for voice in (Voice(), Voice(rate=1.25), Voice(tract=1.2))
    )
    assert fast / normal == pytest.approx(0.8, abs=0.03)
    assert small / normal == pytest.approx(1.0, abs=0.03)


@needs_flite
def test_our_sentences_hold_every_phone():
    missing, heard = set(TARGETS), set()
    for place in range(150):
        spoken = speech.say(sentences.sentence(sentences.drawn(place, seed=0)), Voice("kal16"))
        heard |= {phone.name for phone in spoken.phones}
        if heard >= missing:
            break
    assert heard == missing


def test_padding_shifts_the_phones_with_the_sound():
    phone = Phone("aa", 0.0, 0.5)
    loud = speech.Utterance(np.ones(8000, np.float32), [phone])
    padded = speech.pad(loud, 0.25, 1.0)
    assert len(padded.speech) == 28000
    assert [p.name for p in padded.phones] == ["pau", "aa", "pau"]
    assert padded.phones[1] == Phone("aa", 0.25, 0.75)
    assert padded.speech[4000:12000].all()


def test_resampling_keeps_a_tone_and_moves_its_pitch():
    tone = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000).astype(np.float32)
    faster = speech.resample(tone, 1.25)
    wanted = np.sin(2 * np.pi * 625 * np.arange(12800) / 16000)
    np.testing.assert_allclose(faster, wanted, atol=1e-3)


def test_a_missing_flite_is_answered_with_how_to_get_it(monkeypatch):
    monkeypatch.setattr(speech.shutil, "which", lambda _: None)
    with pytest.raises(MienError, match="apt install flite"):
        speech.say("hello there")


def test_an_unknown_voice_is_refused():
    with pytest.raises(MienError, match="no voice 'bob'"):
        speech.say("hello there", Voice("bob"))


# The corpus


@needs_flite
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


@needs_flite
def test_sentences_cross_and_stay_in_their_split(tmp_path, face):
    made = corpus.simulate(tmp_path, minutes=0.5, face=face, progress=False)
    assert Corpus(tmp_path).seconds >= 30
    for number in {record.sentence_id for record in made.records}:
        clips = [record for record in made.records if record.sentence_id == number]
        assert len({clip.emotion for clip in clips}) == len(clips) == 4
        assert len({clip.actor for clip in clips}) == len({clip.split for clip in clips}) == 1
        assert len({clip.rate for clip in clips}) == 2


def test_the_plan_is_balanced_and_independent_of_the_expression():
    takes = [take for take, _ in zip(corpus.takes(corpus.Plan()), range(4000), strict=False)]
    neutral = np.mean([take.emotion == "neutral" for take in takes])
    assert 0.07 < neutral < 0.13
    assert {take.emotion for take in takes} == set(STATES)
    loud = np.array([STATES[take.emotion].weights.get("jawOpen", 0) * take.level for take in takes])
    rates = np.array([take.voice.rate for take in takes])
    assert abs(np.corrcoef(loud, rates)[0, 1]) < 0.05


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_a_corpus_needs_a_length(tmp_path, minutes):
    with pytest.raises(MienError, match="minutes is"):
        corpus.simulate(tmp_path, minutes=minutes)
