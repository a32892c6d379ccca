"""Sound in and out, and the only place that converts between seconds, samples and frames.

Speech is always mono float32 at 16 kHz in [-1, 1], shape (S,). Animation frame t shows the moment
t / fps, so speech of S samples fills every frame whose moment lies before its end. 16000 / 30 is
not whole: every conversion goes through seconds.
"""

import math
import wave
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError

from mien.errors import MienError

SPEECH_RATE = 16000  # samples a second
FPS = 30.0  # frames a second where nothing else is said
MIN_FPS, MAX_FPS = 1.0, 240.0
MIN_SECONDS = 0.1  # shorter speech holds no syllable
MAX_SECONDS = 3600.0  # an hour: 230 MB of samples
MAX_PEAK = 4.0  # a float array beyond this was meant as integers
# These containers say how long they are, so a file that ends early is known to be cut off.
DECLARING = ("aiff", "flac", "mov,mp4", "matroska")
CUT_OFF = 0.9  # holding less than this part of the declared length is an error
UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # what a program that streams a wav writes as its size


def samples_to_seconds(samples: float) -> float:
    """Return the duration in seconds of a number of speech samples."""
    return samples / SPEECH_RATE


def seconds_to_samples(seconds: float) -> int:
    """Return the speech sample nearest to a moment, or a duration in whole samples."""
    return round(seconds * SPEECH_RATE)


def frame_to_seconds(frame: float, fps: float = FPS) -> float:
    """Return the moment that a frame shows."""
    return frame / fps


def seconds_to_frame(seconds: float, fps: float = FPS) -> int:
    """Return the frame nearest to a moment."""
    return round(seconds * fps)


def frame_count(samples: int, fps: float = FPS) -> int:
    """Return T, the number of frames whose moments t / fps lie inside `samples` of speech."""
    return math.ceil(samples * _exact(fps) / SPEECH_RATE)


def frame_times(count: int, fps: float = FPS) -> np.ndarray:
    """Return the moments (count,) of the frames in seconds, float64."""
    return np.arange(count) / fps


def sample_count(frames: int, fps: float = FPS) -> int:
    """Return the fewest samples that fill `frames` frames: frame_count(sample_count(n)) == n."""
    return math.floor((frames - 1) * SPEECH_RATE / _exact(fps)) + 1 if frames > 0 else 0


def _exact(fps: float) -> Fraction:
    """Return the frame rate as a fraction, so that no count hangs on the last bit of a float."""
    return Fraction(fps).limit_denominator(1001)


def frame_to_timecode(frame: int, fps: float = FPS) -> str:
    """Return the moment of a frame as hours:minutes:seconds:frames.thousandths of a frame."""
    moment = frame / _exact(fps)
    seconds = math.floor(moment)
    thousandths = math.floor((moment - seconds) * _exact(fps) * 1000)
    minutes, seconds = divmod(seconds, 60)
    frames, thousandths = divmod(thousandths, 1000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frames:02}.{thousandths:03}"


def check_fps(fps: float) -> float:
    """Return the frame rate as a float; MienError outside 1 to 240 frames a second."""
    if not MIN_FPS <= fps <= MAX_FPS:  # NaN fails this too
        raise MienError(f"fps is {fps:g}; give {MIN_FPS:g} to {MAX_FPS:g} frames a second")
    return float(fps)


def check_speech(speech: np.ndarray) -> np.ndarray:
    """Return the speech as contiguous float32 (S,); MienError if it cannot be speech at 16 kHz."""
    speech = np.asarray(speech)
    if speech.ndim != 1 or not np.issubdtype(speech.dtype, np.floating):
        raise MienError(
            f"speech is an array {speech.shape} of {speech.dtype}; "
            "one channel of float samples in [-1, 1] at 16 kHz is wanted"
        )
    _check_length(samples_to_seconds(len(speech)))
    if not np.isfinite(speech).all():
        raise MienError("speech holds samples that are not finite numbers; export the sound again")
    if (peak := float(np.abs(speech).max())) > MAX_PEAK:
        raise MienError(f"speech peaks at {peak:g}; samples in [-1, 1] are wanted: scale it first")
    return np.ascontiguousarray(speech, dtype=np.float32)


def _check_length(seconds: float) -> None:
    if seconds < MIN_SECONDS:
        raise MienError(f"speech is {seconds:.2f} s long; at least {MIN_SECONDS:g} s is needed")
    if seconds > MAX_SECONDS:
        raise MienError(
            f"speech is {seconds:.0f} s long; at most {MAX_SECONDS:.0f} s can be animated at once: "
            "cut it into parts"
        )


def decode(path: Path | str) -> np.ndarray:
    """Read the sound of any audio or video file as speech (S,).

    All channels are mixed into one; sound above full scale is scaled down to it. Raises MienError
    for a file that is missing, holds no sound, cannot be decoded, is shorter than 0.1 s or longer
    than an hour, or ends before the length that it declares (half a sentence is no use; formats
    that declare no length, such as mp3, are read up to where they end).
    """
    path = Path(path)
    if path.is_dir():
        raise MienError(f"{path} is a folder; give a sound or video file")
    if not path.is_file():
        raise MienError(f"{path} does not exist; give a sound or video file")
    if path.stat().st_size == 0:
        raise MienError(f"{path} is empty; give a sound or video file")
    try:
        # "file:" keeps a name such as "take:1.wav" from being read as a network address.
        with av.open(f"file:{path}") as container:
            speech = _read(container, path)
    except (FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MienError(f"{path} cannot be read as sound ({reason}); give a sound file") from error
    peak = float(np.abs(speech).max(initial=0.0))
    return check_speech(speech / peak if 1.0 < peak < math.inf else speech)


def _read(container: InputContainer, path: Path) -> np.ndarray:
    if not container.streams.audio:
        raise MienError(f"{path} has no sound in it; give a file with an audio track")
    stream = container.streams.audio[0]
    speech = _resampled(container, stream)
    if not len(speech):
        raise MienError(f"{path} holds no sound that can be decoded; export it again")
    seconds = samples_to_seconds(len(speech))
    declared = _declared_seconds(container, stream) or seconds * _declared_size(path)
    if seconds < CUT_OFF * declared:
        raise MienError(
            f"{path} is cut off: it holds {seconds:.2f} s of the {declared:.2f} s it declares; "
            "copy or export it again"
        )
    return speech


def _declared_seconds(container: InputContainer, stream: AudioStream) -> float:
    if not container.format.name.startswith(DECLARING) or stream.time_base is None:
        return 0.0
    if stream.duration is None:  # Matroska: one length for all tracks
        return (container.duration or 0) / 1e6 if len(container.streams) == 1 else 0.0
    return float(stream.duration * stream.time_base)


def _declared_size(path: Path) -> float:
    """Return how many times larger than it is a wav file says to be; PyAV does not tell."""
    with open(path, "rb") as file:
        head = file.read(8)
    size = int.from_bytes(head[4:], "little")
    if head[:4] != b"RIFF" or size in UNKNOWN_SIZES:
        return 1.0
    return (8 + size) / path.stat().st_size


def _resampled(container: InputContainer, stream: AudioStream) -> np.ndarray:
    """Decode, mix and resample the whole stream; packets that cannot be decoded are left out."""
    pieces, samples = [], 0
    # A resampler takes frames of one kind; joined recordings may change theirs on the way.
    for _, frames in groupby(_decoded(container, stream), _kind):
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SPEECH_RATE)
        for frame in chain(frames, [None]):  # None: the end is still inside the resampler
            for piece in resampler.resample(frame):
                pieces.append(piece.to_ndarray()[0])
                samples += len(pieces[-1])
            _check_most(samples)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _kind(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _decoded(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except InvalidDataError:
            continue  # damage in one packet must not cost the rest


def _check_most(samples: int) -> None:
    """Stop a recording of many hours early, before it fills the memory."""
    if (seconds := samples_to_seconds(samples)) > MAX_SECONDS:
        _check_length(seconds)


def write_wav(path: Path | str, speech: np.ndarray) -> None:
    """Write speech (S,) as 16-bit mono wav at 16 kHz; samples beyond [-1, 1] are clipped."""
    whole = np.round(np.clip(speech, -1.0, 1.0) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SPEECH_RATE)
        file.writeframes(whole.tobytes())
