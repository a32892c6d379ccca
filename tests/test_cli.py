"""The command line works: outputs, options, messages, and the process itself."""

import csv
import math
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest

import mien
from mien import audio, export, features
from mien.animator import Animator
from mien.cli import evaluate
from packs import write_random_pack
from terminal import FRAMES, SECONDS, assert_one_sentence, babble, contents, write_film
from test_refusals import a_pack_that_fails_midway

pytestmark = pytest.mark.usefixtures("quick")


def weights_in(path):
    """Weights (T, 52) of a .csv in the order of the units."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name[0].upper() + name[1:] for name in mien.Face.load().unit_names]
    return np.array([[float(row[name]) for name in names] for row in rows])


def test_all_outputs_agree(mien_, folder):
    outputs = ["a.mp4", "a.glb", "a.csv", "a.npz"]
    options = [part for output in outputs for part in ("-o", output)]
    status, out, err = mien_("animate", "hello.wav", "calm", *options)
    assert (status, out.split()) == (0, outputs)
    assert err.count("animate:   0%") == err.count("animate: 100%") == 1  # bars go to stderr
    with np.load("a.npz") as found:
        assert found["weights"].shape == (FRAMES, 52)
        assert found["vertices"].shape[0] == FRAMES
        assert np.ptp(found["weights"], axis=0).max() > 0.1  # it moves
        assert np.allclose(weights_in("a.csv"), found["weights"], atol=1e-6)
        assert found["weights"].tobytes() in Path("a.glb").read_bytes()
    with av.open("a.mp4") as film:
        assert sum(1 for _ in film.decode(video=0)) == FRAMES
    assert {path.name for path in folder.iterdir()} == {"hello.wav", *outputs}


def test_quiet_is_quiet(mien_, folder):
    assert mien_("animate", "hello.wav", "calm", "-o", "a.csv", "--quiet") == (0, "a.csv\n", "")


def test_fps_sets_the_frames(mien_, folder):
    mien_("animate", "hello.wav", "calm", "-o", "a.csv", "--fps", "50")
    assert len(weights_in("a.csv")) == SECONDS * 50


def test_strength_and_description_are_heard_of(mien_, folder):
    for name, description, strength in (
        ("a", "calm", "1"),
        ("b", "furious", "1"),
        ("c", "calm", "0.2"),
    ):
        mien_("animate", "hello.wav", description, "-o", f"{name}.csv", "--strength", strength)
    a, b, c = (weights_in(f"{name}.csv") for name in "abc")
    assert np.abs(a - b).max() > 0.02
    assert np.abs(a - c).max() > 0.02


@pytest.mark.parametrize("empty", ["", "  ", "\t\x00"])
def test_an_empty_description_is_neutral_and_says_so(mien_, folder, empty):
    status, _, err = mien_("animate", "hello.wav", empty, "-o", "a.csv", "--quiet")
    assert (status, err) == (0, "mien: the description is empty, so the face stays neutral\n")
    mien_("animate", "hello.wav", "neutral", "-o", "b.csv", "--strength", "0")
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "blinks"), [([], 0), (["--seed", "7"], 7), (["--no-blinks", "--seed", "7"], None)]
)
def test_films_blink_unless_told_not_to(mien_, folder, monkeypatch, options, blinks):
    asked = []
    animate = Animator.animate

    def watched(*arguments, **named):
        asked.append(named["blinks"])
        return animate(*arguments, **named)

    monkeypatch.setattr(Animator, "animate", watched)
    mien_("animate", "hello.wav", "calm", "-o", "a.csv", *options)
    assert asked == [blinks]


def test_overwrite(mien_, folder):
    Path("a.csv").write_text("old")
    assert mien_("animate", "hello.wav", "calm", "-o", "a.csv", "--overwrite")[0] == 0
    assert len(weights_in("a.csv")) == FRAMES


def test_digital_silence_is_no_error(mien_, folder):
    audio.write_wav(folder / "hello.wav", np.zeros(8000, np.float32))
    assert mien_("animate", "hello.wav", "calm", "-o", "a.csv")[0] == 0
    assert np.isfinite(weights_in("a.csv")).all()


def test_eight_channels_at_192_khz(mien_, folder):
    samples = np.random.default_rng(0).integers(-3000, 3000, (int(192000 * SECONDS), 8))
    with wave.open("studio.wav", "wb") as file:
        file.setnchannels(8)
        file.setsampwidth(2)
        file.setframerate(192000)
        file.writeframes(samples.astype("<i2").tobytes())
    assert mien_("animate", "studio.wav", "calm", "-o", "a.csv")[0] == 0
    assert len(weights_in("a.csv")) == FRAMES


def test_the_sound_of_a_film_is_used(mien_, folder):
    write_film("film.mp4", babble(SECONDS))
    assert mien_("animate", "film.mp4", "calm", "-o", "a.csv", "--no-blinks")[0] == 0
    mien_("animate", "hello.wav", "calm", "-o", "b.csv", "--no-blinks")
    film, sound = weights_in("a.csv"), weights_in("b.csv")
    assert abs(len(film) - FRAMES) <= 2  # AAC fills its last block
    assert np.abs(film[:FRAMES] - sound[: len(film)]).mean() < 0.1


def test_ctrl_c_leaves_nothing(mien_, folder, monkeypatch):
    def stopped(animation, path, progress):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setitem(export.WRITERS, ".npz", stopped)
    before = contents(folder)
    status, out, err = mien_("animate", "hello.wav", "calm", "-o", "a.npz", "--quiet")
    assert (status, out) == (130, "")
    assert_one_sentence(err)
    assert contents(folder) == before


def test_no_verb_prints_help(mien_, folder):
    status, out, _ = mien_(pack=None)
    assert status == 0
    assert all(
        verb in out for verb in ("animate", "bench", "simulate", "prepare", "train", "evaluate")
    )


def test_bench_prints_a_row_for_each_length(mien_, folder):
    status, out, err = mien_("bench", "--seconds", "0.5", "0.2")
    assert (status, err) == (0, "")
    assert [row.split("|")[1].strip() for row in out.splitlines()[2:4]] == ["0.2 s", "0.5 s"]


def test_json_has_no_nan():
    """What has no cases is null: NaN is no JSON, and other readers stop at it."""
    rows = {"measured": ({"lag": math.nan, "cases": 0},), "r": 0.5}
    assert evaluate._plain(rows) == {"measured": [{"lag": None, "cases": 0}], "r": 0.5}


# The process itself


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "mien", *arguments], capture_output=True, text=True, timeout=300
    )


def test_the_process_refuses_in_one_sentence(folder):
    ran = command("animate", "gone.wav", "calm", "-o", "a.csv")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert_one_sentence(ran.stderr)


def test_the_process_runs_a_pack_and_refuses_broken_ones(folder, face):
    """ONNX Runtime writes to the process's stderr by itself, where no other test sees it."""
    names = (f"whisper-tiny.en {features.GRID}", "all-MiniLM-L6-v2")
    good = write_random_pack(folder / "good.mien", face, encoders=names)
    a_pack_that_fails_midway(good, folder / "bad.mien")
    animate = ["animate", "hello.wav", "calm", "-o", "a.csv", "--quiet"]
    ran = command(*animate, "--pack", "bad.mien")
    assert ran.returncode == 2
    assert_one_sentence(ran.stderr)
    assert "a graph of the pack cannot be run" in ran.stderr
    ran = command(*animate, "--pack", "good.mien")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "a.csv\n", "")
    assert len(weights_in("a.csv")) == FRAMES


DEFAULT_PACK = Path(mien.__file__).parent / "assets" / "default.mien"


@pytest.mark.skipif(not DEFAULT_PACK.is_file(), reason="this checkout has no default pack")
def test_a_smile_does_not_jump(folder, face):
    """Guards frame 74: the frames that did not see the past left the window, and the smile popped
    (29 mm/s there, about 1 around it)."""
    audio.write_wav(folder / "silence.wav", np.zeros(4 * audio.SPEECH_RATE, np.float32))
    smile = "smiling warmly at an old friend"
    ran = command("animate", "silence.wav", smile, "-o", "a.csv", "--no-blinks", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    lips = face.weights_to_vertices(weights_in("a.csv")[30:])[:, face.regions["lips"]]
    speeds = np.sqrt((np.diff(lips, axis=0) ** 2).sum(2).mean(1)) * 30
    assert speeds.max() < 6e-3  # metres a second


@pytest.mark.skipif(not DEFAULT_PACK.is_file(), reason="this checkout has no default pack")
def test_in_digital_silence_the_face_rests_shut_and_still(folder, face):
    audio.write_wav(folder / "silence.wav", np.zeros(3 * audio.SPEECH_RATE, np.float32))
    ran = command("animate", "silence.wav", "neutral", "-o", "a.csv", "--no-blinks", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    settled = weights_in("a.csv")[45:]
    vertices = face.weights_to_vertices(settled)
    assert np.linalg.norm(vertices - vertices.mean(0), axis=2).max() < 5e-4  # metres
    assert face.gap(vertices).max() < 1e-3
