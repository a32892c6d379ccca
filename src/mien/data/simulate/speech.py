"""Speech with known phone times, spoken by the program `flite`.

flite prints when each phone ends, so no aligner is needed. What the voice does beyond the words is
a `Voice`; `espeak` and `neural` speak the same way with other voices.
"""

import io
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien import audio
from mien.data.clips import Phone
from mien.errors import MienError

PITCHED = {"kal16": (105.0, 14.0), "awb": (120.0, 24.0), "slt": (168.0, 27.0)}
"""Voices whose pitch flite can set: their own mean and deviation, Hz. `rms` ignores both."""

VOICES = ("kal16", "awb", "rms", "slt")

LONGEST_SECONDS = 60.0
"""A program takes milliseconds for a sentence; a call that lasts longer than this hangs."""


@dataclass(frozen=True)
class Voice:
    """Who speaks and how: everything that shapes the sound."""

    name: str = "slt"
    """flite's voice (kal16, awb, rms or slt), `neural.NAME`, or `espeak.PREFIX` and a name"""
    rate: float = 1.0
    """speed of speech; 1.2 is a fifth faster"""
    pitch: float = 1.0
    """the voice's own mean pitch times this (rms ignores it)"""
    span: float = 1.0
    """how far the pitch moves around its mean, times the voice's own (rms ignores it)"""
    tract: float = 1.0
    """stretches the spectrum: 1.1 is a shorter vocal tract, so another, smaller speaker"""
    loudness: float = 0.0
    """dB above the voice's usual speech; a loud voice is also a brighter one (see `delivery`)"""
    dynamics: float = 1.0
    """how far loud and quiet syllables lie apart: their distance in dB, times this"""


@dataclass(frozen=True, eq=False)
class Utterance:
    """Speech (S,) float32 16 kHz in [-1, 1] and its phones, which cover it without gaps."""

    speech: np.ndarray
    phones: list[Phone]


def say(text: str, voice: Voice = Voice()) -> Utterance:
    """Speak `text`. MienError where flite is missing, the voice is unknown or nothing is said."""
    if voice.name not in VOICES:
        raise MienError(f"flite has no voice {voice.name!r} here; use one of {', '.join(VOICES)}")
    # The tract is changed by playing the sound faster, so flite speaks slower by as much.
    stretch = voice.tract / voice.rate
    options = ["-voice", voice.name, "--setf", f"duration_stretch={stretch:.5f}"]
    if voice.name in PITCHED:
        mean, deviation = (hertz * voice.pitch / voice.tract for hertz in PITCHED[voice.name])
        options += ["--setf", f"int_f0_target_mean={mean:.3f}"]
        options += ["--setf", f"int_f0_target_stddev={deviation * voice.span:.3f}"]
    recording, printed = _run_flite(text, options)
    return Utterance(
        speech=resample(recording, voice.tract),
        phones=_read_phones(printed, len(recording) / audio.SPEECH_RATE, voice.tract),
    )


def run_program(name: str, options: list[str]) -> tuple[bytes, str]:
    """Run a speech program; return its output and, where it failed, the reason, else "".

    MienError where it is not installed or hangs.
    """
    program = shutil.which(name)
    if program is None:
        raise MienError(f"the speech program {name} is not installed; run: apt install {name}")
    try:
        done = subprocess.run(
            [program, *options], capture_output=True, timeout=LONGEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MienError(f"{name} has not spoken within {LONGEST_SECONDS:g} s; try again") from error
    said = done.stderr.decode(errors="replace").strip()
    return done.stdout, (said or f"status {done.returncode}") if done.returncode else ""


def _run_flite(text: str, options: list[str]) -> tuple[np.ndarray, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        printed, reason = run_program("flite", [*options, "-psdur", "-t", text, "-o", str(path)])
        if reason or not path.exists():
            raise MienError(f"flite could not speak {text!r}: {reason or 'no sound'}")
        return _read_wave(path.read_bytes()), printed.decode(errors="replace")


def _read_wave(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
        if rate != audio.SPEECH_RATE:
            raise MienError(f"flite spoke at {rate} Hz; {audio.SPEECH_RATE} Hz is needed")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / 32768


def _read_phones(printed: str, seconds: float, tract: float) -> list[Phone]:
    """Parse "pau:0.22 m:0.25 …" (end times); the last phone is cut or stretched to the sound's end.

    kal16 prints up to 0.13 s more silence at the end than it speaks; other voices agree to 5 ms.
    """
    pairs = [entry.rsplit(":", 1) for entry in printed.split()]
    if len(pairs) < 2:
        raise MienError(f"flite printed no phones: {printed!r}")
    ends = np.minimum([float(end) for _, end in pairs], seconds)
    ends[-1] = seconds
    starts = np.concatenate([[0.0], ends[:-1]])
    phones = [
        Phone(name, float(start / tract), float(end / tract))
        for (name, _), start, end in zip(pairs, starts, ends, strict=True)
    ]
    return [phone for phone in phones if phone.end > phone.start]


def resample(speech: np.ndarray, faster: float) -> np.ndarray:
    """Return speech (S,) played faster by this factor: exact for a band-limited sound."""
    if faster == 1.0:
        return speech
    samples = round(len(speech) / faster)
    bins = np.fft.rfft(speech)
    kept = np.zeros(samples // 2 + 1, complex)
    shared = min(len(kept), len(bins))
    kept[:shared] = bins[:shared]
    return (np.fft.irfft(kept, samples) * (samples / len(speech))).astype(np.float32)
