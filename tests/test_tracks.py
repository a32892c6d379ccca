"""Live Link tables and tracked videos: clocks, lost faces, rest, and what is refused."""

import importlib.util
import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mien import audio
from mien.animation import Animation
from mien.data import livelink, tracks, video
from mien.data.tracks import Track
from mien.errors import MienError
from mien.export import curves
from mien.face import UNIT_NAMES, Face

SHARED = Path(__file__).parents[2] / "shared" / "data"
JAW, SMILE = UNIT_NAMES.index("jawOpen"), UNIT_NAMES.index("mouthSmileLeft")


@pytest.fixture(scope="module")
def face():
    return Face.load()


def track(times, jaw, end=None):
    weights = np.zeros((len(times), 52))
    weights[:, JAW] = jaw
    return Track(np.asarray(times, float), weights, times[-1] if end is None else end)


def write_sound(path, seconds):
    noise = np.random.default_rng(0).standard_normal(audio.seconds_to_samples(seconds))
    audio.write_wav(path, (0.05 * noise).astype(np.float32))
    return path


# Tracks


def test_another_clock_is_read_at_our_moments():
    times = np.arange(100) / 24.0 + 0.01
    weights, seen = tracks.track_to_frames(track(times, 0.1 + 0.2 * times), 90, 30.0)
    np.testing.assert_allclose(weights[1:, JAW], 0.1 + 0.2 * np.arange(1, 90) / 30, atol=1e-9)
    assert seen.all()


def test_a_lost_face_is_marked():
    times = np.delete(np.arange(90) / 30.0, slice(40, 50))
    _, seen = tracks.track_to_frames(track(times, 0.5), 100, 30.0)
    lost = np.flatnonzero(~seen)
    assert set(range(40, 50)) <= set(lost)
    assert set(lost) <= set(range(40, 50)) | set(range(90, 100))
    assert seen[39]
    assert seen[50]
    assert not seen[95:].any()


def test_a_picture_or_two_without_a_face_are_bridged():
    times = np.delete(np.arange(90) / 30.0, [40, 41])
    weights, seen = tracks.track_to_frames(track(times, times), 89, 30.0)
    assert seen.all()
    assert weights[40, JAW] == pytest.approx(40 / 30)


def test_smoothing_takes_the_tremble_and_leaves_the_closure():
    rng, times = np.random.default_rng(0), np.arange(300) / 30.0
    slow = 0.5 + 0.3 * np.sin(times)
    smooth = tracks.smoothed(track(times, slow + 0.02 * rng.standard_normal(300)))
    assert (smooth.weights[:, JAW] - slow).std() < 0.75 * 0.02
    shut = np.full(300, 0.4)
    shut[100:103] = 0.0
    assert tracks.smoothed(track(times, shut)).weights[101, JAW] < 0.01


def test_rest_is_subtracted_and_1_stays_1():
    weights = np.full((100, 52), 0.2)
    weights[50:, JAW] = 1.0
    moved = Track(np.arange(100) / 30.0, weights, 3.3)
    resting = tracks.rest(moved)
    np.testing.assert_allclose(resting, 0.2)
    found = tracks.without_rest(moved, resting).weights
    assert found[50:, JAW].min() == pytest.approx(1.0)
    assert abs(found[:50]).max() == pytest.approx(0.0)


# Live Link


def write_table(path, weights, *, fps=60, rows=None, start=17 * 3600 + 42 * 60, blank=()):
    """A table as the app writes it; `rows` are kept, `blank` ones have lost the face."""
    lines = [
        ",".join(["Timecode", "BlendShapeCount", *livelink.TITLES, *curves.TURNS, *curves.STILL])
    ]
    for row in range(len(weights)) if rows is None else rows:
        seconds, frames = divmod(row, fps)
        clock = start + seconds
        code = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}:{frames:02}.500"
        values = [f"{w:.6f}" for w in weights[row]] + ["0.1"] * 9
        count = "61"
        if row in blank:
            values, count = [""] * 61, "0"
        lines.append(",".join([code, count, *values]))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_at_60_with_missing_rows_is_read_at_30(tmp_path):
    moments = np.arange(240) / 60
    weights = np.zeros((240, 52))
    weights[:, JAW] = 0.5 + 0.4 * np.sin(2 * moments)
    kept = [row for row in range(240) if row not in (70, 71, 150)]
    table = write_table(tmp_path / "take.csv", weights, rows=kept)
    capture = livelink.read(table, write_sound(tmp_path / "take.wav", 4.1), actor="ann")
    assert (capture.actor, capture.fps, len(capture.weights)) == ("ann", 30.0, 120)
    assert capture.seen.all()
    expected = 0.5 + 0.4 * np.sin(2 * np.arange(120) / 30)
    np.testing.assert_allclose(capture.weights[:, JAW], expected, atol=2e-3)
    assert audio.frame_count(len(capture.speech), 30.0) == 120


def test_rows_without_weights_are_a_lost_face(tmp_path):
    table = write_table(tmp_path / "take.csv", np.full((240, 52), 0.3), blank=range(100, 140))
    capture = livelink.read(table, write_sound(tmp_path / "take.wav", 4.0))
    assert not capture.seen[51:70].any()
    assert capture.seen[:49].all()
    assert capture.seen[71:].all()
    assert capture.provenance["seen"] == pytest.approx(1 - 20 / 120, abs=0.02)


def test_a_take_may_pass_midnight(tmp_path):
    table = write_table(tmp_path / "take.csv", np.full((240, 52), 0.3), start=86398)
    lines = table.read_text().replace("24:00:0", "00:00:0")
    table.write_text(lines)
    assert livelink.read_track(table, 4.0).end == pytest.approx(4.0)


@pytest.mark.parametrize(("fps", "seconds"), [(30.0, 3.0), (30.0, 0.4), (25.0, 3.0), (60.0, 0.4)])
def test_our_own_export_is_read_back(face, tmp_path, fps, seconds):
    """A short table does not show how many frames its seconds have; its sound does."""
    frames = round(seconds * fps)
    weights = np.random.default_rng(0).uniform(0, 1, (frames, 52)).astype(np.float32)
    sound = write_sound(tmp_path / "take.wav", seconds)
    curves.write(Animation(weights, fps, face, audio.decode(sound)), tmp_path / "take.csv")
    capture = livelink.read(tmp_path / "take.csv", sound, fps=fps)
    # Timecodes have thousandths of a frame, between random weights.
    np.testing.assert_allclose(capture.weights[:-1], weights[:-1], atol=2.5e-3)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("JawOpen", "Jaw", "no column 'JawOpen'"),
        ("17:42:00:07.500", "7.5", "line 9: the timecode is '7.5'"),
        ("17:42:00:07.500", "17:42:00:nan", "line 9: the timecode is '17:42:00:nan'"),
        ("17:42:00:07.500", "17:42:00:inf", "line 9: the timecode is '17:42:00:inf'"),
        ("17:42:00:07.500", f"{'9' * 400}:42:00:07.500", "line 9: the timecode is '999"),
        ("17:42:00:07.500", "17:42:00:01.500", "line 9: its timecode is not later"),
        ("0.3", "much", "line 2: a weight is not a number"),
        (",61,", ",0,", "saw no face"),
    ],
)
def test_a_damaged_table_is_named(tmp_path, old, new, match):
    table = write_table(tmp_path / "take.csv", np.full((240, 52), 0.3))
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(MienError, match=match):
        livelink.read(table, write_sound(tmp_path / "take.wav", 4.0))


def test_sound_and_motion_of_other_lengths_are_refused(tmp_path):
    table = write_table(tmp_path / "take.csv", np.zeros((240, 52)))
    with pytest.raises(MienError, match=r"lasts 4\.60 s, the motion 4\.00 s"):
        livelink.read(table, write_sound(tmp_path / "take.wav", 4.6))
    with pytest.raises(MienError, match="cannot be read as a table"):
        livelink.read(tmp_path / "none.csv", tmp_path / "take.wav")


# Videos


class FakeLandmarker:
    """Reads the jaw from the brightness of the picture; a black one has no face."""

    def see(self, picture, seconds):
        bright = picture.mean() / 255
        return None if bright < 0.1 else np.eye(52)[JAW] * bright + np.eye(52)[SMILE] * 0.25


def write_video(path, brightness, *, fps=25, sound=None):
    """A film whose pictures have these brightnesses in [0, 1]: each a number or (64, 64)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        sound_stream = None if sound is None else container.add_stream("aac", rate=16000)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for bright in brightness:
            grey = np.empty((64, 64, 3), np.uint8)
            grey[:] = np.round(255 * np.asarray(bright))[..., None]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
        if sound_stream is not None:
            noise = np.random.default_rng(0).standard_normal(round((sound or 0) * 16000))
            frame = av.AudioFrame.from_ndarray(
                (0.05 * noise).astype(np.float32)[None], format="fltp", layout="mono"
            )
            frame.sample_rate, frame.time_base = 16000, Fraction(1, 16000)
            container.mux(sound_stream.encode(frame))
            container.mux(sound_stream.encode(None))
    return path


def test_a_video_becomes_a_capture(tmp_path):
    moments = np.arange(100) / 25
    path = write_video(tmp_path / "take.mp4", 0.5 + 0.3 * np.sin(2 * moments), sound=4.0)
    found = video.read_track(path, FakeLandmarker())
    capture = video.read(path, found, resting=np.zeros(52), actor="ann")
    assert 118 <= len(capture.weights) <= 121
    ours = np.arange(len(capture.weights)) / 30
    # The coder's tracks may begin a few milliseconds apart.
    lags = np.arange(-6, 7) / 100
    misses = [
        np.abs(capture.weights[:100, JAW] - 0.5 - 0.3 * np.sin(2 * (ours[:100] + s))).max()
        for s in lags
    ]
    assert min(misses) < 0.03
    assert abs(lags[int(np.argmin(misses))]) < 0.07
    np.testing.assert_allclose(capture.weights[:, SMILE], 0.25)


def test_a_neutral_video_gives_its_own_rest_and_an_acted_one_does_not(tmp_path):
    path = write_video(tmp_path / "take.mp4", np.full(100, 0.5), sound=4.0)
    found = video.read_track(path, FakeLandmarker())
    own = video.read(path, found)
    assert not own.weights[:, SMILE].any()
    assert own.provenance["rest"]["mouthSmileLeft"] == pytest.approx(0.25)
    acted = video.read(path, found, emotion="happy", level=1.0)
    np.testing.assert_allclose(acted.weights[:, SMILE], 0.25)
    assert acted.provenance["rest"] == {}


def test_pictures_without_a_face_are_not_invented(tmp_path):
    bright = np.full(100, 0.6)
    bright[40:60] = 0.0
    path = write_video(tmp_path / "take.mp4", bright, sound=4.0)
    capture = video.read(path, video.read_track(path, FakeLandmarker()))
    assert not capture.seen[52:68].any()
    assert capture.seen[:44].all()
    assert capture.provenance["seen"] < 0.9


@pytest.mark.parametrize(("turn", "bright_side"), [(1, "left"), (-1, "right")])
def test_a_film_made_on_its_side_is_turned_upright(tmp_path, turn, bright_side):
    """Telephones store a portrait lying down and say so: its face would not be found."""
    lower = np.repeat([0.1, 0.9], 32)[:, None] * np.ones(64)
    path = write_video(tmp_path / "take.mp4", [lower] * 25, sound=1.0)
    turn_film(path, clockwise=turn)
    seen = []

    class Looks:
        def see(self, picture, seconds):
            seen.append(picture.mean(axis=(0, 2)) / 255)
            return np.zeros(52)

    video.read_track(path, Looks())
    left, right = seen[0][:24].mean(), seen[0][-24:].mean()
    assert (left > 0.7 > 0.3 > right) if bright_side == "left" else (right > 0.7 > 0.3 > left)


def turn_film(path, *, clockwise):
    """Write the matrix into the head of the first track that turns it a quarter for display."""
    whole = 1 << 16
    still = struct.pack(">9i", whole, 0, 0, 0, whole, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", 0, clockwise * whole, 0, -clockwise * whole, 0, 0, 0, 0, 1 << 30)
    data = path.read_bytes()
    place = data.index(still, data.index(b"tkhd"))
    path.write_bytes(data[:place] + turned + data[place + len(still) :])


def test_what_is_no_video_of_a_face_is_refused(tmp_path):
    dark = write_video(tmp_path / "dark.mp4", np.zeros(50), sound=2.0)
    with pytest.raises(MienError, match="no face was found"):
        video.read_track(dark, FakeLandmarker())
    silent = write_video(tmp_path / "silent.mp4", np.full(50, 0.5))
    with pytest.raises(MienError, match="no pictures or no sound"):
        video.read_track(silent, FakeLandmarker())
    with pytest.raises(MienError, match="no pictures or no sound"):
        video.read_track(write_sound(tmp_path / "a.wav", 2.0), FakeLandmarker())
    (tmp_path / "text.mp4").write_text("no video" * 100)
    with pytest.raises(MienError, match="cannot be read as video"):
        video.read_track(tmp_path / "text.mp4", FakeLandmarker())
    short = write_video(tmp_path / "short.mp4", np.full(50, 0.5), sound=4.0)
    with pytest.raises(MienError, match="do not belong together"):
        video.read(short, video.read_track(short, FakeLandmarker()))


def test_another_model_is_refused(tmp_path):
    (tmp_path / "model.task").write_bytes(b"another")
    with pytest.raises(MienError, match="another model"):
        video.MediaPipe(tmp_path / "model.task")
    with pytest.raises(MienError, match="does not exist; give MediaPipe's"):
        video.MediaPipe(tmp_path / "none.task")


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("raise ModuleNotFoundError(name='mediapipe')", r"pip install 'mien\[track\]'"),
        ("raise OSError('libEGL.so.1: cannot open')", "libEGL.so.1.*apt install libegl1 libgles2"),
    ],
)
def test_a_mediapipe_that_does_not_load_is_one_sentence(tmp_path, monkeypatch, source, match):
    (tmp_path / "mediapipe.py").write_text(source)
    for name in [name for name in sys.modules if name.split(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(video, "check_model", lambda path: path)
    with pytest.raises(MienError, match=match):
        video.MediaPipe("face_landmarker.task")


@pytest.mark.skipif(importlib.util.find_spec("mediapipe") is None, reason="mediapipe is absent")
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")
def test_mediapipe_sees_the_smile_and_the_jacket():
    """The happy clip smiles far more than the neutral one, and both open wide for the same word."""
    found = {}
    for emotion in ("NEU", "HAP"):
        with video.MediaPipe(SHARED / "face_landmarker.task") as seen_by:
            path = SHARED / "crema_d" / f"1001_DFA_{emotion}_XX.flv"
            found[emotion] = video.read_track(path, seen_by)
    resting = tracks.rest(found["NEU"])
    neutral, happy = (tracks.without_rest(found[e], resting).weights for e in ("NEU", "HAP"))
    assert happy[:, SMILE].mean() > neutral[:, SMILE].mean() + 0.3
    assert 0.3 < neutral[:, JAW].max() < 0.7
    assert 0.3 < happy[:, JAW].max() < 0.7


# Smoothing and moments


def test_one_euro_holds_still_and_follows_what_is_fast():
    """A rest trembles by less than 0.6; a closure of three pictures arrives, but later."""
    rng, times = np.random.default_rng(0), np.arange(300) / 30.0
    still = tracks.smoothed(track(times, 0.5 + 0.02 * rng.standard_normal(300)), "one-euro")
    assert still.weights[30:, JAW].std() < 0.6 * 0.02
    shut = np.full(300, 0.4)
    shut[100:103] = 0.0
    quick = tracks.smoothed(track(times, shut), "one-euro").weights[:, JAW]
    exact = tracks.smoothed(track(times, shut)).weights[:, JAW]
    assert quick[:100] == pytest.approx(0.4)
    assert quick.argmin() == 102 > exact.argmin() == 101
    assert quick.min() < 0.1


def test_no_smoothing_reaches_over_a_hole():
    times = np.delete(np.arange(90) / 30.0, slice(40, 60))
    jaw = np.where(times < 1.5, 0.1, 0.9)
    for how in ("savitzky-golay", "one-euro", "none"):
        np.testing.assert_allclose(tracks.smoothed(track(times, jaw), how).weights[:, JAW], jaw)
    with pytest.raises(MienError, match="no smoothing 'gauss'; one of: savitzky-golay, one-euro"):
        tracks.smoothed(track(times, jaw), "gauss")


def test_amounts_of_a_signed_face_have_no_bounds():
    moved = Track(np.arange(20) / 30.0, np.linspace(-3, 3, 40).reshape(20, 2), 0.7)
    free = tracks.smoothed(moved, bounds=None).weights
    np.testing.assert_allclose(free[3:-3], moved.weights[3:-3], atol=1e-9)
    assert tracks.smoothed(moved).weights.min() == 0.0


def test_pictures_are_counted_as_they_are_seen(tmp_path):
    """`picture_times` tells without decoding what `read_track` finds: counts, moments, end."""
    path = write_video(tmp_path / "take.mp4", np.full(50, 0.5), sound=2.0)
    for own_sound in (True, False):
        found = video.read_track(path, FakeLandmarker(), own_sound=own_sound)
        times, end = video.picture_times(path, own_sound=own_sound)
        np.testing.assert_allclose(times[times >= 0], found.times, atol=1e-6)
        assert end == pytest.approx(found.end)
        assert len(times) == 50
    assert times[0] == 0.0
    silent = write_video(tmp_path / "silent.mp4", np.full(50, 0.5))
    assert not video.has_sound(silent)
    assert video.has_sound(path)
    assert len(video.read_track(silent, FakeLandmarker(), own_sound=False).times) == 50
