import base64
import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from mien import export, faces
from mien.animation import Animation
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face
from mien.faces import ict, lips
from mien.faces.arkit import unit_of
from mien.faces.components import orthonormal, outside, principal
from mien.faces.mesh import fan, pieces, weld

MM = 1e-3
JAW, TONGUE = UNIT_NAMES.index("jawOpen"), UNIT_NAMES.index("tongueOut")


# Names


@pytest.mark.parametrize("name", UNIT_NAMES)
def test_every_unit_is_known_as_files_write_it(name):
    snake = name.replace("Left", "_L").replace("Right", "_R")
    pascal = name[0].upper() + name[1:]
    assert {unit_of(word) for word in (name, snake, pascal)} == {name}
    assert unit_of(f"blendShape1.{name}") == unit_of(f"Head_{name}") == name


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("browInnerUp_L", "browInnerUp"),
        ("cheekPuffRight", "cheekPuff"),
        ("mouthSmile", None),
        ("jawOpen_L", None),
        ("viseme_aa", None),
        ("identity003", None),
        ("PupilDilate_L", None),
        ("_L", None),
        ("", None),
    ],
)
def test_other_names(name, unit):
    assert unit_of(name) == unit


# Meshes


def test_connected_pieces_are_ranges():
    chain = np.array([[0, 1, 2], [2, 3, 4], [5, 6, 7]])
    assert pieces(chain, 8) == [slice(0, 5), slice(5, 8)]
    assert pieces(np.array([[0, 2, 4], [1, 3, 5]]), 6) == []


def test_welding_keeps_the_first_of_equal_rows():
    rows = np.array([[2.0, 0], [1, 1], [2, 0], [0, 0], [1, 1]])
    kept, place = weld(rows)
    assert kept.tolist() == [0, 1, 3]
    np.testing.assert_array_equal(rows[kept][place], rows)
    assert fan([4, 5, 6, 7]) == [(4, 5, 6), (4, 6, 7)]


def test_orthonormal_rows_span_what_they_came_from():
    rows = np.random.default_rng(0).standard_normal((4, 30))
    found = orthonormal(np.stack([rows[0], 2 * rows[0], rows[1], rows[2], rows[1] - rows[2]]))
    assert found.shape == (3, 30)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-12)
    assert np.abs(outside(rows[:3], found)).max() < 1e-12
    assert np.abs(outside(rows[3:], found)).max() > 0.1
    assert (np.einsum("kd,kd->k", found, rows[:3]) > 0).all()


def test_principal_directions_come_in_their_order():
    axes = np.eye(6)[:3] * [[1.0], [5.0], [0.1]]
    found = principal(np.concatenate([axes, -axes]), 2)
    np.testing.assert_allclose(found, np.eye(6)[[1, 0]], atol=1e-12)


# Lips


def test_lips_are_found_where_the_mien_head_has_them(face):
    seam = lips.find_seam(face.template, face.triangles, face.unit_deltas[JAW], face.parts["skin"])
    pairs, normals = lips.contact(face.template, seam)
    assert np.linalg.norm(np.diff(face.template[pairs], axis=1), axis=2).max() < 1.5 * MM
    assert np.abs(face.template[pairs, 0]).max() < 13 * MM
    assert np.median(normals[:, 1]) > 0.95
    ours = replace(face, contact_pairs=pairs, contact_normals=normals)
    draw = np.random.default_rng(0)
    weights = face.limit(draw.random((80, 52)) * (draw.random((80, 52)) < 0.2))
    vertices = face.weights_to_vertices(weights)
    assert np.corrcoef(ours.gap(vertices), face.gap(vertices))[0, 1] > 0.99
    regions = lips.regions(face.template, face.parts, seam)
    for name in ("lips", "lower_face", "upper_face", "eyes"):
        found, own = set(regions[name]), set(face.regions[name])
        assert len(found & own) > 0.75 * len(found | own), name


def test_a_closed_sheet_has_no_lips():
    """A jaw whose pull fades within a few millimetres: near, but joined by the surface."""
    across, down = np.meshgrid(np.arange(-20, 21), np.arange(-20, 21))
    points = np.stack([across, down, 0 * across], -1).reshape(-1, 3) * MM
    at = np.arange(41 * 41).reshape(41, 41)
    corners = [at[:-1, :-1], at[:-1, 1:], at[1:, 1:]], [at[:-1, :-1], at[1:, 1:], at[1:, :-1]]
    triangles = np.concatenate([np.stack(c, -1).reshape(-1, 3) for c in corners])
    opening = np.zeros_like(points)
    opening[:, 1] = -10 * MM * np.clip((4 - points[:, 1] / MM) / 2, 0, 1)
    seam = lips.find_seam(points, triangles, opening, slice(0, len(points)))
    assert len(seam.upper) == 0
    pairs, normals = lips.contact(points, seam)
    assert pairs.shape == (0, 2)
    assert normals.shape == (0, 3)
    above = points[triangles, 1] > 3.5 * MM
    cut = triangles[above.all(axis=1) == above.any(axis=1)]
    opening[:, 1] = -10 * MM * (points[:, 1] < 3.5 * MM)
    seam = lips.find_seam(points, cut, opening, slice(0, len(points)))
    np.testing.assert_array_equal(seam.upper - seam.lower, np.full(41, 41))


# glTF


@pytest.fixture(scope="module")
def document(face, tmp_path_factory):
    """The Mien head's own .glb: (JSON, binary)."""
    path = tmp_path_factory.mktemp("glb") / "head.glb"
    export.save(Animation(np.zeros((2, 52), np.float32), 30.0, face), path)
    data = path.read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def write_glb(path, changed, binary):
    text = json.dumps(changed).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    return path


def changed(document, **values):
    found = json.loads(json.dumps(document[0]))
    return {**found, **values}


@pytest.fixture(scope="module")
def back(document, tmp_path_factory):
    return faces.read(write_glb(tmp_path_factory.mktemp("back") / "head.glb", *document))


def test_our_own_glb_comes_back_as_the_same_face(back, face):
    skin = face.parts["skin"]
    assert back.unit_names == UNIT_NAMES
    assert list(back.parts) == list(face.parts)
    assert np.abs(back.template[skin] - face.template[skin]).max() < 0.1 * MM
    assert np.abs(back.unit_deltas[:, skin] - face.unit_deltas[:, skin]).max() < 2e-6
    assert np.abs(back.colors[skin] - face.colors[skin]).max() < 1e-3
    assert back.has_teeth
    draw = np.random.default_rng(1)
    weights = face.limit(draw.random((40, 52)) * (draw.random((40, 52)) < 0.2))
    one, other = face.weights_to_vertices(weights), back.weights_to_vertices(weights)
    assert np.corrcoef(face.gap(one), back.gap(other))[0, 1] > 0.99
    bites = face.lip_to_teeth(one), back.lip_to_teeth(other)
    assert np.corrcoef(*bites)[0, 1] > 0.99
    assert np.median(np.abs(bites[0] - bites[1])) < 0.8 * MM
    found = back.coefficients_to_weights(back.weights_to_coefficients(weights))
    assert np.abs(found - weights).max() < 1e-4


def test_size_and_axes_become_ours(document, back, tmp_path):
    """Centimetres, z up, looking along -y, moved aside, as Blender's own axes are."""
    turned = changed(document)
    node = turned["nodes"][0]
    del node["skin"]
    node |= {
        "rotation": [2**-0.5, 0.0, 0.0, 2**-0.5],
        "scale": [100.0, 100.0, 100.0],
        "translation": [7.0, 160.0, -3.0],
    }
    found = faces.read(write_glb(tmp_path / "a.glb", turned, document[1]))
    assert np.abs(found.template - back.template).max() < 0.01 * MM
    assert np.abs(found.unit_deltas - back.unit_deltas).max() < 0.01 * MM
    node["scale"] = [3.7, 3.7, 3.7]
    found = faces.read(write_glb(tmp_path / "b.glb", turned, document[1]))
    ratio = np.ptp(found.template, axis=0) / np.ptp(back.template, axis=0)
    assert np.abs(ratio - 1).max() < 0.01


def test_units_by_other_names_and_one_missing(document, back, tmp_path):
    other = changed(document)
    names = [n.replace("Left", "_L").replace("Right", "_R") for n in UNIT_NAMES]
    names[TONGUE] = "somethingElse"
    other["meshes"][0]["extras"]["targetNames"] = names
    found = faces.read(write_glb(tmp_path / "a.glb", other, document[1]))
    assert found.unit_names == UNIT_NAMES
    assert not found.unit_deltas[TONGUE].any()
    assert (found.coefficient_count, back.coefficient_count) == (51, 52)
    assert found.basis.shape[0] == 51
    weights = found.limit(np.random.default_rng(2).random((6, 52)) * 0.3)
    weights[:, TONGUE] = 0.5
    solved = found.coefficients_to_weights(found.weights_to_coefficients(weights))
    assert (solved[:, TONGUE] == 0).all()
    solved[:, TONGUE] = 0.5
    assert np.abs(solved - weights).max() < 1e-4
    found.save(tmp_path / "face.npz")
    assert faces.read(tmp_path / "face.npz").fingerprint == found.fingerprint
    assert found.fingerprint != back.fingerprint


def test_a_gltf_with_its_buffer_beside_it_or_inside(document, back, tmp_path):
    beside = changed(document)
    beside["buffers"][0]["uri"] = "head%20data.bin"
    (tmp_path / "head.gltf").write_text(json.dumps(beside))
    with pytest.raises(MienError, match=r"wants the file head data\.bin beside it"):
        faces.read(tmp_path / "head.gltf")
    (tmp_path / "head data.bin").write_bytes(document[1])
    assert faces.read(tmp_path / "head.gltf").fingerprint == back.fingerprint
    coded = base64.b64encode(document[1]).decode()
    beside["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{coded}"
    (tmp_path / "inside.gltf").write_text(json.dumps(beside))
    assert faces.read(tmp_path / "inside.gltf").fingerprint == back.fingerprint
    beside["buffers"][0]["uri"] = "../secret.bin"
    (tmp_path / "outside.gltf").write_text(json.dumps(beside))
    with pytest.raises(MienError, match="outside its folder"):
        faces.read(tmp_path / "outside.gltf")


def test_a_body_below_the_head_is_left_out(document, back, tmp_path):
    points = np.array([[0, -1, 0], [0.3, -1, 0], [0, -0.5, 0]], np.float32)
    whole = changed(document)
    start = len(document[1])
    whole["bufferViews"].append({"buffer": 0, "byteOffset": start, "byteLength": points.nbytes})
    position = {"type": "VEC3", "componentType": 5126, "count": 3}
    whole["accessors"].append({**position, "bufferView": len(whole["bufferViews"]) - 1})
    attributes = {"POSITION": len(whole["accessors"]) - 1}
    whole["meshes"].append({"name": "body", "primitives": [{"attributes": attributes}]})
    whole["nodes"].append({"mesh": 1})
    whole["scenes"][0]["nodes"].append(len(whole["nodes"]) - 1)
    path = write_glb(tmp_path / "a.glb", whole, document[1] + points.tobytes())
    found = faces.read(path)
    assert list(found.parts) == list(back.parts)
    assert len(found.template) == len(back.template)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "is compressed"),
        ({"meshes": []}, "damaged: IndexError"),
        ({"nodes": [], "scenes": [{"nodes": []}]}, "holds no triangles"),
        ({"buffers": []}, "damaged"),
    ],
)
def test_what_cannot_be_read_is_said(document, tmp_path, change, message):
    path = write_glb(tmp_path / "a.glb", changed(document, **change), document[1])
    with pytest.raises(MienError, match=message):
        faces.read(path)


def test_bad_files(document, tmp_path):
    path = write_glb(tmp_path / "a.glb", document[0], document[1][:1000])
    with pytest.raises(MienError, match="its buffers end too early"):
        faces.read(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(MienError, match=r"cannot be read as glTF 2\.0"):
        faces.read(path)
    nameless = changed(document)
    nameless["meshes"][0]["extras"] = {}
    with pytest.raises(MienError, match=r"has no shape 'jawOpen'; .* and it has none"):
        faces.read(write_glb(path, nameless, document[1]))
    with pytest.raises(MienError, match=r"a\.fbx is no face that mien reads"):
        faces.read(tmp_path / "a.fbx")
    with pytest.raises(MienError, match=r"cannot read .*none\.glb"):
        faces.read(tmp_path / "none.glb")


# ICT-FaceKit


@pytest.fixture(scope="module")
def kit(face, tmp_path_factory):
    """A folder in ICT-FaceKit's layout: the Mien head's parts in its ranges, in centimetres."""
    folder = tmp_path_factory.mktemp("kit") / "FaceXModel"
    folder.mkdir()
    source = np.full(ict.VERTICES, face.template[:, 1].argmin())  # what no unit moves
    for name, (start, _) in ict.PIECES.items():
        own = face.parts[name]
        size = min(own.stop - own.start, ict.PIECES[name][1] - start)
        source[start : start + size] = np.arange(own.start, own.start + size)
    place = np.full(len(face.template), -1)
    for name, (start, stop) in ict.PIECES.items():
        at = source[start:stop]
        first, last = face.parts[name].start, face.parts[name].stop
        own = (at >= first) & (at < last)
        place[at[own]] = np.arange(start, stop)[own]
    triangles = place[face.triangles]
    triangles = triangles[(triangles >= 0).all(axis=1)] + 1

    def write(name, vertices, corners=()):
        lines = ["v {:.5f} {:.5f} {:.5f}".format(*row) for row in vertices[source] * 100 + 5]
        lines += ["f {}/1 {}/1 {}/1".format(*row) for row in corners]
        (folder / f"{name}.obj").write_text("\n".join(["# text", *lines, ""]))

    write(ict.NEUTRAL.removesuffix(".obj"), face.template, triangles)
    shapes = {"jawOpen": "jawOpen", "eyeBlink_L": "eyeBlinkLeft", "eyeBlink_R": "eyeBlinkRight",
              "cheekPuff_L": "cheekPuff"}  # fmt: skip
    for name, unit in shapes.items():
        write(name, face.template + face.unit_deltas[UNIT_NAMES.index(unit)])
    (folder / "identity000.obj").write_text("no shape of ours")
    return folder


def test_the_kit_is_read_in_metres(kit, face):
    found = faces.read(kit.parent)
    assert list(found.parts) == list(ict.PIECES)
    skin = face.parts["skin"]
    size = skin.stop - skin.start
    assert np.abs(found.template[:size] - face.template[skin]).max() < 0.1 * MM
    jaw = found.unit_deltas[JAW, :size]
    assert np.abs(jaw - face.unit_deltas[JAW, skin]).max() < 0.01 * MM
    assert np.abs(found.unit_deltas[UNIT_NAMES.index("cheekPuff")]).max() > MM
    assert found.coefficient_count == 4
    assert len(found.contact_pairs) > 8
    assert found.template[found.parts["eye_left"], 0].mean() > 0
    assert Face.from_ict(kit).fingerprint == found.fingerprint


def test_a_kit_that_is_none(kit, tmp_path):
    with pytest.raises(MienError, match=r"holds no generic_neutral_mesh\.obj"):
        faces.read(tmp_path)
    (tmp_path / ict.NEUTRAL).write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "jawOpen.obj").write_text("v 0 0 0\n")
    with pytest.raises(MienError, match=r"jawOpen\.obj has 1 vertices and .* 3"):
        faces.read(tmp_path)
    (tmp_path / "jawOpen.obj").write_text("v 0 0\n")
    with pytest.raises(MienError, match=r"jawOpen\.obj is damaged"):
        faces.read(tmp_path)


def test_obj_polygons_and_corners_from_the_end(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1//1 2//1 -2 -1\n")
    _, triangles = ict.read_obj(tmp_path / "a.obj")
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    (tmp_path / "a.obj").write_text("v 0 0 0\nf 1 2 3\n")
    with pytest.raises(MienError, match="out of range"):
        ict.read_obj(tmp_path / "a.obj")


# The same weights on another face


def test_weights_go_to_another_face_by_name(face, back):
    weights = face.limit(np.random.default_rng(3).random((4, 52)) * 0.2).astype(np.float32)
    order = [*UNIT_NAMES[::-1][:-1], "extra"]
    deltas = np.concatenate([back.unit_deltas[::-1][:-1], back.unit_deltas[:1]])
    none = replace(face.limits, targets=face.limits.targets[:0], ceilings=face.limits.ceilings[:0],
                   sources=face.limits.sources[:0])  # fmt: skip
    mixed = replace(back, unit_names=tuple(order), unit_deltas=deltas, limits=none)
    found = Animation(weights, 30.0, face, head=np.ones((4, 3), np.float32)).on(mixed)
    assert found.face is mixed
    np.testing.assert_allclose(found.weights[:, :-1], weights[:, ::-1][:, :-1])
    assert (found.weights[:, -1] == 0).all()
    assert (found.head == 1).all()
    signed = replace(mixed, signed=True)
    with pytest.raises(MienError, match="cannot drive 'head'"):
        Animation(weights, 30.0, face).on(signed)
