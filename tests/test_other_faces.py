"""Heads other than the default one: corpora, packs, files and the command line."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glb import Glb, glb_issues
from mien import export
from mien.animation import Animation
from mien.animator import Animator
from mien.camera import Camera, project, to_camera
from mien.data.clips import Corpus, CorpusWriter
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face, Labiodental
from mien.packfile import Pack
from mien.render import Renderer
from mien.train import run
from packs import TINY, write_random_pack
from signed import MOVES, signed_face
from terminal import FRAMES, assert_one_sentence, contents
from test_clips import make_clip
from twins import TwinTextEncoder, twin_speech_encoder

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture(scope="module")
def six(face):
    return signed_face(face)


@pytest.fixture(scope="module")
def animation(six):
    phase = np.arange(20)[:, None] * (0.1 + 0.05 * np.arange(len(MOVES)))
    return Animation((0.05 * np.sin(phase)).astype(np.float32), 30.0, six)


# The face itself


def test_a_signed_face_comes_back_from_its_file(six, tmp_path):
    six.save(tmp_path / "face.npz")
    back = Face.load(tmp_path / "face.npz")
    assert back.signed
    assert not back.has_teeth
    assert back.fingerprint == six.fingerprint
    np.testing.assert_array_equal(back.unit_deltas, six.unit_deltas)


def test_its_weights_have_no_bounds_and_fit_exactly(six):
    weights = np.random.default_rng(0).standard_normal((2, 5, 6)).astype(np.float32)
    np.testing.assert_array_equal(six.limit(weights), weights)
    back = six.coefficients_to_weights(six.weights_to_coefficients(weights))
    np.testing.assert_allclose(back, weights, atol=1e-5)
    vertices = six.weights_to_vertices(weights)
    np.testing.assert_allclose(six.vertices_to_weights(vertices), weights, atol=1e-4)
    with pytest.raises(MienError, match="'six ways' cannot smooth"):
        six.coefficients_to_weights(weights, smoothing=1.0)


def test_errors_in_its_weights_are_errors_of_its_vertices(six):
    one, other = np.random.default_rng(1).standard_normal((2, 6)).astype(np.float32)
    apart = six.weights_to_vertices(one) - six.weights_to_vertices(other)
    assert np.square(apart).sum() == pytest.approx(np.square(one - other).sum(), rel=1e-4)


def test_more_than_255_units_are_numbered_rightly(six, tmp_path):
    """A byte holds no more, and component 256 would have come back as component 0."""
    count = 300
    deltas = np.zeros((count, *six.template.shape), np.float32)
    deltas.reshape(count, -1)[np.arange(count), np.arange(count)] = 1.0
    names = tuple(f"component_{k:03d}" for k in range(count))
    limits = dataclasses.replace(six.limits, sources=np.zeros((0, count), np.float32))
    many = dataclasses.replace(six, unit_names=names, unit_deltas=deltas, limits=limits)
    many.save(tmp_path / "many.npz")
    back = Face.load(tmp_path / "many.npz")
    np.testing.assert_array_equal(back.unit_deltas.reshape(count, -1).argmax(1), np.arange(count))


def test_a_face_without_lips_has_no_gap(face):
    mute = dataclasses.replace(
        face, contact_pairs=face.contact_pairs[:0], contact_normals=face.contact_normals[:0]
    )
    assert np.isnan(mute.gap(face.template[None])).all()


def test_units_that_are_sums_of_others_are_named_as_such(face):
    deltas = face.unit_deltas.copy()
    deltas[5] = deltas[4] + deltas[6]
    double = dataclasses.replace(face, unit_deltas=deltas)
    with pytest.raises(MienError, match="are not independent"):
        _ = double.unit_coefficients


# Corpora


def test_a_corpus_knows_its_face(tmp_path, six):
    clip = make_clip(weights=np.random.default_rng(2).normal(size=(40, 6)).astype(np.float32))
    writer = CorpusWriter(tmp_path, six)
    writer.add(clip)
    corpus = Corpus(tmp_path)
    assert corpus.face.fingerprint == six.fingerprint
    np.testing.assert_array_equal(corpus.clip("a").weights, clip.weights)
    with pytest.raises(MienError, match=r"weights are \(40, 52\); \(40, 6\) finite ones"):
        writer.add(make_clip("b"))
    again = CorpusWriter(tmp_path)
    assert (again.done, again.face.name) == ({"a"}, "six ways")


def test_clips_of_two_faces_never_share_a_folder(tmp_path, six, face):
    CorpusWriter(tmp_path / "ours").add(make_clip())
    with pytest.raises(MienError, match="are of the face 'mien', not of 'six ways'"):
        CorpusWriter(tmp_path / "ours", six)
    CorpusWriter(tmp_path / "theirs", six)
    with pytest.raises(MienError, match="are of the face 'six ways', not of 'mien'"):
        CorpusWriter(tmp_path / "theirs", face)
    CorpusWriter(tmp_path / "default", face).add(make_clip())
    assert not (tmp_path / "default" / "face.npz").exists()
    assert Corpus(tmp_path / "default").face.fingerprint == face.fingerprint


# Files


def test_glb_scales_components_and_shows_the_same_vertices(tmp_path, animation):
    """An amount of 1 is a metre: as a morph target it would leave nothing of the normals."""
    export.save(animation, tmp_path / "a.glb")
    glb = Glb(tmp_path / "a.glb")
    sampler = glb.gltf.animations[0].samplers[0]
    weights = glb.array(sampler.output).reshape(20, -1)
    np.testing.assert_allclose(np.abs(weights).max(axis=0), 1.0, atol=1e-6)
    assert weights.min() < -0.5
    found: Any = glb.gltf.meshes[0]
    for primitive, part in zip(found.primitives, animation.face.parts.values(), strict=True):
        shown = glb.array(primitive.attributes.POSITION)
        for weight, target in zip(weights[13], primitive.targets, strict=True):
            shown = shown + weight * glb.array(target["POSITION"])
        assert np.abs(shown - animation.vertices(13, 14)[0][part]).max() < 2e-6


def test_glb_of_components_is_valid(tmp_path, animation):
    export.save(animation, tmp_path / "a.glb")
    assert glb_issues(tmp_path / "a.glb") == "0 0"


def test_vertices_of_components(tmp_path, animation):
    export.save(animation, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as found:
        expected = animation.face.weights_to_vertices(animation.weights)
        np.testing.assert_allclose(found["vertices"], expected, atol=1e-7)
        assert found["unit_names"][5] == "component_005"


def test_an_open_mouth_without_a_cavity_is_dark(face):
    """Through it one saw the background."""
    skin = face.parts["skin"]
    bare = dataclasses.replace(
        face,
        parts={"skin": skin},
        template=face.template[skin],
        colors=face.colors[skin],
        triangles=face.triangles[(face.triangles < skin.stop).all(axis=1)],
        unit_deltas=face.unit_deltas[:, skin],
        basis_vertices=np.arange(skin.stop, dtype=np.int32),
        regions={"lips": face.regions["lips"]},
        labiodental=dataclasses.replace(
            face.labiodental, lip=np.zeros(0, np.int32), teeth=np.zeros(0, np.int32)
        ),
    )
    opened = bare.template + 0.8 * bare.unit_deltas[UNIT_NAMES.index("jawOpen")]
    picture = Renderer(bare, width=240, height=240).render(opened)
    mouth = opened[bare.contact_pairs].mean(axis=(0, 1))
    x, y, _ = project(to_camera(mouth[None], Camera()), Camera(), width=240, height=240)[0]
    inside = picture[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
    assert inside.max() < 40
    assert picture[2, 2].max() > 40, "the background is lighter"


# The command line


def test_a_pack_of_the_mien_head_moves_another_face_by_its_weights(mien_, folder, quick, face):
    longer = dataclasses.replace(
        face, name="longer", template=face.template * np.array([1, 1.2, 1], np.float32)
    )
    wider = dataclasses.replace(longer, unit_deltas=face.unit_deltas * np.float32(1.1))
    wider.save(folder / "wider.npz")
    assert mien_("animate", "hello.wav", "calm", "-o", "own.npz", "--quiet")[0] == 0
    status, _, err = mien_(
        "animate", "hello.wav", "calm", "-o", "a.npz", "--face", "wider.npz", "--quiet"
    )
    assert (status, err) == (0, "")
    with np.load(folder / "own.npz") as own, np.load(folder / "a.npz") as found:
        np.testing.assert_array_equal(found["weights"], own["weights"])
        expected = wider.weights_to_vertices(own["weights"])
        np.testing.assert_allclose(found["vertices"], expected, atol=1e-6)


def test_a_pack_of_a_signed_face_runs_on_it(mien_, folder, quick, six):
    six.save(folder / "face.npz")
    settings = dataclasses.replace(TINY, coefficients=6)
    write_random_pack(folder / "six.mien", six, settings=settings)
    options = ("--pack", "six.mien", "--face", "face.npz", "--quiet")
    outputs = ("-o", "a.npz", "-o", "a.glb", "-o", "a.mp4")
    status, out, err = mien_("animate", "hello.wav", "calm", *outputs, *options, pack=None)
    assert (status, err) == (0, "")
    assert out.split() == ["a.npz", "a.glb", "a.mp4"]
    with np.load(folder / "a.npz") as found:
        assert found["weights"].shape == (FRAMES, 6)
        assert found["weights"].min() < 0
    before = contents(folder)
    status, _, err = mien_("animate", "hello.wav", "calm", "-o", "b.csv", *options, pack=None)
    assert status != 0
    assert "has no unit 'eyeBlinkLeft', which .csv needs" in err
    assert_one_sentence(err)
    assert contents(folder) == before


def test_a_face_that_the_pack_cannot_move_is_refused_first(mien_, folder, quick, six):
    six.save(folder / "face.npz")
    before = contents(folder)
    status, _, err = mien_("animate", "hello.wav", "calm", "-o", "a.npz", "--face", "face.npz")
    assert status != 0
    assert "cannot drive 'six ways'" in err
    assert_one_sentence(err)
    status, _, err = mien_("animate", "hello.wav", "calm", "-o", "a.npz", "--face", "none.pkl")
    assert "there is no file none.pkl" in err
    assert_one_sentence(err)
    assert contents(folder) == before


def test_a_head_that_lacks_a_unit_is_trained_on_and_animated(mien_, folder, face, monkeypatch):
    """As most heads from glTF: no tongue that comes out, no teeth to bite on."""
    deltas = face.unit_deltas.copy()
    deltas[UNIT_NAMES.index("tongueOut")] = 0
    none = np.zeros(0, np.int32)
    bare = dataclasses.replace(
        face, name="bare", unit_deltas=deltas, labiodental=Labiodental(lip=none, teeth=none)
    )
    writer = CorpusWriter(folder / "corpus", bare)
    for number, emotion in enumerate(("happy", "sad") * 3):
        weights = np.zeros((60, 52), np.float32)
        jaw = np.abs(np.sin(np.arange(60) / (3 + number // 2)))
        weights[:, UNIT_NAMES.index("jawOpen")] = 0.4 * jaw
        weights[:, UNIT_NAMES.index("browInnerUp")] = 0.6 * (emotion == "sad")
        clip = make_clip(
            str(number), 60, weights=weights, emotion=emotion, sentence_id=number // 2,
            steady=(0, 60), split="test" if number > 3 else "train",
        )  # fmt: skip
        writer.add(clip)
    monkeypatch.setattr(run, "speech_encoder", lambda *_, **__: twin_speech_encoder())
    monkeypatch.setattr(run, "text_encoder", lambda *_, **__: TwinTextEncoder())
    small = {"width": 16, "heads": 2, "layers": 1, "feature_size": 8, "text_width": 16}
    stages = {"stage1": {"batch": 4, "frames": 8}, "stage2": {"batch": 4, "frames": 24}}
    shutil.copy(RECIPES / "paper.json", folder)
    about = {"base": "paper", "name": "small", "model": small, **stages}
    (folder / "small.json").write_text(json.dumps(about))
    arguments = ("train", "small.json", "corpus", "run", "--updates", "2")
    status, _, err = mien_(*arguments, pack=None)
    assert status == 0, err
    pack = Pack.read(folder / "run" / "small.mien")
    assert (pack.card.coefficients, pack.card.face) == (51, bare.fingerprint)
    animator = Animator(pack, bare, twin_speech_encoder(), TwinTextEncoder())  # type: ignore[arg-type]
    made = animator.animate(make_clip(frames=60).speech, "sad", life=0)
    assert made.weights.shape == (60, 52)
    assert (made.weights[:, UNIT_NAMES.index("tongueOut")] == 0).all()
    assert np.ptp(made.weights, axis=0).max() > 0
