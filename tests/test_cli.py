"""The command line works: outputs, options, messages, and the process itself."""

import csv
import json
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
    ("options", "life"), [([], 0), (["--seed", "7"], 7), (["--no-life", "--seed", "7"], None)]
)
def test_faces_live_unless_told_not_to(mien_, folder, monkeypatch, options, life):
    asked = []
    animate = Animator.animate

    def watched(*arguments, **named):
        asked.append(named["life"])
        return animate(*arguments, **named)

    monkeypatch.setattr(Animator, "animate", watched)
    mien_("animate", "hello.wav", "calm", "-o", "a.csv", *options)
    assert asked == [life]


# Descriptions over time

TURN = ["--at", "0", "calm", "--at", "0.2", "furious"]
CUES = """{"cues": [{"at": 0, "description": "calm"}, {"at": 0.2, "description": "furious"}]}"""


def test_cues_change_the_face_at_their_time(mien_, folder):
    """Both ways to give them make the same; the first frames are those of the first cue."""
    Path("cues.json").write_text(CUES)
    ways = {"a": TURN, "b": ["--timeline", "cues.json"], "c": ["calm"], "d": ["furious"]}
    for name, way in ways.items():
        arguments = ["hello.wav", *way, "-o", f"{name}.csv", "--no-life", "--quiet"]
        assert mien_("animate", *arguments) == (0, f"{name}.csv\n", "")
    turn, same, calm, furious = (weights_in(f"{name}.csv") for name in ways)
    assert np.array_equal(turn, same)
    assert np.abs(turn - calm)[:3].max() < 1e-3  # what makes contacts looks four frames ahead
    assert np.abs(turn - calm)[-1].max() > 0.02
    assert np.abs(turn - furious)[0].max() > 0.02


def test_strength_is_a_factor_of_the_cues(mien_, folder):
    cue = {"at": 0, "description": "calm", "strength": 0.5}
    Path("cues.json").write_text(json.dumps({"cues": [cue]}))
    mien_("animate", "hello.wav", "--timeline", "cues.json", "--strength", "0.4", "-o", "a.csv")
    mien_("animate", "hello.wav", "calm", "--strength", "0.2", "-o", "b.csv")
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


def test_a_strength_over_the_limit_is_said(mien_, folder):
    cue = {"at": 0, "description": "calm", "strength": 1.2}
    Path("cues.json").write_text(json.dumps({"cues": [cue]}))
    arguments = ["hello.wav", "--timeline", "cues.json", "-o", "a.csv", "--quiet"]
    assert mien_("animate", *arguments)[2] == ""
    status, _, err = mien_("animate", *arguments, "--strength", "1.5", "--overwrite")
    assert (status, err) == (0, "mien: strengths above 1.5 count as 1.5\n")


def test_the_description_may_stand_behind_options(mien_, folder):
    """It may be missing, and argparse then looks for it only beside the recording."""
    for arguments in (["-o", "a.csv", "calm"], ["calm", "-o", "b.csv"]):
        assert mien_("animate", "hello.wav", *arguments, "--quiet")[0] == 0
    assert mien_("animate", "-o", "c.csv", "--quiet", "hello.wav", "calm")[0] == 0
    assert len({Path(f"{name}.csv").read_bytes() for name in "abc"}) == 1


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "one of these is required: description, --at, --timeline; see: mien"),
        (["calm", *TURN], "description and --at came together; give one of description, --at, --t"),
        ([*TURN, "--quiet", "calm"], "description and --at came together"),
        ([*TURN, "--timeline", "cues.json"], "--at and --timeline came"),
        (["calm", "angry"], "unrecognized arguments: angry"),
        (["--at", "0"], "argument --at: expected 2 arguments"),
        (["--at", "calm", "0"], "'calm' is no number of a cue"),
        (["--at", "0.2", "calm", "--at", "0", "sad"], r"'sad' at 0 s follows one at 0\.2 s"),
        (["--at", "-1", "calm"], r"the cue 'calm' is at -1\.0 s"),
        ([*TURN, "--at", "2.5", "sad"], r"'sad' is at 2\.5 s, but the speech is 0\.40 s long"),
        ([*TURN, "--strength", "2"], r"strength is 2\.0; a number from 0 to 1\.5"),
        (["--at", "0", "so calm..." * 1000], "has 10,000 characters"),
        (["--timeline", "gone.json"], "cannot read gone.json"),
        (["--timeline", "hello.wav"], "hello.wav is not JSON"),
        (["--timeline", "taken.csv", "-o", "taken.csv", "--overwrite"], "taken.csv is named twice"),
    ],
)
def test_refused_timelines(refused, folder, arguments, match):
    Path("cues.json").write_text(CUES)
    Path("taken.csv").write_text(CUES)
    refused("animate", "hello.wav", *arguments, "-o", "a.csv", match=match)


# Further ways


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
    assert mien_("animate", "film.mp4", "calm", "-o", "a.csv", "--no-life")[0] == 0
    mien_("animate", "hello.wav", "calm", "-o", "b.csv", "--no-life")
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
    ran = command("animate", "silence.wav", smile, "-o", "a.csv", "--no-life", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    lips = face.weights_to_vertices(weights_in("a.csv")[30:])[:, face.regions["lips"]]
    speeds = np.sqrt((np.diff(lips, axis=0) ** 2).sum(2).mean(1)) * 30
    assert speeds.max() < 6e-3  # metres a second


@pytest.mark.skipif(not DEFAULT_PACK.is_file(), reason="this checkout has no default pack")
def test_in_digital_silence_the_face_rests_shut_and_still(folder, face):
    audio.write_wav(folder / "silence.wav", np.zeros(3 * audio.SPEECH_RATE, np.float32))
    ran = command("animate", "silence.wav", "neutral", "-o", "a.csv", "--no-life", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    settled = weights_in("a.csv")[45:]
    vertices = face.weights_to_vertices(settled)
    assert np.linalg.norm(vertices - vertices.mean(0), axis=2).max() < 5e-4  # metres
    assert face.gap(vertices).max() < 1e-3
