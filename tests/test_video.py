import av
import numpy as np
import pytest

from mien.animation import Animation
from mien.audio import SPEECH_RATE, decode
from mien.export import video
from mien.face import UNIT_NAMES, Face
from mien.render import Renderer


class Blank:
    """Stands in for Renderer where a test asks about time, sound and the file."""

    width, height = 160, 90

    def __init__(self, face):
        self.picture = np.full((self.height, self.width, 3), 90, np.uint8)

    def render(self, vertices):
        return self.picture


@pytest.fixture(scope="module")
def face():
    return Face.load()


@pytest.fixture
def blank(monkeypatch):
    monkeypatch.setattr(video, "Renderer", Blank)


def animation_of(face, frames, *, fps=30.0, speech=None):
    return Animation(np.zeros((frames, len(UNIT_NAMES)), np.float32), fps, face, speech)


def click(seconds, at):
    """Silence with one short click."""
    speech = np.zeros(round(seconds * SPEECH_RATE), np.float32)
    start = round(at * SPEECH_RATE)
    speech[start : start + 16] = 0.9
    return speech


def pictures(path):
    with av.open(str(path)) as film:
        return [
            (float(frame.time), frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)
        ]


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize(("fps", "frames"), [(30.0, 45), (25.0, 20), (29.97, 31)])
def test_film_has_every_frame_at_its_time(face, tmp_path, fps, frames):
    path = tmp_path / "film.mp4"
    video.write(animation_of(face, frames, fps=fps, speech=click(frames / fps, 0.2)), path)
    times = [time for time, _ in pictures(path)]
    assert np.allclose(times, np.arange(frames) / fps, atol=1e-3)
    with av.open(str(path)) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert picture.codec_context.pix_fmt == "yuv420p"
        assert float(picture.average_rate) == pytest.approx(fps, abs=0.01)
        assert picture.start_time * picture.time_base == pytest.approx(0, abs=1e-6)
        assert sound.start_time * sound.time_base == pytest.approx(0, abs=1e-6)
        assert float(sound.duration * sound.time_base) == pytest.approx(frames / fps, abs=1 / fps)


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("at", [0.0, 0.5, 1.25])
def test_click_stays_where_it_was(face, tmp_path, at):
    """AAC begins with 21 ms of its own, which a player must be told to skip."""
    path = tmp_path / "film.mp4"
    video.write(animation_of(face, 45, speech=click(1.5, at)), path)
    heard = np.abs(decode(path))
    assert np.argmax(heard) / SPEECH_RATE == pytest.approx(at, abs=0.004)
    assert heard.max() > 0.4


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("seconds", [0.4, 2.0])
def test_sound_is_cut_or_filled_to_the_last_frame(face, tmp_path, seconds):
    path = tmp_path / "film.mp4"
    video.write(animation_of(face, 30, speech=click(seconds, 0.2)), path)
    assert len(decode(path)) / SPEECH_RATE == pytest.approx(1.0, abs=1 / 30)


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("frames", [1, 2, 12])
def test_film_without_speech_is_silent(face, tmp_path, frames):
    path = tmp_path / "film.mp4"
    video.write(animation_of(face, frames), path)
    assert len(pictures(path)) == frames
    with av.open(str(path)) as film:
        assert not film.streams.audio


@pytest.mark.usefixtures("blank")
def test_one_frame_with_sound(face, tmp_path):
    path = tmp_path / "film.mp4"
    video.write(animation_of(face, 1, speech=click(0.1, 0.0)), path)
    assert len(pictures(path)) == 1


def test_the_film_shows_what_was_drawn(face, tmp_path):
    """Colours went through the matrix of another standard once, and skin turned orange."""
    path = tmp_path / "film.mp4"
    animation = animation_of(face, 2)
    video.write(animation, path)
    drawn = Renderer(face).render(face.template).astype(int)
    shown = pictures(path)[0][1].astype(int)
    assert shown.shape == (960, 960, 3)
    skin = slice(120, 520), slice(500, 780)
    assert np.abs(shown - drawn).mean() < 2
    assert np.abs(shown[skin].mean((0, 1)) - drawn[skin].mean((0, 1))).max() < 2.5


@pytest.mark.usefixtures("blank")
def test_the_index_comes_first(face, tmp_path):
    """So that a browser can begin before it has the whole file."""
    path = tmp_path / "film.mp4"
    video.write(animation_of(face, 5, speech=click(0.2, 0.1)), path)
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.usefixtures("blank")
def test_progress_counts_frames_on_stderr(face, tmp_path, capsys):
    video.write(animation_of(face, 6), tmp_path / "film.mp4", True)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "6/6" in streams.err
