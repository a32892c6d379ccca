"""Speech with known phone times, spoken by the program `flite`.

flite prints when each phone ends, so no aligner is needed. Pitch and rate are set here and never
follow the expression: the networks must not read an expression from the prosody of a simulation.
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

PITCHED = {"kal16": 105.0, "awb": 120.0, "slt": 168.0}
"""Voices whose pitch flite can set, and their own mean pitch in Hz. `rms` ignores the setting."""

VOICES = ("kal16", "awb", "rms", "slt")

LONGEST_SECONDS = 60.0
"""flite takes milliseconds for a sentence; a call that lasts longer than this hangs."""


@dataclass(frozen=True)
class Voice:
    """Who speaks and how: everything that shapes the sound."""

    name: str = "slt"
    """flite's voice (kal16, awb, rms or slt), or `neural.NAME`"""
    rate: float = 1.0
    """speed of speech; 1.2 is a fifth faster"""
    pitch: float = 1.0
    """the voice's own mean pitch times this (rms ignores it)"""
    tract: float = 1.0
    """stretches the spectrum: 1.1 is a shorter vocal tract, so another, smaller speaker"""


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
        mean = PITCHED[voice.name] * voice.pitch / voice.tract
        options += ["--setf", f"int_f0_target_mean={mean:.3f}"]
    recording, printed = _run_flite(text, options)
    return Utterance(
        speech=resample(recording, voice.tract),
        phones=_read_phones(printed, len(recording) / audio.SPEECH_RATE, voice.tract),
    )


def pad(utterance: Utterance, before: float, after: float) -> Utterance:
    """Return the utterance with seconds of silence before and after it."""
    samples = [round(seconds * audio.SPEECH_RATE) for seconds in (before, after)]
    speech = np.pad(utterance.speech, samples)
    shift = samples[0] / audio.SPEECH_RATE
    end = len(speech) / audio.SPEECH_RATE
    phones = [Phone(p.name, p.start + shift, p.end + shift) for p in utterance.phones]
    if phones[0].start > 0:
        phones = [Phone("pau", 0.0, phones[0].start), *phones]
    if phones[-1].end < end:
        phones = [*phones, Phone("pau", phones[-1].end, end)]
    return Utterance(speech=speech, phones=phones)


def silence(seconds: float) -> Utterance:
    """Return an utterance that says nothing."""
    speech = np.zeros(round(seconds * audio.SPEECH_RATE), np.float32)
    return Utterance(speech=speech, phones=[Phone("pau", 0.0, len(speech) / audio.SPEECH_RATE)])


def _run_flite(text: str, options: list[str]) -> tuple[np.ndarray, str]:
    program = shutil.which("flite")
    if program is None:
        raise MienError("the speech program flite is not installed; run: apt install flite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [program, *options, "-psdur", "-t", text, "-o", str(path)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
        )
        if done.returncode or not path.exists():
            raise MienError(f"flite could not speak {text!r}: {done.stderr.strip() or 'no sound'}")
        return _read_wave(path.read_bytes()), done.stdout


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
