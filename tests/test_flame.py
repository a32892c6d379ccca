import dataclasses
import os
import pickle
import random
from contextlib import suppress

import numpy as np
import pytest

from flame_file import EXPRESSIONS, SHIFT, flame_arrays, made, masks_of, write_flame
from mien.errors import MienError
from mien.faces import pickles, read
from mien.faces.flame import JAW, Flame, axis_angles_to_rotations

MM = 1e-3


@pytest.fixture(scope="module")
def arrays(face):
    return flame_arrays(face)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, arrays, face):
    folder = tmp_path_factory.mktemp("flame")
    write_flame(folder / "generic_model.pkl", arrays)
    write_flame(folder / "FLAME_masks.pkl", masks_of(face))
    return folder


@pytest.fixture(scope="module")
def flame(folder):
    return Flame.read(folder / "generic_model.pkl")


@pytest.fixture(scope="module")
def head(flame, folder):
    return flame.to_face(folder / "FLAME_masks.pkl", components=30)


# Pickles


PYTHON_2 = (
    b"\x80\x02}q\x00U\x01xcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b"
    b"\x87R(K\x01K\x02K\x01\x86cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff"
    b"\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10" + np.array([1.5, -2.0]).tobytes() + b"tbs."
)
"""{"x": array([[1.5], [-2.]])}, opcode by opcode as Python 2 wrote it"""


def test_an_array_as_python_2_wrote_it(tmp_path):
    (tmp_path / "a.pkl").write_bytes(PYTHON_2)
    found = pickles.read_arrays(tmp_path / "a.pkl")
    np.testing.assert_array_equal(found["x"], [[1.5], [-2.0]])


@pytest.mark.parametrize("protocol", range(2, 6))
def test_arrays_of_every_protocol(tmp_path, protocol):
    arrays = {
        "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        "big": np.arange(3, dtype=">i4"),
        "one": np.float32(2.5),
        "none": np.zeros((0, 3)),
        "text": "lrotmin",
        "objects": np.array([None, 3], object),
    }
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(arrays, protocol))
    found = pickles.read_arrays(tmp_path / "a.pkl")
    assert "objects" not in found
    assert found.pop("text") == "lrotmin"
    for name, array in found.items():
        np.testing.assert_array_equal(array, arrays[name])


class Evil:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (Evil(os.system, "touch ran"), r"(posix|nt)\.system"),
        (Evil(eval, "open('ran', 'w')"), r"_?_?builtins?_?_?\.eval"),
        (Evil(getattr, "", "format"), r"_?_?builtins?_?_?\.getattr"),
        (Evil(np.load, "ran"), r"numpy\.load"),
    ],
)
def test_a_pickle_that_runs_code_is_refused_by_name(tmp_path, monkeypatch, call, name):
    """An array around it would hide it from a look at the first entries."""
    monkeypatch.chdir(tmp_path)
    for protocol in (0, 2, 4):
        data = pickle.dumps({"v_template": np.zeros(3), "shapedirs": [call]}, protocol)
        (tmp_path / "flame.pkl").write_bytes(data)
        with pytest.raises(MienError, match=f"refused: it asks to run {name}"):
            Flame.read(tmp_path / "flame.pkl")
    assert os.listdir(tmp_path) == ["flame.pkl"]


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02cnumpy\ndtype\ncnumpy\nndarray\n\x85R.",  # a dtype made of a class
        b"\x80\x02cnumpy\nndarray\n}U\x05arrayU\x01xsb.",  # a class's own attributes set
        b"\x80\x02ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nU\x01xNtR}b.",
        b"\x80\x02U\x01xQ.",  # a persistent id
        b"\x80\x02\x82\x01.",  # the extension registry
        b"\x80\x02K\x01.",
        b"",
    ],
)
def test_odd_programs_are_one_sentence(tmp_path, program):
    (tmp_path / "odd.pkl").write_bytes(program)
    with pytest.raises(MienError, match=r"odd\.pkl"):
        pickles.read_arrays(tmp_path / "odd.pkl")
    (tmp_path / "odd.pkl").write_bytes(PYTHON_2)
    assert pickles.read_arrays(tmp_path / "odd.pkl")["x"].shape == (2, 1)


def test_damaged_pickles_never_end_in_a_traceback(tmp_path):
    draw = random.Random(0)
    for _ in range(300):
        data = bytearray(PYTHON_2)
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        (tmp_path / "a.pkl").write_bytes(data[: draw.randint(1, len(data))])
        with suppress(MienError):
            pickles.read_arrays(tmp_path / "a.pkl")


# The file


def test_chumpy_and_sparse_arrays_are_read_exactly(flame, arrays):
    np.testing.assert_array_equal(flame.template, arrays["v_template"])
    directions = np.moveaxis(arrays["shapedirs"][:, :, 300:], 2, 0)
    np.testing.assert_array_equal(flame.expressions, directions)
    np.testing.assert_array_equal(flame.correctives, np.moveaxis(arrays["posedirs"], 2, 0))
    np.testing.assert_array_equal(flame.regressor, arrays["J_regressor"])
    assert flame.parents == (-1, 0, 1, 1, 1)
    assert np.abs(flame.origin - SHIFT)[:2].max() < MM


def test_an_npz_of_the_same_arrays_is_the_same_model(tmp_path, arrays, flame):
    kept = {key: value for key, value in arrays.items() if key != "bs_type"}
    np.savez(tmp_path / "flame2023.npz", **kept)
    found = Flame.read(tmp_path / "flame2023.npz")
    np.testing.assert_array_equal(found.expressions, flame.expressions)
    assert found.name == "FLAME flame2023"


def small(**changes):
    """A model of three vertices; MienError is all that matters."""
    arrays = {
        "v_template": np.eye(3),
        "f": np.array([[0, 1, 2]]),
        "shapedirs": np.ones((3, 3, 302)),
        "posedirs": np.zeros((3, 3, 36)),
        "J_regressor": np.full((5, 3), 1 / 3),
        "kintree_table": np.array([[-1, 0, 1, 1, 1], range(5)]),
        "weights": np.full((3, 5), 0.2),
    }
    return {key: value for key, value in (arrays | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"posedirs": None}, "no FLAME model: it has no 'posedirs'"),
        ({"kintree_table": np.zeros((2, 24), int)}, "24 joints and FLAME has 5"),
        ({"shapedirs": np.ones((3, 3, 300))}, "300 shape directions and none of expression"),
        ({"posedirs": np.zeros((3, 3, 207))}, r"posedirs is \(3, 3, 207\)"),
        ({"J_regressor": np.zeros((5, 4))}, r"J_regressor is \(5, 4\)"),
        ({"weights": np.full((3, 5), np.nan)}, "weights holds what is no number"),
        ({"f": np.array([[0, 1, 3]])}, "outside its 3 vertices"),
        ({"kintree_table": np.array([[-1, 0, 1, 4, 1], range(5)])}, "in a circle"),
    ],
)
def test_another_model_is_refused_in_words(tmp_path, changes, message):
    write_flame(tmp_path / "model.pkl", small(**changes))
    with pytest.raises(MienError, match=message):
        Flame.read(tmp_path / "model.pkl")
    assert Flame.read(_written(tmp_path / "whole.pkl", small())).expressions.shape == (2, 3, 3)


def _written(path, arrays):
    write_flame(path, arrays)
    return path


def test_no_file_and_no_pickle(tmp_path):
    with pytest.raises(MienError, match=r"no file .*none\.pkl; FLAME comes from"):
        Flame.read(tmp_path / "none.pkl")
    (tmp_path / "text.npz").write_text("x")
    with pytest.raises(MienError, match="cannot be read as arrays"):
        Flame.read(tmp_path / "text.npz")


# Skinning


def test_rotations_turn_by_the_right_hand_rule():
    quarter = np.pi / 2
    turned = axis_angles_to_rotations(np.array([[quarter, 0, 0], [0, 0, -quarter], [0, 0, 0]]))
    np.testing.assert_allclose(turned[0] @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turned[1] @ [0, 1, 0], [1, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(turned[2], np.eye(3))
    drawn = axis_angles_to_rotations(np.random.default_rng(1).standard_normal((4, 2, 3)))
    np.testing.assert_allclose(drawn @ np.swapaxes(drawn, -1, -2), [[np.eye(3)] * 2] * 4, atol=1e-9)


def twin(arrays, expression, pose):
    """The model by the letter, vertex by vertex with 4 × 4 matrices; pose (5, 3)."""
    shaped = arrays["v_template"].copy()
    for k, amount in enumerate(expression):
        shaped += amount * arrays["shapedirs"][:, :, 300 + k]
    joints = arrays["J_regressor"] @ shaped
    rotations = axis_angles_to_rotations(pose)
    posed = shaped.copy()
    for n, entry in enumerate((rotations[1:] - np.eye(3)).ravel()):
        posed += entry * arrays["posedirs"][:, :, n]
    worlds = []
    for joint, parent in enumerate((None, 0, 1, 1, 1)):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = joints[joint] - (0 if parent is None else joints[parent])
        worlds.append(local if parent is None else worlds[parent] @ local)
    rest = [np.linalg.inv(np.eye(4) + np.pad(j[:, None], ((0, 1), (3, 0)))) for j in joints]
    placed = []
    for vertex, weights in zip(posed, arrays["weights"], strict=True):
        matrices = [w * world @ back for w, world, back in zip(weights, worlds, rest, strict=True)]
        placed.append((np.sum(matrices, axis=0) @ [*vertex, 1])[:3])
    return np.array(placed)


def test_vertices_are_those_of_the_published_formula(flame, arrays):
    generator = np.random.default_rng(0)
    expression = generator.standard_normal((3, len(EXPRESSIONS)))
    pose = 0.3 * generator.standard_normal((3, 5, 3))
    pose[:, 0] = 0
    found = flame.vertices(
        expression, pose[:, JAW], neck=pose[:, 1], eyes=pose[:, 3:].reshape(3, 6)
    )
    expected = np.stack([twin(arrays, *one) for one in zip(expression, pose, strict=True)])
    assert np.abs(found - (expected - flame.origin)).max() < 1e-6
    alone = flame.vertices(expression[1], pose[1, JAW], neck=pose[1:2, 1], eyes=pose[1, 3:].ravel())
    np.testing.assert_allclose(alone[0], found[1], atol=1e-7)


def test_nothing_asked_for_is_the_template_between_the_eyes(flame, arrays):
    still = flame.vertices(np.zeros((2, 4)), np.zeros((2, 3)))
    assert np.abs(still - (arrays["v_template"] - flame.origin)).max() < 1e-7


def test_a_jaw_turns_its_own_vertices_about_its_joint(tmp_path):
    """Planted: joints at known places, one vertex for each, no correctives."""
    places = np.array([[0, -1, 0], [0, -0.5, 0], [0, 0, 0], [1, 1, 0], [-1, 1, 0], [0, 0, 2.0]])
    weights = np.eye(5)[[0, 1, 2, 3, 4, 2]]
    model = small(
        v_template=places, shapedirs=np.zeros((6, 3, 301)), posedirs=np.zeros((6, 3, 36)),
        J_regressor=np.eye(5, 6), weights=weights,
    )  # fmt: skip
    found = Flame.read(_written(tmp_path / "m.pkl", model))
    moved = found.vertices(np.zeros((1, 1)), np.array([[np.pi / 2, 0, 0]]))[0] + found.origin
    np.testing.assert_allclose(moved[5], [0, -2, 0], atol=1e-6)  # chin: forward becomes down
    np.testing.assert_allclose(moved[:5], places[:5], atol=1e-6)


def test_amounts_that_do_not_fit_are_refused(flame):
    with pytest.raises(
        MienError, match="50 expression amounts came and FLAME generic_model has 12"
    ):
        flame.vertices(np.zeros((1, 50)), np.zeros((1, 3)))
    with pytest.raises(MienError, match=r"a joint's pose is \(2, 3\) for 3 frames"):
        flame.vertices(np.zeros((3, 5)), np.zeros((2, 3)))


# As a Face


def test_its_components_are_orthonormal_and_signed(head, flame):
    assert head.signed
    assert head.unit_names[:2] == ("component_000", "component_001")
    rows = head.unit_deltas.reshape(30, -1)
    np.testing.assert_allclose(rows @ rows.T, np.eye(30), atol=1e-5)
    weights = np.random.default_rng(0).standard_normal((4, 30)).astype(np.float32)
    np.testing.assert_array_equal(head.limit(weights), weights)
    back = head.vertices_to_weights(head.weights_to_vertices(0.02 * weights))
    np.testing.assert_allclose(back, 0.02 * weights, atol=1e-5)
    assert np.isnan(head.lip_to_teeth(head.template[None])).all()
    assert not head.has_teeth


def test_expressions_are_spanned_exactly_and_jaws_nearly(head, flame):
    generator = np.random.default_rng(5)
    expression = generator.standard_normal((20, len(EXPRESSIONS)))
    jaw = np.abs(generator.standard_normal((20, 3))) * (0.2, 0.02, 0.02)
    still = flame.vertices(expression, 0 * jaw)
    assert np.abs(refitted(head, still) - still).max() < 1e-6
    moving = flame.vertices(expression, jaw)
    error = np.linalg.norm(refitted(head, moving) - moving, axis=2)
    assert np.sqrt(np.square(error).mean()) < 0.05 * MM
    assert flame.residual(head) < 0.05 * MM


def refitted(face, vertices):
    return face.weights_to_vertices(face.vertices_to_weights(vertices))


def test_more_components_leave_less_over(flame):
    left = [flame.residual(flame.to_face(components=count)) for count in (5, 12, 20)]
    assert left == sorted(left, reverse=True)
    assert left[1] > 10 * left[2], "jaws need components of their own"
    with pytest.raises(MienError, match="0 components make no face"):
        flame.to_face(components=0)


def test_a_fingerprint_tells_models_apart_and_machines_not(flame, head, folder):
    """Orthonormal components have the same inner products, whatever the head."""
    again = Flame.read(folder / "generic_model.pkl").to_face(components=30)
    assert again.fingerprint == head.fingerprint
    wider = dataclasses.replace(head, template=head.template * np.array([1.1, 1, 1], np.float32))
    assert wider.fingerprint != head.fingerprint


def test_parts_regions_and_lips(head, flame, face, folder):
    masks = masks_of(face)
    assert list(head.parts) == ["skin", "eye_left", "eye_right"]
    assert head.template[head.parts["eye_left"], 0].min() > 0
    np.testing.assert_array_equal(head.regions["lips"], np.sort(masks["lips"]))
    upper, lower = head.regions["upper_face"], head.regions["lower_face"]
    assert set(upper) | set(lower) == set(masks["face"])
    assert head.template[upper, 1].min() >= head.template[lower, 1].max()
    found = flame.to_face(components=12).regions
    for name in ("lips", "lower_face", "upper_face"):
        ours, theirs = set(found[name]), set(head.regions[name])
        assert len(ours & theirs) > 0.75 * len(ours | theirs), name


def test_its_gap_follows_the_jaw(head, flame):
    pitch = np.array([0.0, 0.1, 0.2, 0.4])
    jaw = np.stack([pitch, 0 * pitch, 0 * pitch], axis=1)
    gaps = head.gap(flame.vertices(np.zeros((4, 1)), jaw))
    assert abs(gaps[0]) < 1e-6
    assert (np.diff(gaps) > 2 * MM).all()
    assert 0.01 < gaps[3] < 0.03


@pytest.mark.parametrize(
    ("masks", "message"),
    [({"face": [1]}, "has no 'lips'"), ({"lips": [1], "face": [9999]}, "counts more vertices")],
)
def test_masks_of_another_model(tmp_path, flame, masks, message):
    path = tmp_path / "FLAME_masks.pkl"
    path.write_bytes(pickle.dumps({name: np.array(at) for name, at in masks.items()}))
    with pytest.raises(MienError, match=message):
        flame.to_face(path, components=12)


def test_the_file_is_found_by_its_name(folder, head):
    found = read(folder / "generic_model.pkl")
    assert found.name == "FLAME generic_model"
    assert found.signed
    assert len(found.unit_names) > 30


def test_stand_ins_answer_only_what_they_should(tmp_path):
    """A stand-in that kept whatever it was given would turn foreign objects into arrays."""
    path = tmp_path / "a.pkl"
    write_flame(path, {"shapedirs": np.arange(6.0).reshape(1, 2, 3)})
    np.testing.assert_array_equal(
        pickles.read_arrays(path)["shapedirs"], np.arange(6.0).reshape(1, 2, 3)
    )
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(made(type("Ch", (), {"__module__": "chumpy.ch"}), x=1))
