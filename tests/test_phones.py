"""Times are checked against a synthesiser's own, and against pauses that are planted."""

import difflib
import importlib.util
import shutil
import subprocess
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mien import audio
from mien.data import phones
from mien.data.phones import align_phones, pronounce, spoken_number, spoken_words
from mien.errors import MienError

LJSPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech" / "ljspeech"
MODERN = "in being comparatively modern."

needs_aligner = pytest.mark.skipif(
    importlib.util.find_spec("pocketsphinx") is None, reason="pocketsphinx is not installed"
)


@pytest.fixture(scope="module")
def modern():
    path = LJSPEECH / "LJ001-0002.wav"
    if not path.is_file():
        pytest.skip(f"the recording {path} is not here")
    return audio.decode(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Printing, in the only sense!", "printing in the only sense"),
        ('the "forty-two line Bible" of 1455', "the forty two line bible of fourteen fifty five"),
        ("Don't -- 'tis Bob's & mine: 5%", "don't tis bob's and mine five percent"),
        ("1,250,000 or 3.5", "one million two hundred fifty thousand or three point five"),
        ("It’s 12,345.", "it's twelve thousand three hundred forty five"),
        ("... ?! 'n' —", "n"),
    ],
)
def test_words_are_what_is_said(text, words):
    assert " ".join(spoken_words(text)) == words


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "zero"),
        ("7", "seven"),
        ("19", "nineteen"),
        ("40", "forty"),
        ("101", "one hundred one"),
        ("1066", "one thousand sixty six"),
        ("1900", "nineteen hundred"),
        ("1905", "nineteen o five"),
        ("2026", "two thousand twenty six"),
        ("120000", "one hundred twenty thousand"),
        ("007", "zero zero seven"),
    ],
)
def test_numbers_are_spelled(digits, words):
    assert spoken_number(digits) == words


def test_unknown_words_are_cut_into_known_ones_else_spelled():
    known = {"wood": "W UH D", "cutters": "K AH T ER Z"}.get
    assert pronounce("woodcutters", known) == "W UH D K AH T ER Z"
    assert pronounce("bliffing", known) == "B L IH F IH NG"
    assert pronounce("splame", known) == "S P L AE M"
    assert pronounce("o'shum", known) == "AA SH AH M"


def test_every_letter_has_a_sound():
    for letter in "abcdefghijklmnopqrstuvwxyz":
        assert pronounce(letter, lambda word: None)


def test_rows_of_pauses_become_one_and_nothing_is_left_open():
    entries = [("SIL", 0), ("+NSN+", 20), ("B", 30), ("AY", 40), ("SIL", 60), ("+SPN+", 70)]
    found = phones._phones(entries, 0.9)
    assert [phone.name for phone in found] == ["pau", "b", "ay", "pau"]
    assert found[0].start == 0
    assert found[-1].end == 0.9
    assert [phone.end for phone in found[:-1]] == [phone.start for phone in found[1:]]


@needs_aligner
def test_a_real_recording_is_covered_phone_by_phone(modern):
    found = align_phones(modern, MODERN)
    said = [phone.name for phone in found if phone.name != "pau"]
    assert " ".join(said) == "ih n b iy ih ng k ah m p eh r ah t ih v l iy m aa d er n"
    assert found[0].start == 0
    assert found[-1].end == pytest.approx(len(modern) / 16000)
    assert all(phone.end > phone.start for phone in found)
    assert all(a.end == b.start for a, b in pairwise(found))


@needs_aligner
def test_a_planted_pause_is_found(modern):
    """0.6 s of room noise put between two words: it becomes a pause, and all after it is later."""
    before = align_phones(modern, MODERN)
    cut = next(k for k, phone in enumerate(before) if phone.name == "k")  # "being | comparatively"
    place = audio.seconds_to_samples(before[cut].start)
    noise = np.random.default_rng(0).normal(0, 2e-4, 9600)
    planted = np.concatenate([modern[:place], noise, modern[place:]]).astype(np.float32)
    after = align_phones(planted, MODERN)
    pause = max((phone for phone in after if phone.name == "pau"), key=lambda p: p.end - p.start)
    assert pause.start == pytest.approx(before[cut].start, abs=0.08)
    assert pause.end - pause.start == pytest.approx(0.6, abs=0.12)
    last = [[p for p in found if p.name != "pau"][-1] for found in (before, after)]
    assert last[1].start - last[0].start == pytest.approx(0.6, abs=0.03)


@needs_aligner
def test_times_agree_with_the_synthesiser(tmp_path):
    """flite prints when it says each phone."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    errors, bilabials = [], []
    for voice in ("slt", "rms"):
        for text in ("please bring my box", "People began to move back from the boat."):
            wav = tmp_path / "said.wav"
            command = ["flite", "-voice", voice, "-t", text, "-psdur", "-o", str(wav)]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            truth = [token.rsplit(":", 1) for token in printed.split()]
            truth = [(name.replace("ax", "ah"), float(end)) for name, end in truth]
            found = align_phones(audio.decode(wav), text)
            # Else the first and the last phone have swallowed the silence beside them.
            assert found[0].name == found[-1].name == "pau"
            names = [phone.name for phone in found]
            matcher = difflib.SequenceMatcher(None, names, [name for name, _ in truth], False)
            for a, b, size in matcher.get_matching_blocks():
                ends = [found[a + k].end - truth[b + k][1] for k in range(size)]
                errors += ends
                bilabials += [e for k, e in enumerate(ends) if truth[b + k][0] in "pbm"]
    assert len(errors) > 80
    assert np.median(np.abs(errors)) < 0.015
    assert abs(np.median(errors)) < 0.007
    assert np.median(np.abs(bilabials)) < 0.015


@needs_aligner
def test_a_word_may_be_said_in_every_way_that_the_dictionary_knows():
    said = phones._pronunciations(["read", "a"])
    assert said["read"] != said["read(2)"]
    assert {"a", "a(2)", "read", "read(2)"} == set(said)


@needs_aligner
def test_unknown_words_are_said_in_a_warning_and_aligned(modern):
    with pytest.warns(UserWarning, match="modurn"):
        found = align_phones(modern, "in being comparatively modurn")
    assert len([phone for phone in found if phone.name == "m"]) == 2


@needs_aligner
def test_digital_silence_does_not_crash():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = align_phones(np.zeros(32000, np.float32), "hello")
        except MienError:
            return
    assert found[-1].end == 2.0


@needs_aligner
def test_words_that_cannot_be_there_are_refused(modern):
    with pytest.raises(MienError, match=r"do not fit 0\.2 s"):
        align_phones(modern[:3200], "far too many words for a fifth of a second of any recording")
    with pytest.raises(MienError, match="holds no word"):
        align_phones(modern, "-- ?!")
