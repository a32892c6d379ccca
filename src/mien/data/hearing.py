"""speech_features of a whole corpus, in several versions, cached beside it."""

import hashlib
import json
import math
import os
import shutil
from collections import deque
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mien.data.augment import augment
from mien.data.clips import Corpus
from mien.errors import MienError
from mien.features import HearsSpeech

VERSION = 1
"""Raise it when `augment` or `codec` make other sounds of the same draws: caches are then old."""

NEIGHBOURS = 24
"""Clips heard before whose voices murmur behind a clip: more than the takes of one sentence."""


def hear(corpus: Corpus, encoder: HearsSpeech, *, phases: int, seed: int) -> np.ndarray:
    """Return (phases, N, C) float16: features of all clips of the corpus end to end.

    Version 0 is the speech as it is; the others come through other rooms, noises and codecs
    (`augment`). Each version of each clip lies at its own random phase of the encoder's windows,
    since the features of a sound change with its place in the window. Kept in corpus/features.npy
    until the corpus, the encoder or the arguments change.
    """
    key = _key(corpus, encoder, phases, seed)
    data, note = corpus.folder / "features.npy", corpus.folder / "features.json"
    if data.exists() and note.exists() and note.read_text() == json.dumps(key):
        return np.load(data, mmap_mode="r", allow_pickle=False)
    shape = (phases, sum(record.frames for record in corpus.records), encoder.size)
    temporary = data.with_suffix(".part.npy")
    temporary.unlink(missing_ok=True)
    _check_space(corpus.folder, 2 * math.prod(shape))
    features = np.lib.format.open_memmap(temporary, "w+", dtype=np.float16, shape=shape)
    start, others = 0, deque(maxlen=NEIGHBOURS)
    for index, record in enumerate(tqdm(corpus.records, desc="hear")):
        clip = corpus.clip(record.id)
        rng = np.random.default_rng((seed, index))
        for phase in range(phases):
            speech = clip.speech if phase == 0 else augment(clip.speech, rng, others=others)
            heard = encoder.encode(speech, fps=clip.fps, phase=rng.random())
            features[phase, start : start + record.frames] = heard[: record.frames]
        start += record.frames
        if record.sentence:
            others.append(clip.speech)
    features.flush()
    note.unlink(missing_ok=True)  # a kill between these lines must not leave another's note
    temporary.replace(data)
    part = note.with_suffix(".part")
    part.write_text(json.dumps(key))
    os.replace(part, note)
    return np.load(data, mmap_mode="r", allow_pickle=False)


def _check_space(folder: Path, wanted: int) -> None:
    """MienError where a folder's disk has fewer bytes free than are wanted.

    The file is written through memory: on a full disk the process would be killed.
    """
    if (free := shutil.disk_usage(folder).free) < wanted:
        raise MienError(
            f"the features of {folder} take {wanted / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are "
            "free there; free more and start again"
        )


def _key(corpus: Corpus, encoder: HearsSpeech, phases: int, seed: int) -> dict[str, object]:
    manifest = (Path(corpus.folder) / "manifest.jsonl").read_bytes()
    digest = hashlib.sha256(manifest).hexdigest()
    return {
        "version": VERSION,
        "manifest": digest,
        "encoder": encoder.name,
        "phases": phases,
        "seed": seed,
    }
