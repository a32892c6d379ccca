"""Phonetic cover: how often a corpus says each phone, each pair of phones, and by which voices."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from mien.data.clips import Corpus
from mien.data.phones import SILENCE
from mien.data.simulate.targets import TARGETS

RARE = 5
"""How many phones count as the rarest."""


@dataclass(frozen=True)
class Cover:
    """Counts over a corpus; each sentence of each voice counts once, whatever its takes."""

    phones: Counter[str]
    """all but pauses"""
    first: Counter[str]
    """phones after a pause"""
    last: Counter[str]
    """phones before a pause"""
    pairs: Counter[tuple[str, str]]
    """neighbouring phones, pauses among them"""
    voices: dict[str, Counter[str]]
    """phones of each voice"""

    @property
    def missing(self) -> list[str]:
        """The phones that the mouth has targets for and that nobody says."""
        return sorted(set(TARGETS) - {SILENCE} - set(self.phones))

    @property
    def rarest(self) -> list[tuple[str, int]]:
        """The rarest phones that are said, and how often."""
        return sorted(self.phones.items(), key=lambda entry: (entry[1], entry[0]))[:RARE]

    def summary(self) -> str:
        """Return one line for the terminal."""
        known = len(TARGETS) - 1
        rare = ", ".join(f"{name} {count}" for name, count in self.rarest)
        missing = f"; none of {', '.join(self.missing)}" if self.missing else ""
        return (
            f"cover: {len(self.phones)} of {known} phones, {len(self.pairs)} pairs; "
            f"rarest: {rare}{missing}"
        )

    def markdown(self) -> str:
        """Return the report."""
        total = max(sum(self.phones.values()), 1)
        voices = sorted(self.voices)
        head = ["phone", "count", "share", "after a pause", "before a pause", "pairs", *voices]
        rows = [head, ["---"] * len(head)]
        for name in sorted(TARGETS, key=lambda name: (-self.phones[name], name)):
            if name != SILENCE:
                counts = [self.first[name], self.last[name], self._company(name)]
                counts += [self.voices[voice][name] for voice in voices]
                share = f"{self.phones[name] / total:.2%}"
                rows.append([name, str(self.phones[name]), share, *map(str, counts)])
        table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        return (
            f"# Phonetic cover\n\n{self.summary()}.\n\n"
            "Each sentence of each voice counts once, whatever its takes. `pairs` is in how many "
            f"different pairs of neighbours a phone is seen.\n\n{table}\n"
        )

    def _company(self, name: str) -> int:
        return sum(name in pair for pair in self.pairs)


def cover(corpus: Corpus) -> Cover:
    """Count the phones of a corpus's spoken clips, by the first take of each sentence and voice.

    Clips whose phones nobody knows, as of most captures, count nothing.
    """
    phones, first, last = Counter(), Counter(), Counter()
    pairs, voices, seen = Counter(), {}, set()
    for record in corpus.records:
        if not record.sentence or (record.sentence_id, record.voice) in seen:
            continue
        seen.add((record.sentence_id, record.voice))
        names = [SILENCE, *(phone.name for phone in corpus.clip(record.id).phones), SILENCE]
        said = [name for name in names if name != SILENCE]
        if not said:
            continue
        phones.update(said)
        voices.setdefault(record.voice, Counter()).update(said)
        together = [pair for pair in pairwise(names) if pair != (SILENCE, SILENCE)]
        pairs.update(together)
        first.update(after for before, after in together if before == SILENCE)
        last.update(before for before, after in together if after == SILENCE)
    return Cover(phones=phones, first=first, last=last, pairs=pairs, voices=voices)
