"""The command line: bad input is one sentence and status 2, and costs nothing; the rest works."""

import csv
import json
import os
import re
import subprocess
import sys
import wave
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import onnx
import pytest

import mien
from mien import audio, export, features
from mien.__main__ import main
from mien.animator import Animator
from mien.face import Face
from mien.packfile import Pack
from packs import write_random_pack
from twins import TwinTextEncoder, twin_speech_encoder

SECONDS = 0.4
FRAMES = 12


@pytest.fixture(scope="module")
def face():
    return Face.load()


@pytest.fixture(scope="module")
def pack(face, tmp_path_factory):
    return write_random_pack(tmp_path_factory.mktemp("pack") / "random.mien", face)


@pytest.fixture(autouse=True)
def quick(monkeypatch, face):
    """Twins of the encoders, and one face for all tests."""
    monkeypatch.setattr("mien.animator.SpeechEncoder.load", lambda path=None: twin_speech_encoder())
    monkeypatch.setattr("mien.animator.TextEncoder.load", lambda path=None: TwinTextEncoder())
    monkeypatch.setattr("mien.animator.Face.load", lambda path=None: face)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder: it holds hello.wav and nothing else."""
    audio.write_wav(tmp_path / "hello.wav", babble(SECONDS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mien_(pack, capsys):
    """Run the command line with the random pack; return status, stdout, stderr."""

    def run(*arguments, pack=pack):
        status = main([*arguments, "--pack", str(pack)] if pack else list(arguments))
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def refused(mien_, folder, monkeypatch):
    """Run a command that must be refused: one sentence, status 2, nothing computed or changed.

    Unless `loads`, it is refused before the seconds that the pack and the encoders take to load.
    """

    def run(*arguments, match, loads=False, **options):
        for work in ("encode_speech", "encode_description", "roll"):
            monkeypatch.setattr(Animator, work, lambda *_, **__: pytest.fail("it was computed"))
        if not loads:
            monkeypatch.setattr("mien.animator.load", lambda _: pytest.fail("it was loaded"))
        before = contents(folder)
        status, out, err = mien_(*arguments, **options)
        assert (status, out) == (2, "")
        assert_one_sentence(err)
        assert re.search(match, err), err
        assert contents(folder) == before

    return run


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


def weights_in(path):
    """Weights (T, 52) of a .csv in the order of the units."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name[0].upper() + name[1:] for name in mien.Face.load().unit_names]
    return np.array([[float(row[name]) for name in names] for row in rows])


# Bad recordings


def a_folder(folder):
    (folder / "in").mkdir()


def a_text(folder):
    (folder / "in").write_text("This is not a sound. " * 100)


def an_empty_file(folder):
    (folder / "in").touch()


def a_truncated_wav(folder):
    audio.write_wav(folder / "in", babble(2.0))
    (folder / "in").write_bytes((folder / "in").read_bytes()[:20000])


def a_header_alone(folder):
    audio.write_wav(folder / "in", babble(2.0))
    (folder / "in").write_bytes((folder / "in").read_bytes()[:30])


def a_short_sound(folder):
    audio.write_wav(folder / "in", babble(0.05))


def a_silent_film(folder):
    write_film(folder / "in", None)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda folder: None, "in does not exist; give a sound or video file"),
        (a_folder, "in is a folder; give a sound or video file"),
        (a_text, "in cannot be read as sound"),
        (an_empty_file, "in is empty; give a sound or video file"),
        (a_truncated_wav, r"in is cut off: it holds 0.62 s of the 2.00 s it declares"),
        (a_header_alone, "in (cannot be read|holds no sound)"),
        (a_short_sound, r"speech is 0.05 s long; at least 0.1 s is needed"),
        (a_silent_film, "in has no sound in it"),
    ],
)
def test_bad_recordings(refused, folder, make, match):
    make(folder)
    refused("animate", "in", "calm", "-o", "a.csv", match=match)


def test_arguments_in_the_wrong_order(refused):
    """A description as the file's name is longer than the system allows: no traceback."""
    refused("animate", "calm " * 100, "hello.wav", "-o", "a.csv", match="name too long")


# Bad outputs


@pytest.mark.parametrize(
    ("output", "match"),
    [
        ("a.obj", r"unknown suffix '.obj'; choose .mp4, .glb, .csv or .npz"),
        ("a", "unknown suffix ''"),
        ("gone/a.csv", "there is no folder gone; make it first"),
        ("hello.wav/a.csv", "there is no folder hello.wav"),
        ("taken.csv", "taken.csv exists; choose another name"),
        ("hello.wav", "hello.wav is named twice in this command; choose another output"),
        ("./x/../hello.wav", "named twice"),
        ("a" * 300 + ".csv", "name too long"),
    ],
)
def test_bad_outputs(refused, folder, output, match):
    """Also where a good output stands before it, nothing is written."""
    (folder / "taken.csv").write_text("precious")
    (folder / "x").mkdir()
    refused("animate", "hello.wav", "calm", "-o", "good.npz", "-o", output, match=match)


@pytest.mark.parametrize("second", ["a.csv", "./a.csv", "x/../a.csv"])
def test_an_output_named_twice(refused, folder, second):
    (folder / "x").mkdir()
    refused("animate", "hello.wav", "calm", "-o", "a.csv", "-o", second, match="named twice")


def test_the_recording_is_never_overwritten(refused, folder):
    """A film whose sound is used has a suffix that can be written."""
    (folder / "hello.wav").rename(folder / "hello.mp4")
    match = "hello.mp4 is named twice"
    refused("animate", "hello.mp4", "calm", "-o", "hello.mp4", "--overwrite", match=match)


def test_the_pack_is_never_overwritten(refused, folder, pack):
    (folder / "pack.npz").write_bytes(pack.read_bytes())
    arguments = ["animate", "hello.wav", "calm", "-o", "pack.npz", "--overwrite"]
    refused(*arguments, pack="pack.npz", match="pack.npz is named twice")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux")
def test_a_folder_that_refuses_files(mien_, folder):
    """Root may write anywhere, so the system's refusal comes late; it is one sentence even then."""
    arguments = ["hello.wav", "calm", "-o", "a.csv", "-o", "/proc/a.csv", "--quiet"]
    status, out, err = mien_("animate", *arguments)
    assert status == 2
    assert_one_sentence(err)
    assert "cannot write /proc/a.csv" in err
    assert out in ("", "a.csv\n")


# Bad options


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--fps", "0"], "fps is 0; give 1 to 240 frames a second"),
        (["--fps", "nan"], "fps is nan; give 1 to 240"),
        (["--fps", "inf"], "fps is inf; give 1 to 240"),
        (["--fps", "-30"], "fps is -30; give 1 to 240"),
        (["--fps", "many"], "'many' is not a number; see: mien animate --help"),
        (["--strength", "9"], r"strength is 9.0; a number from 0 to 1.5 is wanted"),
        (["--strength", "nan"], "strength is nan"),
        (["--strength", "-0.1"], "strength is -0.1"),
        (["--strength", "x"], "'x' is not a number"),
        (["--seed", "-1"], "'-1' is not a whole number from 0 on"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_bad_options(refused, options, match):
    refused("animate", "hello.wav", "calm", "-o", "a.csv", *options, match=match)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["animate", "hello.wav", "calm"], "required: -o/--output; see: mien animate --help"),
        (["animate", "hello.wav", "-o", "a.csv"], "required: description"),
        (["dance"], "invalid choice: 'dance'.*animate"),
        (["bench", "--seconds", "0"], "'0' is not a number above 0"),
        (["bench", "--seconds", "nan"], "'nan' is not a number above 0"),
        (["bench", "--seconds", "1e9"], r"cannot measure 1e\+09 s of speech; give 0.1 to 3600 s"),
        (["simulate", "corpus", "--minutes", "-1"], "'-1' is not a number above 0"),
        (["evaluate", "lips", "gone"], "gone has no metadata.csv"),
        (["evaluate", "lips", ".", "--json", "hello.wav"], "cannot write hello.wav as a new file"),
        (["train", "gone.json", "corpus", "run"], "cannot read gone.json"),
    ],
)
def test_bad_commands(refused, arguments, match, pack):
    loads = arguments == ["evaluate", "lips", "gone"]
    refused(*arguments, pack=pack if loads else None, loads=loads, match=match)


def test_a_description_of_10000_characters(refused):
    match = "has 10,000 characters; at most 1,000 can be read: shorten it"
    refused("animate", "hello.wav", "so calm..." * 1000, "-o", "a.csv", match=match)


# Damaged packs; `test_packfile` has more


def changed_pack(pack, path, step):
    """Write a pack whose step graph is another, with its right sha256."""
    found = Pack.read(pack)
    Pack(found.card, step, found.text).write(path)


def a_truncated_pack(pack, path):
    path.write_bytes(pack.read_bytes()[:5000])


def a_pack_of_text(pack, path):
    path.write_text("no zip at all")


def a_pack_of_another_sum(pack, path):
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + b" ")


def a_pack_with_no_graph(pack, path):
    changed_pack(pack, path, b"right sum, but no graph")


def a_pack_with_another_graph(pack, path):
    changed_pack(pack, path, Pack.read(pack).text)


def a_pack_that_fails_midway(pack, path):
    """Its step has the right inputs, and a node that no input suits."""
    graph = onnx.load_from_string(Pack.read(pack).step)
    shape = onnx.numpy_helper.from_array(np.array([7, 7]), "seven")
    graph.graph.initializer.append(shape)
    old = graph.graph.node[-1].output[0]
    graph.graph.node[-1].output[0] = "before"
    graph.graph.node.append(onnx.helper.make_node("Reshape", ["before", "seven"], [old]))
    changed_pack(pack, path, graph.SerializeToString())


def a_newer_pack(pack, path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("pack.json", json.dumps({"format": 2}))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda pack, path: None, "there is no pack at bad.mien"),
        (a_truncated_pack, "bad.mien is damaged or is no pack"),
        (a_pack_of_text, "bad.mien is damaged or is no pack"),
        (a_pack_of_another_sum, "bad.mien is damaged .*step.onnx has another sha256"),
        (a_pack_with_no_graph, "the pack 'random' cannot be run .*protobuf.*; get it anew"),
        (a_pack_with_another_graph, "'random' does not fit its own card"),
        (a_newer_pack, "bad.mien is a pack of format 2"),
    ],
)
def test_damaged_packs(refused, pack, folder, damage, match):
    damage(pack, folder / "bad.mien")
    refused("animate", "hello.wav", "calm", "-o", "a.csv", pack="bad.mien", loads=True, match=match)


# What works


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
    assert all(verb in out for verb in ("animate", "bench", "simulate", "train", "evaluate"))


def test_bench_prints_a_row_for_each_length(mien_, folder):
    status, out, err = mien_("bench", "--seconds", "0.5", "0.2")
    assert (status, err) == (0, "")
    assert [row.split("|")[1].strip() for row in out.splitlines()[2:4]] == ["0.2 s", "0.5 s"]


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
def test_in_digital_silence_the_face_rests_shut_and_still(folder, face):
    audio.write_wav(folder / "silence.wav", np.zeros(3 * audio.SPEECH_RATE, np.float32))
    ran = command("animate", "silence.wav", "neutral", "-o", "a.csv", "--no-blinks", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    settled = weights_in("a.csv")[45:]
    vertices = face.weights_to_vertices(settled)
    assert np.linalg.norm(vertices - vertices.mean(0), axis=2).max() < 5e-4  # metres
    assert face.gap(vertices).max() < 1e-3
