import csv
import os
from dataclasses import replace

import numpy as np
import pytest

from glb import Glb, glb_issues
from mien import export
from mien.animation import Animation
from mien.errors import MienError
from mien.export import curves, gltf, mesh
from mien.face import UNIT_NAMES, Face

FRAMES = mesh.CHUNK * 2 + 3  # a border between pieces in the middle, and a short last piece


@pytest.fixture(scope="module")
def face():
    return Face.load()


@pytest.fixture(scope="module")
def animation(face):
    """Every unit follows a sine of its own, so that no two columns or frames are alike."""
    units = np.arange(len(face.unit_names))
    phase = np.arange(FRAMES)[:, None] * (0.02 + 0.003 * units)
    weights = (0.5 + 0.5 * np.sin(phase + units)).astype(np.float32)
    return Animation(weights, 30.0, face)


# Files appear whole or not at all


def test_each_promised_suffix_has_a_writer():
    assert list(export.WRITERS) == [".mp4", ".glb", ".csv", ".npz"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, MienError])
@pytest.mark.parametrize("before", [None, b"precious"])
def test_a_failure_midway_leaves_the_folder_as_it_was(
    tmp_path, monkeypatch, animation, failure, before
):
    def broken(animation, path, progress):
        path.write_bytes(b"half")
        assert len(os.listdir(tmp_path)) == (2 if before else 1)
        raise failure("in the middle")

    monkeypatch.setitem(export.WRITERS, ".csv", broken)
    if before:
        (tmp_path / "a.csv").write_bytes(before)
    with pytest.raises(failure):
        export.save(animation, tmp_path / "a.csv", overwrite=True)
    assert os.listdir(tmp_path) == (["a.csv"] if before else [])
    assert not before or (tmp_path / "a.csv").read_bytes() == before


def test_a_full_disk_is_said_in_one_sentence(tmp_path, monkeypatch, animation):
    def full(animation, path, progress):
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(export.WRITERS, ".csv", full)
    with pytest.raises(MienError, match=r"cannot write .*a\.csv: No space left on device"):
        export.save(animation, tmp_path / "a.csv")


def test_an_existing_file_is_refused_then_replaced(tmp_path, animation):
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(MienError, match="exists; choose another name"):
        export.save(animation, path)
    assert path.read_text() == "mine"
    export.save(animation, path, overwrite=True)
    assert path.read_text().startswith("Timecode")
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_dangling_link_is_not_replaced_unasked(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(MienError, match="exists"):
        export.check(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.obj", r"unknown suffix '\.obj'; choose \.mp4, \.glb, \.csv or \.npz"),
        ("a", "unknown suffix ''"),
        (".csv", "unknown suffix ''"),
        ("folder.csv", "it is a folder"),
        ("missing/a.csv", "there is no folder .*missing; make it first"),
        ("file/a.csv", "there is no folder .*file"),
    ],
)
def test_paths_that_cannot_be_written(tmp_path, name, message):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(MienError, match=message):
        export.check(tmp_path / name)


def test_a_folder_without_permission(tmp_path, monkeypatch):
    """The system is asked, not tried: tests may run as root, who may write anywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK)
    with pytest.raises(MienError, match="no permission to write in"):
        export.check(tmp_path / "a.csv")


def test_check_writes_nothing_and_takes_capital_letters(tmp_path):
    assert export.check(str(tmp_path / "A.GLB")) == tmp_path / "A.GLB"
    assert not os.listdir(tmp_path)


# Vertices


def test_npz_holds_every_frame_bit_for_bit(tmp_path, animation):
    export.save(animation, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        names = {"vertices", "triangles", "fps", "weights", "unit_names", "head", "head_pivot"}
        assert set(found) == names
        assert found["vertices"].dtype == np.float32
        for frame in (0, mesh.CHUNK - 1, mesh.CHUNK, FRAMES - 1):
            expected = animation.vertices(frame, frame + 1)[0]
            assert np.abs(found["vertices"][frame] - expected).max() < 1e-7
        assert found["vertices"].shape[0] == FRAMES
        assert np.array_equal(found["triangles"], animation.face.triangles)
        assert np.array_equal(found["weights"], animation.weights)
        assert tuple(found["unit_names"]) == UNIT_NAMES
        assert found["fps"] == 30.0


# Curves


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_the_app_s_columns_in_its_order(tmp_path, animation):
    """The app writes jaw and mouth right before left; a reader by position would mirror them."""
    export.save(animation, tmp_path / "a.csv")
    names = (tmp_path / "a.csv").read_text().splitlines()[0].split(",")
    assert len(names) == len(set(names)) == 63
    assert names[:3] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft"]
    assert names[16:20] == ["JawForward", "JawRight", "JawLeft", "JawOpen"]
    assert names[23:25] == ["MouthRight", "MouthLeft"]
    assert names[53] == "TongueOut"
    assert names[54:56] == ["HeadYaw", "HeadPitch"]
    assert names[-1] == "RightEyeRoll"


def test_csv_weights_are_the_animation_s(tmp_path, animation):
    export.save(animation, tmp_path / "a.csv")
    rows = read_csv(tmp_path / "a.csv")
    assert len(rows) == FRAMES
    for unit, name in enumerate(UNIT_NAMES):
        found = [float(row[name[0].upper() + name[1:]]) for row in rows]
        assert np.allclose(found, animation.weights[:, unit], atol=1e-6)
    assert {row["BlendShapeCount"] for row in rows} == {"61"}
    turns = [*curves.TURNS, *curves.STILL]
    assert {float(row[turn]) for row in rows for turn in turns} == {0.0}


def test_csv_times(tmp_path, animation):
    export.save(animation, tmp_path / "a.csv")
    rows = read_csv(tmp_path / "a.csv")
    assert [rows[frame]["Timecode"] for frame in (0, 1, 29, 30, 121)] == [
        "00:00:00:00.000",
        "00:00:00:01.000",
        "00:00:00:29.000",
        "00:00:01:00.000",
        "00:00:04:01.000",
    ]


def test_csv_of_a_face_without_a_unit(tmp_path, animation, face):
    changed = replace(face, unit_names=("other", *UNIT_NAMES[1:]))
    with pytest.raises(MienError, match=r"has no unit 'eyeBlinkLeft', which \.csv needs"):
        export.save(Animation(animation.weights, 30.0, changed), tmp_path / "a.csv")


# glTF


@pytest.fixture(scope="module")
def glb(tmp_path_factory, animation):
    path = tmp_path_factory.mktemp("glb") / "a.glb"
    export.save(animation, path)
    return Glb(path)


def test_glb_animation_is_the_weights(glb, animation):
    (channel,) = glb.gltf.animations[0].channels
    sampler = glb.gltf.animations[0].samplers[channel.sampler]
    assert channel.target.path == "weights"
    assert glb.gltf.nodes[channel.target.node].mesh == 0
    assert np.allclose(glb.array(sampler.input)[:, 0], np.arange(FRAMES) / 30.0)
    found = glb.array(sampler.output).reshape(FRAMES, -1)
    assert np.array_equal(found, animation.weights)


def test_glb_vertices_are_the_face_s(glb, animation, face):
    """What a viewer shows at a frame is what film and .npz show."""
    found = glb.gltf.meshes[0]
    assert tuple(found.extras["targetNames"]) == UNIT_NAMES
    assert len(found.primitives) == len(face.parts)
    for frame in (0, 77):
        expected = animation.vertices(frame, frame + 1)[0]
        for primitive, part in zip(found.primitives, face.parts.values(), strict=True):
            vertices = glb.array(primitive.attributes.POSITION)
            for weight, target in zip(animation.weights[frame], primitive.targets, strict=True):
                vertices = vertices + weight * glb.array(target["POSITION"])
            assert np.abs(vertices - expected[part]).max() < 2e-6


def test_glb_triangles_are_the_face_s(glb, face):
    triangles = [
        glb.array(primitive.indices).reshape(-1, 3) + part.start
        for primitive, part in zip(glb.gltf.meshes[0].primitives, face.parts.values(), strict=True)
    ]
    found = np.concatenate(triangles).astype(int)
    assert sorted(map(tuple, found)) == sorted(map(tuple, face.triangles.tolist()))


def test_glb_normals_follow_the_units(glb, face):
    """The slow twin computes normals triangle by triangle, with the jaw open."""
    unit = UNIT_NAMES.index("jawOpen")
    skin = face.parts["skin"]
    primitive = glb.gltf.meshes[0].primitives[list(face.parts).index("skin")]
    normals = glb.array(primitive.attributes.NORMAL)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
    found = normals + glb.array(primitive.targets[unit]["NORMAL"])
    vertices = face.template + face.unit_deltas[unit]
    expected = np.zeros_like(vertices, np.float64)
    for corners in face.triangles:
        a, b, c = vertices[corners].astype(np.float64)
        expected[corners] += np.cross(b - a, c - a)
    expected = expected[skin] / np.linalg.norm(expected[skin], axis=1, keepdims=True)
    error = np.linalg.norm(found - expected, axis=1)
    assert np.quantile(error, 0.99) < gltf.LEAST_BEND * 1.01


def test_glb_colors_are_linear_light(glb, face):
    """glTF wants linear vertex colors; sRGB numbers written there look pale."""
    primitive = glb.gltf.meshes[0].primitives[0]
    found = glb.array(primitive.attributes.COLOR_0) / 65535
    assert (found[:, 3] == 1).all()
    linear = found[:, :3]
    back = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.allclose(back, face.colors[face.parts["skin"]], atol=1e-3)


def test_glb_is_aligned_as_the_standard_wants(glb):
    assert all(view.byteOffset % 4 == 0 for view in glb.gltf.bufferViews)
    assert len(glb.data) == glb.gltf.buffers[0].byteLength


def test_glb_passes_the_khronos_validator(glb):
    """Needs Node and `npm install gltf-validator` in a folder that NODE_PATH names."""
    assert glb_issues(glb.path) == "0 0"
