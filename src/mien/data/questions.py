"""What a language model is asked, word by word, and how its answers are read."""

import json
import re

from mien.data.vision import UnansweredError

PIECE_QUESTIONS = ("expression", "emotion")
"""The paper's two questions about a piece of a clip."""

LABEL_QUESTIONS = ("sentences", "words")
"""What the paper has a language model write for a label."""

LIST_LENGTH = 30
"""Sentences, and words, that are asked for; MOST are taken, and LEAST are an answer."""
LEAST, MOST = 5, 60

LONGEST = 300
"""Characters of a description; longer answers end with the last sentence that fits."""

WORD_LENGTH, WORD_PARTS = 40, 3
"""Longest of the "words": characters, and words in one."""

_PIECE = {
    "expression": (
        "Describe the facial expression in one English sentence: what the brows, the eyes, the "
        "cheeks and the mouth do."
    ),
    "emotion": (
        "Describe the emotion that this face shows in one English sentence, and how strong it is."
    ),
}
_ALONE = (
    "Speak of the face alone: not of who it is, nor of age, sex, hair, clothes, light or the "
    "picture. The person is speaking, so leave out mouth movements that only form sounds. Answer "
    "with the sentence and nothing else."
)
_LABEL = {
    "sentences": (
        "Write {count} different English sentences that an animator could use to ask for a "
        '"{label}" face, each describing the facial expression or the feeling. Vary the wording, '
        "the length and the strength; name features of the face in some and only the feeling in "
        "others. One sentence on a line, no numbers."
    ),
    "words": (
        'List {count} English words or phrases of two words that mean the same as the emotion "'
        '{label}" or nearly so, weak and strong ones. One on a line, no numbers.'
    ),
}

_REFUSAL = re.compile(
    r"(i'?m sorry|i am sorry|sorry,? (but )?i\b|i (can ?not|can'?t|won'?t)\b|"
    r"i('?m| am) (unable|not able)|as an ai\b|unfortunately,? i\b)",
    re.IGNORECASE,
)
_MARKS = re.compile(r"^\s*([-*•]|\(?\d{1,3}[.):]\)?)\s+")


def piece_text(question: str, shown: int, seconds: float) -> str:
    """Return what is asked about a piece of a clip of so many seconds and pictures shown."""
    seen = "This picture shows" if shown == 1 else f"These {shown} pictures, in order, show"
    return f"{seen} {seconds:.1f} seconds of one face. {_PIECE[question]} {_ALONE}"


def label_text(question: str, label: str) -> str:
    """Return what is asked about a label."""
    return _LABEL[question].format(count=LIST_LENGTH, label=label.replace("_", " "))


def read_sentence(text: str) -> str:
    """Return an answer as one line of at most LONGEST characters; UnansweredError if it is none."""
    line = _plain(text)
    if not re.search(r"[^\W\d_]", line):
        raise UnansweredError("empty", line[:LONGEST])
    _refuse(line)
    if len(line) <= LONGEST:
        return line
    end = max(line.rfind(mark, 0, LONGEST) for mark in ".!?")
    if end < 0:
        raise UnansweredError("cut", line[:LONGEST])
    return line[: end + 1]


def read_list(text: str, question: str) -> list[str]:
    """Return the sentences or words of an answer, each once; UnansweredError for fewer than LEAST.

    One on a line, as asked, or a list in JSON, as some models answer whatever they are asked.
    """
    lines = _json_list(text) or text.splitlines()
    _refuse(_plain(lines[0] if lines else ""))
    found = {}
    for line in lines:
        entry = _plain(_MARKS.sub("", line).rstrip().rstrip(","))
        words = len(entry.split())
        if question == "words":
            entry = entry.rstrip(".")
            good = 1 <= words <= WORD_PARTS and len(entry) <= WORD_LENGTH
        else:
            good = words > WORD_PARTS and len(entry) <= LONGEST and not entry.endswith(":")
        if good and re.fullmatch(r"[^\[\]{}<>|]*[^\W\d_][^\[\]{}<>|]*", entry):
            found.setdefault(entry.casefold(), entry)
    if len(found) < LEAST:
        raise UnansweredError("empty", f"{len(found)} {question}: {_plain(text)[:LONGEST]}")
    return list(found.values())[:MOST]


def _json_list(text: str) -> list[str]:
    start, stop = text.find("["), text.rfind("]")
    try:
        values = json.loads(text[start : stop + 1]) if 0 <= start < stop else []
    except ValueError:
        return []
    return [value for value in values if isinstance(value, str)]


def _plain(text: str) -> str:
    """Text in one line, without the marks of lists, emphasis and quotation around it."""
    line = " ".join(text.replace("**", "").replace("`", "").split())
    line = _MARKS.sub("", line)
    pairs = ('""', "''", "“”", "‘’")
    while len(line) > 1 and any(line[0] == a and line[-1] == b for a, b in pairs):
        line = line[1:-1].strip()
    return line


def _refuse(line: str) -> None:
    if _REFUSAL.match(line.replace("’", "'")):
        raise UnansweredError("refused", line[:LONGEST])
