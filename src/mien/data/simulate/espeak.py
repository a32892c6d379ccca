"""Speech by the program `espeak-ng`: formant voices with many accents and throats.

It sounds least like a person, but its closures, bursts and vowels are all in the sound, and its
voices differ more than any recorded ones. Its library tells phone times, its program does not; the
library is under the GPL and would have to be linked, so the program is run and a forced aligner
finds the times. Against the library's own they are off by 9 ms in the median (docs/LOG.md).
"""

import io
import wave
from xml.sax.saxutils import escape

import numpy as np

from mien import audio
from mien.data.simulate.aligned import aligned
from mien.data.simulate.speech import Utterance, Voice, resample, run_program
from mien.errors import MienError

PREFIX = "espeak-ng:"
"""`Voice.name` is this and espeak-ng's own name: a language and a variant, "en-us+f2"."""

WORDS_A_MINUTE = 160.0
"""At rate 1: about as fast as flite."""

PITCHES = (0.82, 0.90, 1.0, 1.15, 1.33, 1.5)
PITCH_SETTINGS = (20, 35, 50, 65, 80, 95)
"""Mean pitch against that of setting 50, and the settings that give it (measured)."""

SPAN_LIFT = 0.16
"""The span opens upward: by so much the mean rises when the span doubles."""


def say(text: str, voice: Voice) -> Utterance:
    """Speak `text`. MienError where espeak-ng is missing, or the words are not found again."""
    # The tract is changed by playing the sound faster, so it speaks slower and lower by as much.
    speed = round(WORDS_A_MINUTE * voice.rate / voice.tract)
    wanted = voice.pitch / voice.tract / (1 + SPAN_LIFT * (voice.span - 1))
    pitch = round(float(np.interp(wanted, PITCHES, PITCH_SETTINGS)))
    marked = f'<prosody range="{round(100 * voice.span)}%">{escape(text)}</prosody>'
    options = ["-v", voice.name.removeprefix(PREFIX), "-s", str(speed), "-p", str(pitch)]
    recording, rate = _run(marked, options)
    return aligned(
        resample(recording, voice.tract * rate / audio.SPEECH_RATE), text, rate=voice.rate
    )


def _run(marked: str, options: list[str]) -> tuple[np.ndarray, int]:
    """Return what the program speaks: samples (S,) float32 and their rate in Hz."""
    sound, reason = run_program("espeak-ng", [*options, "-z", "-m", "--stdout", marked])
    if reason or not sound:
        raise MienError(f"espeak-ng could not speak {marked!r}: {reason or 'no sound'}")
    # What it writes to a pipe declares no length, so the sound is read to its end.
    with wave.open(io.BytesIO(sound)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(len(sound)), "<i2")
    return samples.astype(np.float32) / 32768, rate
