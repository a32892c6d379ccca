"""The paper's pipeline from end to end: a tree like MEAD's is prepared, described, trained on by
`recipes/paper.json`, measured and animated, through EMOCA's codes on FLAME and through MediaPipe.

Encoders are tiny random models of the real classes, the describing model is a listener on this
machine, and each stage has two updates: what is held here is that the parts fit each other.
"""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from encoder_folders import SPEECH_SIZE, TEXT_SIZE, write_clip, write_wav2vec2
from flame_file import EXPRESSIONS, flame_arrays, masks_of, write_flame
from listener import Listener
from mien import audio
from mien.__main__ import main
from mien.data import describe, pictures
from mien.data.clips import Corpus
from mien.face import Face
from mien.packfile import Pack
from mien.train.recipe import read_recipe

DATA = Path(__file__).parents[2] / "shared" / "data"
RECIPES = Path(__file__).parents[1] / "recipes"
ACTORS = ("M003", "W009")
FRAMES = 150
LOOKS = {"neutral": (), "angry": ("browDownLeft", "browDownRight", "mouthFrownLeft"),
         "happy": ("mouthSmileLeft", "mouthSmileRight")}  # fmt: skip
SMALL = {
    "base": "paper",
    "name": "small",
    "corpus": {"actors": True},
    "model": {"width": 16, "heads": 2, "layers": 1, "feature_size": 8, "text_width": 16},
    "stage1": {"batch": 4, "frames": 8},
    "stage2": {"batch": 4, "frames": 24},
}


@pytest.fixture(scope="module", autouse=True)
def encoders(tmp_path_factory):
    """Folders of tiny models, where users' own copies would be named."""
    folder = tmp_path_factory.mktemp("encoders")
    write_wav2vec2(folder / "wav2vec2")
    write_clip(folder / "clip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIEN_WAV2VEC2", str(folder / "wav2vec2"))
        patch.setenv("MIEN_CLIP", str(folder / "clip"))
        yield


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """The paper's recipe with small networks that tell actors apart."""
    folder = tmp_path_factory.mktemp("recipes")
    shutil.copy(RECIPES / "paper.json", folder)
    (folder / "small.json").write_text(json.dumps(SMALL))
    return folder / "small.json"


@pytest.fixture(scope="module")
def reconstructed(tmp_path_factory) -> Corpus:
    """Two actors seen by EMOCA: two sentences, each neutral, angry and happy, and their sound."""
    folder = tmp_path_factory.mktemp("mead")
    face = Face.load()
    write_flame(folder / "generic_model.pkl", flame_arrays(face))
    (folder / "FLAME_masks.pkl").write_bytes(pickle.dumps(masks_of(face)))
    for actor in ACTORS:
        for label in LOOKS:
            for number in (1, 2):
                write_recording(folder, actor, label, number)
    return prepared(
        folder / "MEAD",
        "--reconstruction", "emoca", folder / "codes",
        "--face", folder / "generic_model.pkl", "--masks", folder / "FLAME_masks.pkl",
    )  # fmt: skip


def write_recording(folder: Path, actor: str, label: str, number: int) -> None:
    """A sentence whose jaw goes with its loudness, its look there after a third of a second."""
    rng = np.random.default_rng([number, ACTORS.index(actor)])
    times = np.arange(FRAMES) / 30
    jaw = np.abs(np.sin(times * (5 + number))) * np.sin(np.pi * times / times[-1])
    level = 1 if label == "neutral" else 3
    place = Path(label, f"level_{level}", f"{number:03d}")
    sound = rng.standard_normal(audio.sample_count(FRAMES, 30.0)) * 0.1
    sound *= np.interp(np.linspace(0, 1, len(sound)), np.linspace(0, 1, FRAMES), jaw)
    path = folder / "MEAD" / actor / "audio" / f"{place}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write_wav(path, sound.astype(np.float32))
    expression = np.zeros((FRAMES, len(EXPRESSIONS)))
    for unit in LOOKS[label]:
        expression[:, EXPRESSIONS.index(unit)] = 0.8 * np.clip(3 * times, 0, 1)
    pose = np.zeros((FRAMES, 6))
    pose[:, 3] = 0.25 * jaw
    codes = folder / "codes" / actor / "front" / place
    codes.mkdir(parents=True)
    np.save(codes / "exp.npy", expression)
    np.save(codes / "pose.npy", pose)


def prepared(root: Path, *options) -> Corpus:
    """Prepare and describe a tree; the corpus lies beside it."""
    folder = root.with_name("corpus")
    mien("prepare", "mead", root, folder, *options, "--groups", "numbers")
    with pytest.MonkeyPatch.context() as patch, Listener() as listener:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(describe, "_drawing", lambda folder: (Corpus(folder).face, None))
        patch.setattr(pictures, "of_face", lambda clip, face, renderer, at: [b"x"] * len(at))
        at = ("--endpoint", f"{listener.address}/v1", "--yes")
        mien("describe", folder, "--model", "seer", *at, "--pieces", 1, "--pictures", 1)
    return Corpus(folder)


def mien(*arguments) -> None:
    assert main([str(argument) for argument in arguments]) == 0


def trained(recipe: Path, corpus: Corpus, run: Path) -> Pack:
    """Train two updates of each stage."""
    mien("train", recipe, corpus.folder, run, "--updates", 2)
    return Pack.read(run / f"{read_recipe(recipe).name}.mien")


def animated(corpus: Corpus, pack: Path, output: Path, *options) -> np.ndarray:
    """Animate half a second of noise on the corpus's face; return the vertices (T, V, 3)."""
    sound = output.with_suffix(".wav")
    noise = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    audio.write_wav(sound, 0.1 * noise)
    path = corpus.folder / "face.npz"
    face = ("--face", path) if path.exists() else ()
    mien("animate", sound, "seething", "-o", output, "--pack", pack, *face, *options)
    with np.load(output) as arrays:
        return arrays["vertices"]


def test_the_paper_s_recipe_on_emoca_s_codes(reconstructed, tmp_path, capsys):
    corpus = reconstructed
    assert len(corpus.records) == 12
    assert {record.split for record in corpus.records} == {"train", "test"}
    assert {record.emotion for record in corpus.records} == set(LOOKS)
    assert all(record.descriptions for record in corpus.records)
    assert corpus.face.signed

    pack = trained(RECIPES / "paper.json", corpus, tmp_path / "run")
    card = pack.card
    assert card.face == corpus.face.fingerprint
    assert card.coefficients == len(corpus.face.unit_names)
    assert card.speech_encoder.startswith("wav2vec2 ")
    assert card.text_encoder.startswith("clip ")
    assert (card.speech_size, card.text_features[1]) == (SPEECH_SIZE, TEXT_SIZE)
    assert pack.known is not None
    assert "Seething anger." in pack.known.texts
    assert pack.demands is pack.tuning is None
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").open()]
    assert [row["stage"] for row in log] == ["stage1", "stage2"]
    first, second = log
    assert 0 < first["reconstruction"] < 1e-4  # square metres
    assert first["content"] > 0.1
    assert 0 < second["face"] < 1e-4
    assert np.isfinite(second["free_error"])

    report = tmp_path / "replay.json"
    mien(
        "evaluate", "replay", corpus.folder, "--pack", tmp_path / "run/paper.mien", "--json", report
    )
    found = json.loads(report.read_text())["by_set"]
    assert 0 < found["lips"]["largest"]["value"] < 0.1
    assert found["face"]["vertices"] == corpus.face.parts["skin"].stop

    vertices = animated(corpus, tmp_path / "run/paper.mien", tmp_path / "made.npz")
    assert vertices.shape == (15, *corpus.face.template.shape)
    assert np.isfinite(vertices).all()
    assert main(["evaluate", "lips", "none", "--pack", str(tmp_path / "run/paper.mien")]) == 2
    assert "trained on another face than the default head" in capsys.readouterr().err


def test_actors_are_told_apart(reconstructed, small, tmp_path):
    pack = trained(small, reconstructed, tmp_path / "run")
    assert pack.card.actors == ACTORS
    path = tmp_path / "run/small.mien"
    shown = [
        animated(reconstructed, path, tmp_path / f"{name}.npz", "--actor", name) for name in ACTORS
    ]
    first, second = shown
    assert not np.array_equal(first, second)
    assert main(["animate", str(tmp_path / "M003.wav"), "glad", "-o", str(tmp_path / "x.npz"),
                 "--pack", str(path), "--actor", "W011",
                 "--face", str(reconstructed.folder / "face.npz")]) == 2  # fmt: skip


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_real_videos_through_mediapipe(small, tmp_path):
    """CREMA-D's six clips of one sentence, called as MEAD would call them."""
    pytest.importorskip("mediapipe", reason="needs mien[track]")
    labels = {"NEU": "neutral", "ANG": "angry", "DIS": "disgusted", "FEA": "fear", "HAP": "happy",
              "SAD": "sad"}  # fmt: skip
    for code, label in labels.items():
        level = 1 if label == "neutral" else 3
        film = tmp_path / "MEAD" / "M003" / "video/front" / label / f"level_{level}" / "001.mp4"
        film.parent.mkdir(parents=True)
        shutil.copyfile(DATA / "crema_d" / f"1001_DFA_{code}_XX.flv", film)
    corpus = prepared(
        tmp_path / "MEAD",
        "--tracker", "mediapipe", "--model", DATA / "face_landmarker.task",
    )  # fmt: skip
    assert {record.provenance["label"] for record in corpus.records} == set(labels.values())
    assert len({record.sentence_id for record in corpus.records}) == 1
    assert not corpus.face.signed
    pack = trained(small, corpus, tmp_path / "run")
    assert pack.card.actors == ("M003",)
    vertices = animated(corpus, tmp_path / "run/small.mien", tmp_path / "made.npz")
    assert vertices.shape == (15, *corpus.face.template.shape)
    assert os.path.exists(corpus.folder / "encoded")
