"""Speech by the neural voice of `hibari-tts`, whose phone times a forced aligner finds.

It sounds much more like a person than flite does, but says nothing about its timing; the aligner's
borders are off by 9 ms in the median (docs/LOG.md).
"""

import warnings
from functools import cache
from typing import Any

from mien import audio
from mien.data.phones import align_phones
from mien.data.simulate.speech import Utterance, Voice, resample
from mien.errors import MienError

NAME = "hibari"
"""What `Voice.name` calls this voice."""

RATE = 24000
"""Hz: what it speaks at."""


def say(text: str, voice: Voice) -> Utterance:
    """Speak `text`; the voice's pitch cannot be set. MienError where hibari-tts is missing."""
    # The tract is changed by playing the sound faster, so it speaks slower by as much.
    spoken = _speaker()(text, speed=voice.rate / voice.tract, seed=0)
    speech = resample(spoken, voice.tract * RATE / audio.SPEECH_RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about words that no dictionary knows: spelled by rule
        phones = align_phones(speech, text)
    return Utterance(speech=speech, phones=phones)


@cache
def _speaker() -> Any:
    try:
        from hibari import Hibari
    except ModuleNotFoundError as error:
        raise MienError("the voice hibari is not installed; run: pip install hibari-tts") from error
    return Hibari(threads=1)
