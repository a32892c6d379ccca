import wave

import av
import numpy as np
import pytest

from mien import audio
from mien.errors import MienError

RATES = (30.0, 25.0, 24.0, 60.0, 29.97, 30000 / 1001, 23.976, 12.5)


def tone(seconds=1.0, rate=audio.SPEECH_RATE, hertz=440.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def loudest_hertz(speech):
    spectrum = np.abs(np.fft.rfft(speech * np.hanning(len(speech))))
    return np.argmax(spectrum) * audio.SPEECH_RATE / len(speech)


def write(path, samples, rate, *, codec, layout="mono", video=False):
    """Write samples (channels, S) float32 with PyAV, beside some black video where wanted."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if video:
            picture = container.add_stream("mpeg4", rate=25)
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
            for packet in [*picture.encode(frame), *picture.encode(None)]:
                container.mux(packet)
        packed = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.rate, frame.pts = rate, 0
        fitted = av.AudioResampler(stream.format, stream.layout, stream.rate)
        fifo = av.AudioFifo()
        for piece in [*fitted.resample(frame), *fitted.resample(None)]:
            fifo.write(piece)
        size = stream.codec_context.frame_size or 1024
        while (piece := fifo.read(size, partial=True)) is not None:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


@pytest.fixture
def hello(tmp_path):
    path = tmp_path / "hello.wav"
    audio.write_wav(path, tone())
    return path


@pytest.mark.parametrize("fps", RATES)
def test_frame_counts_are_exact_at_their_borders(fps):
    """Guards the last frame: float rounding of 16000 / 30 must neither add nor lose one."""
    for frames in [*range(1, 200), 1800, 107_892, 107_893, 108_000]:
        samples = audio.sample_count(frames, fps)
        assert audio.frame_count(samples, fps) == frames
        assert audio.frame_count(samples - 1, fps) == frames - 1


def test_frame_counts_of_known_durations():
    assert audio.frame_count(160_000) == 300
    assert audio.frame_count(160_001) == 301
    assert audio.frame_count(57_600_000) == 108_000
    assert audio.frame_count(0) == 0
    assert audio.sample_count(0) == 0
    assert audio.frame_count(16_000, 29.97) == 30


def test_conversions_and_their_inverses():
    assert audio.seconds_to_samples(audio.samples_to_seconds(12_345)) == 12_345
    for frame in (0, 1, 7, 299, 107_999):
        assert audio.seconds_to_frame(audio.frame_to_seconds(frame, 29.97), 29.97) == frame
    times = audio.frame_times(4, 25.0)
    assert times.tolist() == [0.0, 0.04, 0.08, 0.12]


@pytest.mark.parametrize("fps", [0, -30, 0.5, 1000, float("nan"), float("inf")])
def test_frame_rates_that_make_no_sense(fps):
    with pytest.raises(MienError, match="give 1 to 240 frames a second"):
        audio.check_fps(fps)


def test_wav_round_trip_is_exact_to_16_bits(hello):
    assert np.abs(audio.decode(hello) - tone()).max() <= 1 / 32767


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.mp3", "libmp3lame", 44_100),
        ("a.m4a", "aac", 48_000),
        ("a.ogg", "libopus", 48_000),
        ("a.flac", "flac", 22_050),
        ("a.mkv", "pcm_s16le", 8_000),
    ],
)
def test_any_container_keeps_pitch_length_and_loudness(tmp_path, name, codec, rate):
    write(tmp_path / name, tone(2.0, rate)[None], rate, codec=codec)
    speech = audio.decode(tmp_path / name)
    assert speech.dtype == np.float32
    assert speech.ndim == 1
    assert len(speech) == pytest.approx(32_000, abs=1_200)  # mp3 and aac add up to 70 ms
    assert loudest_hertz(speech) == pytest.approx(440, abs=1)
    middle = speech[8_000:24_000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_sound_of_a_video_is_used(tmp_path):
    write(tmp_path / "a.mp4", tone(1.0, 44_100)[None], 44_100, codec="aac", video=True)
    speech = audio.decode(tmp_path / "a.mp4")
    assert loudest_hertz(speech) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("channel", [0, 1, 2, 4, 5, 6, 7])
def test_eight_channels_at_192_khz_are_all_heard(tmp_path, channel):
    """Sound in any one of eight channels arrives (3 is for effects below speech, left out)."""
    samples = np.zeros((8, 192_000), np.float32)
    samples[channel] = tone(1.0, 192_000)
    write(tmp_path / "a.wav", samples, 192_000, codec="pcm_s24le", layout="7.1")
    speech = audio.decode(tmp_path / "a.wav")
    assert len(speech) == pytest.approx(16_000, abs=2)
    assert loudest_hertz(speech) == pytest.approx(440, abs=1)
    assert np.abs(speech).max() > 0.03


def test_eight_channels_without_a_layout(tmp_path):
    """A plain wave header says how many channels, not where they stand."""
    whole = np.tile((tone(0.5, 192_000) * 32767).astype("<i2")[:, None], 8)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(8)
        file.setsampwidth(2)
        file.setframerate(192_000)
        file.writeframes(whole.tobytes())
    speech = audio.decode(tmp_path / "a.wav")
    assert loudest_hertz(speech) == pytest.approx(440, abs=2)
    assert 0.1 < np.abs(speech).max() <= 1.0


def test_resampling_loses_nothing_at_the_end(tmp_path):
    """Guards the flush: a click in the last 2 ms must survive."""
    samples = np.zeros((1, 44_100), np.float32)
    samples[0, -80:] = 0.8
    write(tmp_path / "a.wav", samples, 44_100, codec="pcm_s16le")
    speech = audio.decode(tmp_path / "a.wav")
    assert len(speech) == pytest.approx(16_000, abs=1)
    assert np.abs(speech[-30:]).max() > 0.3


def test_sounds_above_16_khz_do_not_fold_into_speech(tmp_path):
    write(tmp_path / "a.wav", tone(1.0, 48_000, 15_000)[None], 48_000, codec="pcm_s16le")
    assert np.abs(audio.decode(tmp_path / "a.wav")[500:-500]).max() < 0.01


def test_sound_above_full_scale_is_scaled_down(tmp_path):
    write(tmp_path / "a.wav", 3 * tone()[None], 16_000, codec="pcm_f32le")
    speech = audio.decode(tmp_path / "a.wav")
    assert np.allclose(speech, 2 * tone(), atol=1e-3)


def test_digital_silence_is_speech(tmp_path):
    audio.write_wav(tmp_path / "a.wav", np.zeros(16_000))
    assert not audio.decode(tmp_path / "a.wav").any()


@pytest.mark.parametrize("name", ["take:1.wav", "http:x.wav", "100%d.wav", "-", "ü ☺.wav"])
def test_names_that_look_like_addresses(tmp_path, monkeypatch, hello, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(hello.read_bytes())
    assert len(audio.decode(name)) == 16_000


def bad_files(folder):
    """Name → what is in the file, and what the message must say."""
    audio.write_wav(folder / "whole.wav", tone(2.0))
    whole = (folder / "whole.wav").read_bytes()
    write(folder / "whole.m4a", tone(2.0)[None], 16_000, codec="aac")
    mp4 = (folder / "whole.m4a").read_bytes()
    write(folder / "nan.wav", np.full((1, 16_000), np.nan), 16_000, codec="pcm_f32le")
    return {
        "empty.wav": (b"", "is empty"),
        "notes.txt": (b"hello\nworld\n" * 50, "(has no sound in it|cannot be read as sound)"),
        "notes.wav": (b"hello\nworld\n" * 50, "cannot be read as sound"),
        "head.wav": (whole[:44], "holds no sound"),
        "half.wav": (whole[: len(whole) // 2], r"cut off: it holds 1.00 s of the 2.00 s"),
        "part.wav": (whole[:20], "cannot be read as sound"),
        "half.m4a": (mp4[: len(mp4) // 2], "cannot be read as sound"),
        "noise.mp3": (np.random.default_rng(0).bytes(3000), "sound"),
        "nan.wav": ((folder / "nan.wav").read_bytes(), "not finite numbers"),
    }


BAD_NAMES = "empty.wav notes.txt notes.wav head.wav half.wav part.wav half.m4a noise.mp3 nan.wav"


@pytest.mark.parametrize("name", BAD_NAMES.split())
def test_bad_files_are_answered_in_one_sentence(tmp_path, name):
    content, message = bad_files(tmp_path)[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MienError, match=message) as caught:
        audio.decode(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_wav_from_a_program_that_streams(tmp_path, hello):
    """Such a program cannot know the size when it writes the header; that is no cut-off file."""
    content = bytearray(hello.read_bytes())
    content[4:8] = content[40:44] = b"\xff" * 4
    (tmp_path / "a.wav").write_bytes(content)
    assert len(audio.decode(tmp_path / "a.wav")) == 16_000


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(MienError, match="does not exist"):
        audio.decode(tmp_path / "hello.wav")
    with pytest.raises(MienError, match="is a folder"):
        audio.decode(tmp_path)


def test_video_without_sound(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(MienError, match="has no sound in it"):
        audio.decode(tmp_path / "a.mp4")


def test_a_cut_mp3_is_read_up_to_where_it_ends(tmp_path):
    """An mp3 is a row of packets without a length: half of one is a whole shorter one."""
    write(tmp_path / "a.mp3", tone(4.0)[None], 16_000, codec="libmp3lame")
    whole = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "half.mp3").write_bytes(whole[: len(whole) // 2])
    assert 1.5 < len(audio.decode(tmp_path / "half.mp3")) / 16_000 < 2.5


def test_recordings_joined_end_to_end_may_differ_in_rate_and_channels(tmp_path):
    write(tmp_path / "a.mp3", tone(1.0, 44_100)[None], 44_100, codec="libmp3lame")
    both = np.tile(tone(1.0, 48_000, 880.0), (2, 1))
    write(tmp_path / "b.mp3", both, 48_000, codec="libmp3lame", layout="stereo")
    joined = (tmp_path / "a.mp3").read_bytes() + (tmp_path / "b.mp3").read_bytes()
    (tmp_path / "ab.mp3").write_bytes(joined)
    speech = audio.decode(tmp_path / "ab.mp3")
    assert len(speech) == pytest.approx(32_000, abs=2_400)
    assert loudest_hertz(speech[:15_000]) == pytest.approx(440, abs=2)
    assert loudest_hertz(speech[-15_000:]) == pytest.approx(880, abs=2)


def test_damage_in_the_middle_costs_only_itself(tmp_path):
    write(tmp_path / "a.mp3", tone(4.0)[None], 16_000, codec="libmp3lame")
    content = bytearray((tmp_path / "a.mp3").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 300] = bytes(300)
    (tmp_path / "a.mp3").write_bytes(content)
    assert len(audio.decode(tmp_path / "a.mp3")) > 3.5 * 16_000


def test_too_short_and_too_long(tmp_path, monkeypatch):
    audio.write_wav(tmp_path / "a.wav", tone(0.05))
    with pytest.raises(MienError, match=r"speech is 0.05 s long; at least 0.1 s is needed"):
        audio.decode(tmp_path / "a.wav")
    audio.write_wav(tmp_path / "b.wav", tone(0.1))
    assert len(audio.decode(tmp_path / "b.wav")) == 1_600
    monkeypatch.setattr(audio, "MAX_SECONDS", 2.0)
    audio.write_wav(tmp_path / "c.wav", tone(2.5))
    with pytest.raises(MienError, match="at most 2 s can be animated at once"):
        audio.decode(tmp_path / "c.wav")


@pytest.mark.parametrize(
    ("speech", "message"),
    [
        (np.zeros((2, 16_000), np.float32), "one channel of float samples"),
        (np.zeros(16_000, np.int16), "one channel of float samples"),
        (np.full(16_000, 20_000.0), "peaks at 20000"),
        (np.full(16_000, np.inf), "not finite"),
        (np.zeros(0), "0.00 s long"),
    ],
)
def test_arrays_that_are_not_speech(speech, message):
    with pytest.raises(MienError, match=message):
        audio.check_speech(speech)
