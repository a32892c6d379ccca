"""What the tests of the command line share beyond fixtures (`conftest`)."""

from fractions import Fraction

import av
import numpy as np

from mien import audio

SECONDS, FRAMES = 0.4, 12
"""Length of the fixture `folder`'s hello.wav, and the animation's frames."""


def assert_one_sentence(err):
    assert err.startswith("mien: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert "Traceback" not in err


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def babble(seconds, seed=0):
    moments = np.arange(audio.seconds_to_samples(seconds)) / audio.SPEECH_RATE
    noise = np.random.default_rng(seed).standard_normal(len(moments))
    return (0.1 * noise * np.sin(2 * np.pi * 2.5 * moments) ** 2).astype(np.float32)


def write_film(path, speech):
    """A small film in H.264, with speech in AAC or without sound."""
    with av.open(str(path), "w", format="mp4") as film:
        picture = film.add_stream("libx264", rate=30)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        sound = film.add_stream("aac", rate=16000, layout="mono") if speech is not None else None
        for t in range(FRAMES):
            image = np.full((64, 64, 3), 10 * t, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = t
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        if sound is not None and speech is not None:
            frame = av.AudioFrame.from_ndarray(speech[None], format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16000, 0, Fraction(1, 16000)
            film.mux(sound.encode(frame))
            film.mux(sound.encode(None))
