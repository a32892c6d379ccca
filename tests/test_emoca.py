"""EMOCA's codes on a FLAME-shaped face, and arrays of vertices: found, timed, and refused."""

import numpy as np
import pytest

from flame_file import flame_arrays, write_flame
from mead_tree import place, write_recording, write_sound
from mien.__main__ import main
from mien.data import emoca, mead, vertices
from mien.data.clips import Corpus
from mien.errors import MienError
from mien.face import Face
from mien.faces.flame import Flame

PICTURES, EXPRESSIONS = 50, 12
FIRST = mead.Recording("M003", "front", "angry", 1, 1)


@pytest.fixture(scope="module")
def flame(tmp_path_factory):
    """A FLAME-shaped file of the Mien head, as its authors' pickles are."""
    path = tmp_path_factory.mktemp("flame") / "generic_model.pkl"
    write_flame(path, flame_arrays(Face.load()))
    return path


def codes_of(label, pictures=PICTURES):
    """Expression (pictures, 12) and jaw (pictures, 3): a smile, a jaw that opens and shuts."""
    expression, jaw = np.zeros((pictures, EXPRESSIONS)), np.zeros((pictures, 3))
    expression[:, 2] = 0.2  # how EMOCA reads this actor at rest
    expression[:, :2] += 0.5 * (label == "happy")
    jaw[:, 0] = 0.1 + 0.1 * np.sin(np.arange(pictures) / 4)
    return expression, jaw


def write_codes(folder, expression, jaw, *, first=1, lost=(), face=0):
    """Save codes as EMOCA's demo does: a folder for each face in each picture."""
    for k in range(len(expression)):
        if k in lost:
            continue
        inside = folder / f"{k + first:06d}_{face:03d}"
        inside.mkdir(parents=True)
        np.save(inside / "exp.npy", expression[k].astype(np.float32))
        np.save(inside / "pose.npy", np.concatenate([[0.3, -0.2, 0.1], jaw[k]]).astype(np.float32))
        np.save(inside / "shape.npy", np.ones(100, np.float32))
    return folder


def test_codes_of_each_picture(tmp_path):
    expression, jaw = codes_of("happy")
    codes = emoca.read(write_codes(tmp_path / "a", expression, jaw, lost=(7, 8)))
    kept = np.delete(np.arange(PICTURES), [7, 8])
    np.testing.assert_array_equal(codes.pictures, kept)
    np.testing.assert_allclose(codes.expression, expression[kept], atol=1e-6)
    np.testing.assert_allclose(codes.jaw, jaw[kept], atol=1e-6)
    counted = emoca.read(write_codes(tmp_path / "b", expression, jaw, first=0))
    np.testing.assert_array_equal(counted.pictures, np.arange(PICTURES))


def test_stacked_codes_and_rows_without_a_face(tmp_path):
    expression, jaw = codes_of("happy")
    expression[3] = np.nan
    np.savez(tmp_path / "001.npz", exp=expression, jaw=jaw)
    codes = emoca.read(tmp_path / "001.npz")
    np.testing.assert_array_equal(codes.pictures, np.delete(np.arange(PICTURES), 3))
    np.save(tmp_path / "exp.npy", expression)
    np.save(tmp_path / "pose.npy", np.concatenate([0 * jaw, jaw], axis=1))
    np.testing.assert_array_equal(emoca.read(tmp_path).jaw, codes.jaw)


def test_where_codes_are_found(tmp_path):
    level = tmp_path / "M003" / "front" / "angry" / "level_1"
    with pytest.raises(MienError, match=r"no codes .*M003/front/angry/level_1/001, nor EMOCA's"):
        emoca.find(tmp_path, FIRST)
    results = level / "processed_2022_Jan_15_15-03-37" / "001" / "results" / "EMOCA_v2"
    results.mkdir(parents=True)
    assert emoca.find(tmp_path, FIRST) == results
    (level / "001").mkdir()
    with pytest.raises(MienError, match="several codes"):
        emoca.find(tmp_path, FIRST)
    other = mead.Recording("W009", "front", "sad", 2, 13)
    path = tmp_path / "W009" / "video" / "front" / "sad" / "level_2" / "013.npz"
    path.parent.mkdir(parents=True)
    path.touch()
    assert emoca.find(tmp_path, other) == path


def test_codes_that_are_refused(tmp_path):
    expression, jaw = codes_of("sad", 4)
    write_codes(tmp_path / "two", expression, jaw)
    write_codes(tmp_path / "two", expression[:1], jaw[:1], face=1)
    with pytest.raises(MienError, match="two faces in picture 1"):
        emoca.read(tmp_path / "two")
    folder = write_codes(tmp_path / "short", expression, jaw)
    np.save(folder / "000002_000" / "exp.npy", np.zeros(5))
    with pytest.raises(MienError, match=r"exp.npy holds 5 numbers; 12 finite ones"):
        emoca.read(folder)
    np.save(folder / "000002_000" / "exp.npy", np.array([print], object), allow_pickle=True)
    with pytest.raises(MienError, match="cannot be read as codes"):
        emoca.read(folder)
    (folder / "000002_000" / "exp.npy").unlink()
    with pytest.raises(MienError, match="cannot be read as codes"):
        emoca.read(folder)
    (tmp_path / "none").mkdir()
    with pytest.raises(MienError, match="holds no face"):
        emoca.read(tmp_path / "none")
    np.savez(tmp_path / "odd.npz", exp=expression, pose=np.zeros((3, 6)))
    with pytest.raises(MienError, match=r"exp is \(4, 12\) and the jaw \(3, 3\)"):
        emoca.read(tmp_path / "odd.npz")
    with pytest.raises(MienError, match="codes are of 4 pictures and the video has 3"):
        emoca.check_count(np.arange(4), 3)


@pytest.fixture
def codes(tmp_path):
    """A tree of films and the codes of each, neutral and happy."""
    for label in ("neutral", "happy"):
        write_recording(tmp_path / "tree", "M003", label, 1, 1)
        folder = tmp_path / "codes" / "M003" / "front" / label / "level_1" / "001"
        write_codes(folder, *codes_of(label))
    return tmp_path / "codes"


def prepare(tree, corpus, *options):
    line = ["prepare", "mead", tree, corpus, "--groups", "numbers", *options]
    return main([str(word) for word in line])


def test_codes_become_clips_of_a_flame_face(tmp_path, codes, flame, capsys):
    """What is left of the happy one is a smile and the jaw; what the neutral one reads is gone."""
    options = ("--reconstruction", "emoca", codes, "--face", flame, "--smoothing", "none")
    assert prepare(tmp_path / "tree", tmp_path / "corpus", *options) == 0
    out, err = capsys.readouterr()
    assert "2 clips written" in out
    assert "mm a vertex of what" in err
    corpus = Corpus(tmp_path / "corpus")
    assert corpus.face.signed
    model = Flame.read(flame)
    expression, jaw = codes_of("happy")
    expression[:, 2] = 0.0
    wanted = model.vertices(expression, jaw - np.median(jaw, axis=0))
    clip = corpus.clip("mead-M003-front-happy-1-001")
    shown = corpus.face.weights_to_vertices(clip.weights)
    times = np.arange(clip.frames) / 30
    nearest = wanted[np.clip(np.round(times * 25).astype(int), 0, PICTURES - 1)]
    lips = corpus.face.regions["lips"]
    apart = np.linalg.norm(shown - nearest, axis=2)[3:-3, lips]
    moved = np.linalg.norm(nearest - corpus.face.template, axis=2)[3:-3, lips]
    assert apart.mean() < 0.25 * moved.mean()
    calm = corpus.clip("mead-M003-front-neutral-1-001").weights
    assert np.abs(np.median(calm, axis=0)).max() < np.abs(np.median(clip.weights, axis=0)).max() / 5
    assert clip.provenance["captured_from"]["reconstruction"] == "emoca"


def test_codes_without_films_are_timed_by_thirty_pictures_a_second(tmp_path, flame):
    for label in ("neutral", "happy"):
        write_sound(place(tmp_path / "tree", "M003", label, 1, 1, kind="audio"), 2.0)
        folder = tmp_path / "codes" / "M003" / "front" / label / "level_1" / "001"
        write_codes(folder, *codes_of(label, 60))
    options = ("--reconstruction", "emoca", tmp_path / "codes", "--face", flame)
    assert prepare(tmp_path / "tree", tmp_path / "corpus", *options) == 0
    records = Corpus(tmp_path / "corpus").records
    assert [record.frames for record in records] == [60, 60]


def test_one_process_or_two_make_the_same_corpus(tmp_path, codes, flame):
    options = ("--reconstruction", "emoca", codes, "--face", flame)
    for name, jobs in (("one", 1), ("two", 2)):
        assert prepare(tmp_path / "tree", tmp_path / name, *options, "--jobs", jobs) == 0
    one, two = Corpus(tmp_path / "one"), Corpus(tmp_path / "two")
    assert one.records == two.records
    for record in one.records:
        np.testing.assert_array_equal(one.clip(record.id).weights, two.clip(record.id).weights)


def test_missing_codes_and_another_flame(tmp_path, codes, flame, capsys):
    write_recording(tmp_path / "tree", "M003", "sad", 2, 9)
    options = ("--reconstruction", "emoca", codes, "--face")
    assert prepare(tmp_path / "tree", tmp_path / "corpus", *options, flame) == 0
    lost = (tmp_path / "corpus" / "lost.txt").read_text()
    assert "mead-M003-front-sad-2-009\tthere are no codes" in lost
    capsys.readouterr()
    arrays = flame_arrays(Face.load())
    arrays["v_template"] = 1.01 * arrays["v_template"]
    write_flame(tmp_path / "other.pkl", arrays)
    assert prepare(tmp_path / "tree", tmp_path / "corpus", *options, tmp_path / "other.pkl") == 2
    assert "was prepared with flame" in capsys.readouterr().err


# Arrays of vertices


def head():
    """A small mesh: the skin of the Mien head."""
    face = Face.load()
    count = face.parts["skin"].stop
    triangles = face.triangles[(face.triangles < count).all(axis=1)]
    return face, face.template[:count], triangles, count


def test_a_mesh_and_its_arrays_make_a_face_and_clips(tmp_path, capsys):
    """Three planted movements: three components hold them, and the clip shows what was planted."""
    face, template, triangles, count = head()
    units = [face.unit_names.index(name) for name in ("jawOpen", "mouthPucker", "browInnerUp")]
    lines = [f"v {x} {y} {z}\n" for x, y, z in template]
    lines += [f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in triangles]
    (tmp_path / "mesh.obj").write_text("".join(lines))
    shown = {}
    for label in ("neutral", "happy"):
        write_recording(tmp_path / "tree", "M003", label, 1, 1)
        time = np.arange(PICTURES)[:, None] / 5
        amounts = 0.3 + 0.3 * np.sin(time * [1, 1.7, 0.6]) * (label == "happy")
        shown[label] = template + np.tensordot(amounts, face.unit_deltas[units, :count], 1)
        path = tmp_path / "arrays" / "M003" / "front" / label / "level_1" / "001.npy"
        path.parent.mkdir(parents=True)
        np.save(path, shown[label].astype(np.float32))
    options = ("--vertices", tmp_path / "arrays", "--face", tmp_path / "mesh.obj")
    assert prepare(tmp_path / "tree", tmp_path / "corpus", *options) == 0
    assert "0.00" in capsys.readouterr().err
    corpus = Corpus(tmp_path / "corpus")
    assert corpus.face.signed
    assert 3 <= len(corpus.face.unit_names) <= 100
    clip = corpus.clip("mead-M003-front-happy-1-001")
    found = corpus.face.weights_to_vertices(clip.weights[::6])
    wanted = shown["happy"][::5] - shown["neutral"][0] + template
    assert np.linalg.norm(found - wanted, axis=2)[1:-1].max() < 1.5e-3
    assert len(corpus.face.contact_pairs), "the lips were found by what opens"


def test_arrays_that_are_refused(tmp_path):
    _, template, *_ = head()
    path = tmp_path / "001.npy"
    for shown, match in (
        (np.zeros((3, 5, 3)), r"holds \(3, 5, 3\)"),
        (1e3 * np.stack([template] * 2), "1e\\+03 times as large as the face; metres are wanted"),
        (np.full((2, *template.shape), np.nan), "shows no face"),
    ):
        np.save(path, shown)
        with pytest.raises(MienError, match=match):
            vertices.read(path, template)
    path.write_bytes(b"damaged")
    with pytest.raises(MienError, match="cannot be read as vertices"):
        vertices.read(path, template)
    with pytest.raises(MienError, match="no array of vertices"):
        vertices.find(tmp_path, FIRST)
    some = np.stack([template] * 3)
    some[1, 0, 0] = np.nan
    np.save(path, some)
    np.testing.assert_array_equal(vertices.read(path, template)[0], [0, 2])
