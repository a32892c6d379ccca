"""`mien evaluate words` as it is typed."""

import json

import numpy as np
import pytest

from mien import audio
from mien.data.simulate.bank import Bank
from planted import small_bank
from terminal import babble

PHRASES = "winks with the left eye | left>right:eyeBlink\nno smile | -mouthSmileLeft\n"
BANK = small_bank(
    happy={"train": ["glad"], "test": ["merry"]}, sad={"train": ["gloomy"], "test": ["grieved"]}
)


@pytest.fixture
def words(mien_, folder, quick, monkeypatch):
    """Run the measure with a small bank, phrases.txt and long.wav."""
    monkeypatch.setattr(Bank, "load", classmethod(lambda cls, path=None: BANK))
    monkeypatch.setattr(
        "mien.evaluate.words.minilm", lambda progress: lambda texts: np.ones((len(texts), 1))
    )
    (folder / "phrases.txt").write_text(PHRASES)
    audio.write_wav(folder / "long.wav", babble(4.5))
    return lambda *arguments: mien_("evaluate", "words", *arguments)


def headings(out):
    return [line for line in out.splitlines() if line.startswith("#")]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((), ["Retrieval", "Composition", "Strength"]),
        (("--speech", "long.wav"), ["Retrieval", "Composition", "Strength", "Transition"]),
        (("--only", "strength", "retrieval", "strength"), ["Strength", "Retrieval"]),
    ],
)
def test_the_parts_that_are_asked_for(words, folder, arguments, parts):
    status, out, _ = words(*arguments, "--phrases", "phrases.txt", "--json", "numbers.json")
    assert status == 0
    assert headings(out) == [f"## {part}" for part in parts]
    numbers = json.loads((folder / "numbers.json").read_text())
    assert list(numbers) == [part.lower() for part in parts]


def test_the_split_is_that_of_retrieval(words):
    _, out, _ = words("--only", "retrieval", "--split", "train")
    assert "2 wordings, 2 states" in out


def test_what_cannot_be_measured_is_refused_before_loading(refused, folder):
    (folder / "phrases.txt").write_text("a smile | +mouthSmile\n")
    verb = ("evaluate", "words")
    refused(*verb, "--only", "transition", match="name recordings with --speech")
    refused(*verb, "--only", "transition", "--speech", "hello.wav", match="at least 4 s")
    refused(*verb, "--only", "transition", "--speech", "gone.wav", match=r"gone\.wav")
    refused(*verb, "--only", "composition", "--phrases", "phrases.txt", match="name the side")
    refused(*verb, "--only", "strength", "--json", "hello.wav", match="choose another name")
    refused(*verb, "--only", "leakage", match="invalid choice: 'leakage'")
    refused(*verb, "--only", "retrieval", "--split", "none", match="invalid choice")
