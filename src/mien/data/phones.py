"""Find when each phone of a known sentence is spoken: forced alignment by pocketsphinx.

pocketsphinx and its English model come in one wheel (extra `train`). Two passes: the first finds
the words and the pauses between them, the second the phones inside. Words that its dictionary of
134,000 lacks are cut into known ones ("wood" + "cutters") or spelled out by rule, with a warning:
a rough pronunciation holds the place of a word, and a missing word shifts its neighbours.
"""

import re
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from mien import audio
from mien.data.clips import Phone
from mien.errors import MienError

SILENCE = "pau"
FRAME_SECONDS = 0.01  # hop of the aligner
# Half a hop: with it the borders lie on flite's own without bias (40 sentences, median error 9 ms).
FRAME_OFFSET = 0.005
DITHER = 4.0  # in 16-bit steps: digital silence has no logarithm, and eats the phone beside it
BEAM = 1e-120  # with the default beams one sentence in five has no alignment
MIN_WORD = 3  # letters of the shorter part of a compound

ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]  # fmt: skip
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SYMBOLS = {"&": " and ", "%": " percent ", "+": " plus ", "=": " equals ", "’": "'"}

# What letters mostly sound like, longest first; only for words that no dictionary knows.
SOUNDS = {
    "tion": "SH AH N", "sion": "ZH AH N", "ough": "OW", "augh": "AO", "eigh": "EY", "tch": "CH",
    "dge": "JH", "igh": "AY", "sch": "SH", "eau": "OW", "ch": "CH", "sh": "SH", "th": "TH",
    "ph": "F", "wh": "W", "ck": "K", "ng": "NG", "qu": "K W", "kn": "N", "wr": "R", "gh": "G",
    "oo": "UW", "ee": "IY", "ea": "IY", "ie": "IY", "ei": "EY", "ou": "AW", "ow": "OW", "oi": "OY",
    "oy": "OY", "ai": "EY", "ay": "EY", "ey": "IY", "au": "AO", "aw": "AO", "oa": "OW",
    "ew": "Y UW", "er": "ER", "ir": "ER", "ur": "ER", "ar": "AA R", "or": "AO R", "ce": "S",
    "ci": "S IH",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH",
    "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R",
    "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip


class AlignmentError(MienError):
    """The words cannot be where they were said to be."""


def align_phones(speech: np.ndarray, transcript: str) -> list[Phone]:
    """Return the phones of speech (S,) 16 kHz with start and end in seconds, gapless from 0.

    Names are lower-case ARPAbet without stress; pauses are "pau". About 0.03 s of work per second
    of speech. Raises MienError where the transcript holds no word or pocketsphinx is missing, and
    AlignmentError where the words cannot be found in the speech.
    """
    words = check_transcript(transcript)
    decoder = _decoder(words)
    sound = _samples(audio.check_speech(speech))
    try:
        # The sentence marks allow silence at both ends; else the first plosive swallows it.
        decoder.set_align_text(" ".join(["<s>", *words, "</s>"]))
        _listen(decoder, sound)
        if decoder.hyp() is None:
            raise RuntimeError("the words were not found")
        decoder.set_alignment()
        _listen(decoder, sound)  # now without asking for `hyp`, which would crash pocketsphinx 5.1
        entries = [(e.name, e.start) for e in decoder.get_alignment().phones()]
    except RuntimeError as error:
        seconds = audio.samples_to_seconds(len(speech))
        raise AlignmentError(
            f"{len(words)} words of {transcript[:40]!r} do not fit {seconds:.1f} s of speech; "
            "check that the transcript belongs to the recording"
        ) from error
    return _phones(entries, audio.samples_to_seconds(len(speech)))


def check_transcript(transcript: str) -> list[str]:
    """Return the words to align; MienError where there is none or pocketsphinx is missing."""
    words = spoken_words(transcript)
    if not words:
        raise MienError(f"transcript {transcript!r} holds no word; give what is said, in English")
    _pocketsphinx()
    return words


def _decoder(words: list[str]):
    """Return a fresh decoder that knows these words: a shared one would carry levels over.

    Its own dictionary takes 0.1 s or more to load; one of a few words, a fifth of that.
    """
    pocketsphinx = _pocketsphinx()
    entries = [f"{word} {said}\n" for word, said in _pronunciations(words).items()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.dict"
        path.write_text("".join(entries), encoding="utf-8")
        return pocketsphinx.Decoder(
            lm=None, dict=str(path), samprate=audio.SPEECH_RATE, bestpath=False,
            beam=BEAM, wbeam=BEAM, pbeam=BEAM, loglevel="FATAL",
        )  # fmt: skip


def _pocketsphinx() -> Any:
    try:
        import pocketsphinx
    except ImportError as error:
        raise MienError(
            "phone times need pocketsphinx, which is not installed; pip install 'mien[train]'"
        ) from error
    return pocketsphinx


@cache
def _dictionary() -> dict[str, str]:
    """Return the phones of the aligner's 134,000 words; "read(2)" is another way to say "read"."""
    path = Path(_pocketsphinx().get_model_path("en-us/cmudict-en-us.dict"))
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if " " in line)


def _pronunciations(words: list[str]) -> dict[str, str]:
    """Return all ways to say these words; one warning names those that are spelled by rule."""
    known, said = _dictionary(), {}
    unknown = sorted({word for word in words if word not in known})
    for word in sorted(set(words)):
        said[word] = known.get(word) or pronounce(word, known.get)
        others = takewhile(lambda key: key in known, (f"{word}({k})" for k in count(2)))
        said |= {key: known[key] for key in others}
    if unknown:
        warnings.warn(f"spelled out by rule: {', '.join(unknown)}", stacklevel=4)
    return said


def _samples(speech: np.ndarray) -> bytes:
    dither = np.random.default_rng(0).normal(0.0, DITHER, len(speech))
    whole = np.round(speech * 32000.0 + dither)
    return np.clip(whole, -32768, 32767).astype("<i2").tobytes()


def _listen(decoder, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def _phones(entries: list[tuple[str, int]], seconds: float) -> list[Phone]:
    """Make gapless phones from (name, first frame) in order; neighbouring pauses become one."""
    names = [_plain_name(name) for name, _ in entries]
    starts = [0.0, *(frame * FRAME_SECONDS + FRAME_OFFSET for _, frame in entries[1:])]
    keep = [k for k in range(len(names)) if k == 0 or (names[k - 1], names[k]) != (SILENCE,) * 2]
    ends = [*(starts[k] for k in keep[1:]), seconds]
    return [Phone(names[k], starts[k], end) for k, end in zip(keep, ends, strict=True)]


def _plain_name(name: str) -> str:
    """Return the lower-case name; the model's silence, breath and noise phones are pauses."""
    return SILENCE if name == "SIL" or name.startswith("+") else name.lower()


def spoken_words(transcript: str) -> list[str]:
    """Return the transcript's words as said: lower case, digits in words, no punctuation."""
    text = transcript.lower()
    for symbol, word in SYMBOLS.items():
        text = text.replace(symbol, word)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"(?<=\d)\.(?=\d)", " point ", text)
    text = re.sub(r"\d+", lambda digits: f" {spoken_number(digits[0])} ", text)
    words = (word.strip("'") for word in re.findall(r"[a-z']+", text))
    return [word for word in words if word]


def spoken_number(digits: str) -> str:
    """Return a whole number in words; 1100 to 1999 as years, a billion and more by digit."""
    number = int(digits)
    if digits.startswith("0") or number >= 1_000_000_000:
        return " ".join(ONES[int(digit)] for digit in digits)
    if 1100 <= number <= 1999:
        pairs = (number // 100, number % 100)
        tail = _cardinal(pairs[1]) if pairs[1] > 9 else f"o {ONES[pairs[1]]}"
        return f"{_cardinal(pairs[0])} {tail if pairs[1] else 'hundred'}"
    return _cardinal(number)


def _cardinal(number: int) -> str:
    if number < 20:
        return ONES[number]
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            head, tail = divmod(number, size)
            return f"{_cardinal(head)} {name}" + (f" {_cardinal(tail)}" if tail else "")
    return TENS[number // 10] + (f" {ONES[number % 10]}" if number % 10 else "")


def pronounce(word: str, lookup: Callable[[str], str | None]) -> str:
    """Return phones such as "W UH D" for a word that `lookup` lacks: by two parts, else by rule."""
    bare = word.replace("'", "")
    cuts = range(MIN_WORD, len(bare) - MIN_WORD + 1)
    for cut in sorted(cuts, key=lambda k: abs(len(bare) - 2 * k)):  # the evenest cut first
        parts = lookup(bare[:cut]), lookup(bare[cut:])
        if all(parts):
            return " ".join(part for part in parts if part)
    return _by_letters(bare)


def _by_letters(word: str) -> str:
    word = re.sub(r"([^aeiou])\1", r"\1", word)  # a doubled consonant is one sound
    if re.search(r"[aeiouy].*[^aeiou]e$", word):
        word = word[:-1]  # the final e is silent
    sounds = re.findall("|".join(SOUNDS), word)
    return " ".join(SOUNDS[letters] for letters in sounds)
