"""English word forms: verbs in the third person and as gerunds, "an" before vowels."""

from itertools import pairwise

IRREGULAR = {"be": ("is", "being"), "have": ("has", "having"), "do": ("does", "doing")}
DOUBLED = {"shut", "drop", "stop", "pop", "jut", "grin", "put", "nip", "let", "grit", "slit"}
DOUBLED |= {"sag", "skip", "get", "sit", "bat"}
"""Verbs that double their last letter before -ing."""
VOWELS = tuple("aeiou")
CONSONANTAL = ("one", "unif", "uniq", "unit", "use", "eu")  # what sounds like won- or yu-


def third(phrase: str) -> str:
    """A verb phrase in the third person: "raise her brows" -> "raises her brows"."""
    verb, _, rest = phrase.partition(" ")
    if verb in IRREGULAR:
        form = IRREGULAR[verb][0]
    elif verb.endswith(("s", "sh", "ch", "x", "z", "go", "do")):
        form = f"{verb}es"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        form = f"{verb[:-1]}ies"
    else:
        form = f"{verb}s"
    return f"{form} {rest}".rstrip()


def gerund(phrase: str) -> str:
    """A verb phrase as a gerund: "raise her brows" -> "raising her brows"."""
    verb, _, rest = phrase.partition(" ")
    if verb in IRREGULAR:
        form = IRREGULAR[verb][1]
    elif verb in DOUBLED:
        form = f"{verb}{verb[-1]}ing"
    elif verb.endswith("e") and not verb.endswith("ee"):
        form = f"{verb[:-1]}ing"
    else:
        form = f"{verb}ing"
    return f"{form} {rest}".rstrip()


def sentence(text: str) -> str:
    """With a capital in front, and "a" before vowels made "an"."""
    text = articled(text)
    return text[:1].upper() + text[1:]


def articled(text: str) -> str:
    """ "a open mouth" -> "an open mouth"."""
    words = text.split(" ")
    for at, (word, following) in enumerate(pairwise(words)):
        vowel = following[:1] in VOWELS and not following.startswith(CONSONANTAL)
        if word in ("a", "A") and vowel:
            words[at] = f"{word}n"
    return " ".join(words)
