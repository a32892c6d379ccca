"""The head's turning: its signs, and that every output turns alike."""

import csv

import numpy as np
import pytest

from glb import Glb, glb_issues
from mien import export
from mien.animation import PIVOT, Animation, rotations, turn, turning_share
from mien.export import curves, gltf
from mien.face import UNIT_NAMES, Face

FRAMES = 40


@pytest.fixture(scope="module")
def face():
    return Face.load()


@pytest.fixture(scope="module")
def animation(face):
    random = np.random.default_rng(0)
    weights = random.random((FRAMES, len(UNIT_NAMES))).astype(np.float32)
    head = random.uniform(-0.3, 0.3, (FRAMES, 3)).astype(np.float32)
    return Animation(weights, 30.0, face, head=head)


@pytest.fixture(scope="module")
def glb(tmp_path_factory, animation):
    path = tmp_path_factory.mktemp("glb") / "a.glb"
    export.save(animation, path)
    return Glb(path)


# The angles


@pytest.mark.parametrize(
    ("head", "point", "moves"),
    [
        ((0.3, 0, 0), (0, 0, 1), (1, 0, 0)),  # the nose goes to the own left
        ((0, 0.3, 0), (0, 0, 1), (0, -1, 0)),  # the nose goes down
        ((0, 0, 0.3), (0, 1, 0), (-1, 0, 0)),  # the crown goes to the own right
    ],
)
def test_signs(head, point, moves):
    moved = rotations(np.array(head)) @ np.array(point) - point
    assert moved @ np.array(moves) == pytest.approx(np.sin(0.3))


def test_rotations_are_three_turns_in_order():
    """The slow twin: roll, then pitch, then yaw, one matrix at a time."""
    head = np.random.default_rng(1).uniform(-1, 1, (5, 2, 3))
    found = rotations(head)
    for place in np.ndindex(5, 2):
        yaw, pitch, roll = head[place]
        expected = np.eye(3)
        for one, two, angle in ((0, 1, roll), (1, 2, pitch), (2, 0, yaw)):
            step = np.eye(3)
            step[one, one] = step[two, two] = np.cos(angle)
            step[one, two], step[two, one] = -np.sin(angle), np.sin(angle)
            expected = step @ expected
        assert np.allclose(found[place], expected)


def test_quaternions_are_the_rotations():
    head = np.random.default_rng(2).uniform(-1, 1, (20, 3))
    x, y, z, w = gltf.quaternions(head).T
    assert np.allclose(2 * (x * z + y * w), rotations(head)[:, 0, 2])
    assert np.allclose(2 * (y * z - x * w), rotations(head)[:, 1, 2])
    assert np.allclose(2 * (x * y + z * w), rotations(head)[:, 1, 0])


# The neck


def test_the_skull_turns_rigidly_and_the_neck_s_end_stays(face):
    share, template = turning_share(face), face.template
    turned = turn(template, np.array([0.2, -0.1, 0.05]), share)
    skull = np.flatnonzero(share == 1)
    some = skull[:: len(skull) // 200]
    before, after = (np.linalg.norm(v[some][:, None] - v[some], axis=2) for v in (template, turned))
    assert np.allclose(before, after, atol=1e-5)
    assert np.linalg.norm(turned[some] - template[some], axis=1).max() > 0.01
    assert (share == 0).sum() > 20
    assert np.array_equal(turned[share == 0], template[share == 0])
    for part in set(face.parts) - {"skin"}:
        assert (share[face.parts[part]] == 1).all(), f"{part} would bend"
    for region in ("lips", "upper_face", "eyes"):
        assert share[face.regions[region]].min() > 0.999, f"{region} would bend"


def test_the_neck_does_not_tear(face):
    """Neighbours in the skin move alike, also where the neck begins to turn."""
    turned = turn(face.template, np.radians([9.0, 7.0, 7.0]), turning_share(face))
    own = face.triangles[(face.triangles < face.parts["skin"].stop).all(1)]
    one, other = np.concatenate([own[:, [0, 1]], own[:, [1, 2]]]).T
    before, after = (np.linalg.norm(v[one] - v[other], axis=1) for v in (face.template, turned))
    assert (after / before).max() < 1.6
    assert (after / before).min() > 0.6


def test_the_pivot_lies_inside_the_neck(face):
    skin = face.template[face.parts["skin"]]
    level = skin[np.abs(skin[:, 1] - PIVOT[1]) < 0.01]
    assert level[:, 0].min() < PIVOT[0] - 0.04 < PIVOT[0] + 0.04 < level[:, 0].max()
    assert level[:, 2].min() < PIVOT[2] - 0.02 < PIVOT[2] + 0.02 < level[:, 2].max()


# The animation and its files


def test_a_still_head_is_the_animation_without_one(animation):
    still = Animation(animation.weights, 30.0, animation.face)
    held = Animation(animation.weights, 30.0, animation.face, head=np.zeros((FRAMES, 3)))
    assert np.array_equal(still.turned_vertices(), still.vertices())
    assert np.allclose(held.turned_vertices(), still.vertices(), atol=1e-7)
    assert np.array_equal(animation.vertices(), still.vertices())
    some = animation.turned_vertices(3, 5)
    assert np.allclose(some, animation.turned_vertices()[3:5], atol=1e-7)
    assert np.abs(some - animation.vertices(3, 5)).max() > 0.005


def test_npz_holds_the_head_beside_still_vertices(tmp_path, animation):
    export.save(animation, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as found:
        assert np.array_equal(found["head"], animation.head)
        assert np.allclose(found["vertices"], animation.vertices(), atol=1e-7)
        turned = (found["vertices"][7] - found["head_pivot"]) @ rotations(found["head"][7]).T
        skull = turning_share(animation.face) == 1
        expected = animation.turned_vertices(7, 8)[0]
        assert np.allclose((turned + found["head_pivot"])[skull], expected[skull], atol=1e-6)


def test_npz_of_a_still_head_holds_zeros(tmp_path, animation):
    export.save(Animation(animation.weights, 30.0, animation.face), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as found:
        assert np.array_equal(found["head"], np.zeros((FRAMES, 3)))


def test_csv_holds_the_head_with_the_app_s_signs(tmp_path, animation):
    export.save(animation, tmp_path / "a.csv")
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    found = np.array([[float(row[turn]) for turn in curves.TURNS] for row in rows])
    assert np.allclose(found, animation.head * [-1, 1, -1], atol=1e-6)
    assert len(rows[0]) == 63
    assert {float(row[turn]) for row in rows for turn in curves.STILL} == {0.0}


def test_glb_poses_what_the_film_shows(glb, animation, face):
    """Skinning by the letter of the standard: joints, inverse bind matrices, weights."""
    channels = {channel.target.path: channel for channel in glb.gltf.animations[0].channels}
    assert glb.gltf.nodes[channels["rotation"].target.node].name == "head"
    samplers = glb.gltf.animations[0].samplers
    turned = glb.array(samplers[channels["rotation"].sampler].output)
    assert np.allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-6)
    skin = glb.gltf.skins[glb.gltf.nodes[0].skin]
    inverse = glb.array(skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
    neck, head = (glb.gltf.nodes[joint] for joint in skin.joints)
    assert neck.children == [skin.joints[1]]
    for frame in (0, 23):
        matrices = np.stack([inverse[0], placed(turned[frame], head.translation) @ inverse[1]])
        still = animation.vertices(frame, frame + 1)[0]
        expected = animation.turned_vertices(frame, frame + 1)[0]
        parts = zip(glb.gltf.meshes[0].primitives, face.parts.values(), strict=True)
        for primitive, part in parts:
            joints = glb.array(primitive.attributes.JOINTS_0).astype(int)
            shares = glb.array(primitive.attributes.WEIGHTS_0) / 65535
            assert np.allclose(shares.sum(1), 1)
            blended = (shares[:, :, None, None] * matrices[joints]).sum(1)
            points = np.concatenate([still[part], np.ones((len(joints), 1))], 1)
            found = (blended @ points[:, :, None])[:, :3, 0]
            assert np.abs(found - expected[part]).max() < 2e-6


def placed(quaternion, translation):
    """The matrix (4, 4) of a node."""
    x, y, z, w = quaternion
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = translation
    return matrix


def test_glb_of_a_still_head_has_no_rotation(tmp_path, animation):
    export.save(Animation(animation.weights, 30.0, animation.face), tmp_path / "a.glb")
    (channel,) = Glb(tmp_path / "a.glb").gltf.animations[0].channels
    assert channel.target.path == "weights"


def test_glb_passes_the_khronos_validator(glb):
    """Needs Node and `npm install gltf-validator` in a folder that NODE_PATH names."""
    assert glb_issues(glb.path) == "0 0"
