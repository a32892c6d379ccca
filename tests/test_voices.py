"""What is spoken, and when: voices of three programs, their phone times, their manner, silence."""

import dataclasses
import importlib.util
import shutil

import numpy as np
import pytest

from mien import audio
from mien.data.clips import Phone
from mien.data.simulate import aligned, cast, corpus, delivery, espeak, neural, pauses, speech
from mien.data.simulate.speech import Utterance, Voice
from mien.errors import MienError

needs_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
needs_espeak = pytest.mark.skipif(
    not shutil.which("espeak-ng") or importlib.util.find_spec("pocketsphinx") is None,
    reason="espeak-ng or pocketsphinx is not installed",
)

TEXT = "Bob, papa, and a map."


def level(spoken: Utterance, phone: Phone) -> float:
    start, stop = (phone.start * 0.7 + phone.end * 0.3, phone.start * 0.3 + phone.end * 0.7)
    middle = spoken.speech[int(start * 16000) : int(stop * 16000)]
    return 10 * np.log10(np.mean(middle**2) + 1e-12)


def check_times(spoken: Utterance) -> None:
    """Silences are quiet and vowels loud where the phones say."""
    ends = [phone.end for phone in spoken.phones]
    assert ends[-1] == pytest.approx(len(spoken.speech) / audio.SPEECH_RATE, abs=1e-3)
    assert [phone.start for phone in spoken.phones] == [0.0, *ends[:-1]]
    quiet = [level(spoken, phone) for phone in spoken.phones if phone.name == "pau"]
    loud = [level(spoken, phone) for phone in spoken.phones if phone.name in ("aa", "ae")]
    assert max(quiet) < min(loud) - 15


def pitch(sound: np.ndarray) -> float:
    """The median fundamental in Hz, by autocorrelation of the loud parts."""
    found = []
    for start in range(0, len(sound) - 1024, 400):
        piece = sound[start : start + 1024] * np.hanning(1024)
        if np.sqrt(np.mean(piece**2)) > 0.02:
            likeness = np.fft.irfft(np.abs(np.fft.rfft(piece, 4096)) ** 2)[: 16000 // 70]
            found.append(16000 / (40 + np.argmax(likeness[40:])))
    return float(np.median(found))


# flite


@needs_flite
@pytest.mark.parametrize("name", speech.VOICES)
@pytest.mark.parametrize("tract", [1.0, 1.15])
def test_phone_times_fit_the_sound(name, tract):
    """Silences must be quiet and vowels loud where flite says, at any rate, or lips run late."""
    check_times(speech.say(TEXT, Voice(name, rate=0.8, tract=tract)))


@needs_flite
def test_rate_changes_the_length_and_the_tract_does_not():
    normal, fast, small = (
        len(speech.say("A very big map.", voice).speech)
        for voice in (Voice(), Voice(rate=1.25), Voice(tract=1.2))
    )
    assert fast / normal == pytest.approx(0.8, abs=0.03)
    assert small / normal == pytest.approx(1.0, abs=0.03)


def test_resampling_keeps_a_tone_and_moves_its_pitch():
    tone = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000).astype(np.float32)
    faster = speech.resample(tone, 1.25)
    wanted = np.sin(2 * np.pi * 625 * np.arange(12800) / 16000)
    np.testing.assert_allclose(faster, wanted, atol=1e-3)


def test_a_missing_flite_is_answered_with_how_to_get_it(monkeypatch):
    monkeypatch.setattr(speech.shutil, "which", lambda _: None)
    with pytest.raises(MienError, match="apt install flite"):
        speech.say("hello there")


def test_a_program_that_hangs_is_one_sentence(monkeypatch):
    monkeypatch.setattr(speech, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(speech.shutil, "which", lambda _: "/bin/sleep")
    with pytest.raises(MienError, match=r"flite has not spoken within 0\.05 s"):
        speech.run_program("flite", ["5"])


def test_a_program_that_fails_says_why():
    assert speech.run_program("sh", ["-c", "echo ay"]) == (b"ay\n", "")
    assert speech.run_program("sh", ["-c", "echo no >&2; exit 3"]) == (b"", "no")
    assert speech.run_program("sh", ["-c", "exit 3"]) == (b"", "status 3")


def test_an_unknown_voice_is_refused():
    with pytest.raises(MienError, match="no voice 'bob'"):
        speech.say("hello there", Voice("bob"))


# espeak-ng


@needs_espeak
@pytest.mark.parametrize(
    "actor", [one for one in cast.ACTORS if cast.program(one.voice) == "espeak-ng"]
)
def test_the_times_of_espeak_fit_its_sound(actor):
    text = "My father sat on a bench, and his dog had a map of the palace."
    spoken = corpus.speak(text, Voice(actor.voice, tract=actor.tract))
    assert spoken is not None
    check_times(spoken[0])


@needs_espeak
def test_rate_and_pitch_of_espeak_are_what_was_asked_for():
    """The tract is made by playing faster; uncorrected it would move both."""
    text = "Everybody was waiting for the moon to come up over the bay."
    name = f"{espeak.PREFIX}en-us+f2"
    usual = espeak.say(text, Voice(name))
    fast = espeak.say(text, Voice(name, rate=1.3))
    high = espeak.say(text, Voice(name, pitch=1.2))
    small = espeak.say(text, Voice(name, tract=1.15))
    spoken = [len(one.speech) - 2 * aligned.LEAD * 16000 for one in (usual, fast, high, small)]
    assert spoken[0] / spoken[1] == pytest.approx(1.3, abs=0.05)
    assert spoken[0] / spoken[2] == pytest.approx(1.0, abs=0.03)
    assert spoken[0] / spoken[3] == pytest.approx(1.0, abs=0.05)
    assert pitch(high.speech) / pitch(usual.speech) == pytest.approx(1.2, abs=0.07)
    assert pitch(small.speech) / pitch(usual.speech) == pytest.approx(1.0, abs=0.07)


def test_a_missing_espeak_is_answered_with_how_to_get_it(monkeypatch):
    monkeypatch.setattr(speech.shutil, "which", lambda _: None)
    with pytest.raises(MienError, match="apt install espeak-ng"):
        espeak.say("hello there", Voice(f"{espeak.PREFIX}en-us"))


# hibari


def test_a_pitch_curve_is_moved_and_stretched_where_it_is_voiced():
    curve = np.array([0.0, 100.0, 200.0, 400.0, 0.0], np.float32)
    moved = neural.repitched(curve, mean=0.6, span=0.5)
    np.testing.assert_allclose(moved, [0, 120 / 2**0.5, 120, 120 * 2**0.5, 0], rtol=1e-5)
    assert not neural.repitched(np.zeros(4, np.float32), mean=0.6, span=0.5).any()


def test_a_spectrum_is_smoothed_without_moving_or_losing_power():
    peak = np.full((601, 2), -20.0)
    peak[100] = np.log(11.0)
    smooth = neural.smoothed(peak)
    np.testing.assert_allclose(smooth[95:106], 0.0, atol=1e-4)
    assert smooth[94].max() < -15
    assert smooth[106].max() < -15


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("pocketsphinx", "hibari"))),
    reason="pocketsphinx or hibari-tts is not installed",
)
def test_one_neural_voice_is_many_people():
    text = "Everybody was waiting for the moon to come up over the bay."
    usual = neural.say(text, Voice(neural.NAME))
    deep = neural.say(text, Voice(neural.NAME, pitch=0.6, tract=0.86))
    assert pitch(deep.speech) / pitch(usual.speech) == pytest.approx(0.6, abs=0.05)
    assert len(deep.speech) / len(usual.speech) == pytest.approx(1.0, abs=0.12)
    assert np.abs(deep.speech).max() < 1
    check_times(neural.say("My father sat on a bench, and his dog had a map.", Voice(neural.NAME)))


# Whether phones can belong to a sound


def spoken_by_hand(vowel: float = 0.3, pause: float = 1e-4) -> Utterance:
    """Ten syllables of 60 ms consonant and 120 ms vowel, with a pause in the middle and around."""
    random, phones, pieces, time = np.random.default_rng(0), [], [], 0.0
    syllable = (("t", 0.06, 0.03), ("aa", 0.12, vowel))
    rest = (("pau", 0.2, pause),)
    for name, seconds, loud in rest + syllable * 5 + rest + syllable * 5 + rest:
        phones.append(Phone(name, time, time + seconds))
        pieces.append(loud * random.standard_normal(round(seconds * 16000)))
        time += seconds
    return Utterance(speech=np.concatenate(pieces).astype(np.float32), phones=phones)


def test_phones_at_their_place_fit():
    assert aligned.misfit(spoken_by_hand(), rate=1.0) is None


def test_phones_that_lie_elsewhere_are_found_out():
    right = spoken_by_hand()
    late = dataclasses.replace(right, speech=np.roll(right.speech, 1600))  # by a tenth of a second
    assert "pause" in str(aligned.misfit(late, rate=1.0))
    assert "pause" in str(aligned.misfit(spoken_by_hand(pause=0.1), rate=1.0))


def test_phones_of_impossible_length_are_found_out():
    right = spoken_by_hand()
    swallowed = [*right.phones[:4], Phone("aa", right.phones[4].start, right.phones[8].end)]
    swallowed += right.phones[9:]
    reason = aligned.misfit(dataclasses.replace(right, phones=swallowed), rate=1.0)
    assert reason is not None
    assert reason.startswith("aa lasts 0.4") or reason.startswith("aa lasts 0.5")
    assert "lasts" not in str(
        aligned.misfit(dataclasses.replace(right, phones=swallowed), rate=0.7)
    )


def test_phones_squeezed_together_are_found_out():
    right = spoken_by_hand()
    start = right.phones[1].start
    squeezed = [Phone(p.name, start + 0.03 * k, start + 0.03 * (k + 1))
                for k, p in enumerate(right.phones[1:5])]  # fmt: skip
    stretched = [right.phones[0], *squeezed, Phone("aa", squeezed[-1].end, right.phones[8].end)]
    utterance = dataclasses.replace(right, phones=stretched)
    assert "least length" in str(aligned.misfit(utterance, rate=0.5))


# How loudly


def test_loudness_is_what_was_asked_for_and_brighter_when_it_is_more():
    random = np.random.default_rng(1)
    sound = (0.02 * random.standard_normal(32000)).astype(np.float32)
    quiet, loud = (delivery.deliver(sound, loudness=db, dynamics=1.0) for db in (-6.0, 6.0))
    ratio = 20 * np.log10(np.std(loud) / np.std(quiet))
    assert ratio == pytest.approx(12.0, abs=0.3)

    def brightness(sound: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(sound)) ** 2  # bins of half a hertz
        return 10 * np.log10(power[6000:].sum() / power[:1000].sum())

    assert brightness(loud) - brightness(quiet) == pytest.approx(6.0, abs=1.0)


def test_dynamics_stretch_the_distance_of_loud_and_quiet_syllables():
    """0.5 s at full and 0.5 s at a quarter of the amplitude: 12 dB apart."""
    random = np.random.default_rng(2)
    amplitude = np.repeat([0.2, 0.05, 0.2, 0.05], 8000)
    sound = (amplitude * random.standard_normal(32000)).astype(np.float32)
    for dynamics in (0.75, 1.0, 1.25):
        heard = delivery.deliver(sound, loudness=0.0, dynamics=dynamics)
        apart = 20 * np.log10(np.std(heard[2000:6000]) / np.std(heard[10000:14000]))
        assert apart == pytest.approx(12.04 * dynamics, abs=0.5)


def test_delivery_moves_nothing_and_leaves_silence_silent():
    click = np.zeros(16000, np.float32)
    click[8000] = 0.5
    heard = delivery.deliver(click, loudness=5.0, dynamics=1.2)
    assert np.argmax(np.abs(heard)) == 8000
    assert not delivery.deliver(np.zeros(16000, np.float32), loudness=5.0, dynamics=1.2).any()


# Silence


def test_padding_shifts_the_phones_with_the_sound():
    loud = Utterance(np.ones(8000, np.float32), [Phone("aa", 0.0, 0.5)])
    padded = pauses.pad(loud, 0.25, 1.0)
    assert len(padded.speech) == 28000
    assert [p.name for p in padded.phones] == ["pau", "aa", "pau"]
    assert padded.phones[1] == Phone("aa", 0.25, 0.75)
    assert padded.speech[4000:12000].all()


def test_padding_makes_one_pause_of_two():
    """The mouth comes to rest in pauses of some length: two short ones would keep it open."""
    quiet = Utterance(np.ones(8000, np.float32), [Phone("pau", 0.0, 0.2), Phone("aa", 0.2, 0.5)])
    padded = pauses.pad(quiet, 0.25, 0.0)
    assert padded.phones == [Phone("pau", 0.0, 0.45), Phone("aa", 0.45, 0.75)]


def test_an_inner_pause_is_lengthened_where_there_is_one():
    phones = [Phone("aa", 0.0, 0.2), Phone("pau", 0.2, 0.3), Phone("iy", 0.3, 0.5)]
    sound = np.concatenate([np.ones(3200), np.zeros(1600), -np.ones(3200)]).astype(np.float32)
    random = np.random.default_rng(0)
    longer = pauses.lengthen(Utterance(sound, phones), 0.5, random)
    assert [p.name for p in longer.phones] == ["aa", "pau", "iy"]
    assert longer.phones[1] == Phone("pau", 0.2, 0.8)
    assert longer.phones[2].end == pytest.approx(1.0)
    assert (longer.speech[:3200] == 1).all()
    assert not longer.speech[3200:12800].any()
    assert (longer.speech[12800:] == -1).all()
    alone = Utterance(sound, [Phone("pau", 0.0, 0.1), Phone("aa", 0.1, 0.5)])
    assert pauses.lengthen(alone, 0.5, random) is alone


def test_a_breath_is_heard_before_speech_and_touches_nothing_else():
    padded = pauses.pad(Utterance(np.ones(8000, np.float32), [Phone("aa", 0.0, 0.5)]), 1.0, 1.0)
    breathed = pauses.breathe(padded, np.random.default_rng(3))
    changed = np.flatnonzero(breathed.speech != padded.speech)
    assert changed[0] > 8000
    assert changed[-1] < 16000
    assert 0.25 < (changed[-1] - changed[0]) / 16000 < 0.45
    decibels = 20 * np.log10(np.std(breathed.speech[changed]))
    assert -36.5 < decibels < -23.5
    assert breathed.phones == padded.phones
    short = Utterance(np.ones(8000, np.float32), [Phone("pau", 0.0, 0.1), Phone("aa", 0.1, 0.5)])
    assert pauses.breathe(short, np.random.default_rng(3)) is short
