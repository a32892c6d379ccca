"""What was heard in clips whose phones are known, with what it demanded of the lips."""

from collections.abc import Iterator

import numpy as np

from mien.data.clips import Corpus
from mien.data.simulate.recall import recall
from mien.face import Face


class Demanded:
    """The clips of one split whose phones are known, in memory."""

    def __init__(self, corpus: Corpus, heard: np.ndarray, face: Face, *, split: str):
        """`heard` (phases, N, 384) is what `hearing.hear` made of the corpus."""
        self.heard = heard
        self._clips: list[tuple[int, np.ndarray]] = []
        start = 0
        for record in corpus.records:
            if record.split == split and (content := recall(corpus.clip(record.id), face)):
                wanted = (content.closure, content.labiodental, content.floor)
                self._clips.append((start, np.stack(wanted, axis=1).astype(np.float32)))
            start += record.frames

    def __len__(self) -> int:
        return len(self._clips)

    def draw(
        self, rng: np.random.Generator, size: int, frames: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw crops: speech (B, T, 384) and closure, labiodental, floor (metres) (B, T, 3)."""
        long = [clip for clip in self._clips if len(clip[1]) >= frames]
        speech, wanted = [], []
        for place in rng.integers(len(long), size=size):
            start, demands = long[place]
            first = int(rng.integers(len(demands) - frames + 1))
            rows = slice(start + first, start + first + frames)
            speech.append(self.heard[rng.integers(len(self.heard)), rows])
            wanted.append(demands[first : first + frames])
        return np.stack(speech).astype(np.float32), np.stack(wanted)

    def clips(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield every clip as it was recorded: speech (T, 384) and its demands (T, 3)."""
        for start, demands in self._clips:
            yield self.heard[0, start : start + len(demands)].astype(np.float32), demands
