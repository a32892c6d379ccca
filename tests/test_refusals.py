"""Bad input on the command line is one sentence and status 2, and costs nothing."""

import json
import os
import zipfile

import numpy as np
import onnx
import pytest

from mien import audio
from mien.packfile import Pack
from terminal import assert_one_sentence, babble, write_film

pytestmark = pytest.mark.usefixtures("quick")


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
        (["evaluate", "lips", "gone"], "gone does not exist; give a folder of recordings"),
        (["evaluate", "lips", ".", "--json", "hello.wav"], "cannot write hello.wav as a new file"),
        (["evaluate", "lips"], "required: recordings"),
        (["evaluate", "shift", ".", "--json", "hello.wav"], "cannot write hello.wav as a new file"),
        (["evaluate", "replay", "gone", "--split", "all"], "invalid choice: 'all'"),
        (["simulate", "corpus", "--prosody", "sung"], "prosody is 'sung'; use one of independent"),
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
        file.writestr("pack.json", json.dumps({"format": 5}))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda pack, path: None, "there is no pack at bad.mien"),
        (a_truncated_pack, "bad.mien is damaged or is no pack"),
        (a_pack_of_text, "bad.mien is damaged or is no pack"),
        (a_pack_of_another_sum, "bad.mien is damaged .*step.onnx has another sha256"),
        (a_pack_with_no_graph, "the pack 'random' cannot be run .*protobuf.*; get it anew"),
        (a_pack_with_another_graph, "'random' does not fit its own card"),
        (a_newer_pack, "bad.mien is a pack of format 5"),
    ],
)
def test_damaged_packs(refused, pack, folder, damage, match):
    damage(pack, folder / "bad.mien")
    refused("animate", "hello.wav", "calm", "-o", "a.csv", pack="bad.mien", loads=True, match=match)
