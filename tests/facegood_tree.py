"""A made-up folder in the layout of FACEGOOD-Audio2Face: syllables of noise, a mouth that opens."""

from pathlib import Path

import numpy as np

from mien import audio
from mien.data.facegood import FPS, NAMES
from mien.data.facegood_units import CHANNELS

NAMES_IN_ORDER = sorted(CHANNELS)


def opening(seconds: float, *, seed: int = 0) -> np.ndarray:
    """(T,) in [0, 1]: a syllable every 0.5 s, of drawn size; 0.7 s of rest after every sixth."""
    frames = round(seconds * FPS)
    rng, start, curve = np.random.default_rng(seed), 9, np.zeros(frames + 60)
    syllables = 0
    while start < frames:
        curve[start : start + 12] = rng.uniform(0.4, 1.0) * np.hanning(12)
        syllables += 1
        start += 15 if syllables % 6 else 36
    return curve[:frames]


def write_sequence(root: Path, name: str, values: np.ndarray, speech: np.ndarray) -> None:
    """values (T, 116) in the order of NAMES_IN_ORDER."""
    for folder in ("bs_value", "wav"):
        (root / "code" / "train" / folder).mkdir(parents=True, exist_ok=True)
    np.save(root / "code" / "train" / "bs_value" / f"bs_value_{name}.npy", values)
    np.save(root / "code" / "train" / NAMES, np.array(NAMES_IN_ORDER))
    audio.write_wav(root / "code" / "train" / "wav" / f"{name}.wav", speech)


def channels(frames: int, **curves: np.ndarray) -> np.ndarray:
    """(frames, 116) with these channels and 0 elsewhere."""
    values = np.zeros((frames, len(NAMES_IN_ORDER)))
    for name, curve in curves.items():
        values[:, NAMES_IN_ORDER.index(name)] = curve
    return values


def babble(curve: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Speech as loud as the mouth (T,) is open, over a quiet room."""
    samples = audio.sample_count(len(curve), FPS)
    moments = np.arange(samples) / audio.SPEECH_RATE
    loud = np.interp(moments * FPS, np.arange(len(curve)), curve)
    noise = np.random.default_rng(seed).standard_normal(samples)
    return (0.1 * noise * (loud + 1e-4)).astype(np.float32)


def write_tree(root: Path, names: tuple[str, ...], seconds: float = 12.0) -> Path:
    """Write sequences of other syllables each; return the root."""
    for seed, name in enumerate(names):
        curve = opening(seconds, seed=seed)
        values = channels(len(curve), mouth_stretch_c=0.5 * curve)
        write_sequence(root, name, values, babble(curve, seed=seed))
    return root
