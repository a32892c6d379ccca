"""Recipes, and how they are brought to a corpus: the paper's numbers, epochs, what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.__main__ import main
from mien.data.batches import OWN_SHARE, Batches, _Shown
from mien.data.clips import Clip, Corpus, CorpusWriter
from mien.data.wordings import LabelWordings
from mien.errors import MienError
from mien.face import Face, Labiodental
from mien.model.losses import contact, mean_square
from mien.model.readout import Readout
from mien.train.fitting import described_in, fitted, held_out_split, label_texts
from mien.train.loop import learning_rate
from mien.train.recipe import Recipe, StageSettings, read_recipe, tried, with_epochs
from twins import TwinTextEncoder

RECIPES = Path(__file__).parents[1] / "recipes"
PAPER = read_recipe(RECIPES / "paper.json")
FRAMES = 30


def test_the_paper_s_numbers():
    """Jung, Chun, Noh 2024: Eqs. 5 and 8, Adam, 2000 epochs of each stage, wav2vec 2.0 and CLIP."""
    losses = PAPER.losses
    first = (losses.reconstruction, losses.cross, losses.content, losses.expression)
    assert first == (1, 1, 1e-6, 1e-6)
    assert (losses.margin, losses.face, losses.embedding, losses.metres) == (1, 1, 1e-4, True)
    beside = (losses.contact, losses.units, losses.velocity, losses.reading, losses.naming)
    assert beside == (0,) * 5
    assert (PAPER.stage1.epochs, PAPER.stage1.learning_rate) == (2000, 1e-5)
    assert (PAPER.stage2.epochs, PAPER.stage2.learning_rate) == (2000, 1e-4)
    for stage in (PAPER.stage1, PAPER.stage2):
        assert (stage.weight_decay, stage.decay, stage.warmup, stage.epsilon) == (
            0,
            False,
            0,
            1e-15,
        )
    assert [getattr(PAPER, name).steps for name in ("tuning", "reading", "demands")] == [0, 0, 0]
    assert (PAPER.encoders.speech, PAPER.encoders.text) == ("wav2vec2", "clip")
    assert PAPER.model.layers == 4


def test_an_epoch_draws_the_frames_of_the_training_clips():
    """The paper's 56,666 training frames: 16 updates of 32 quads of 28 frames, 28 of stage 2."""
    run = with_epochs(PAPER, 56_666)
    assert run.stage1.steps == round(np.ceil(2000 * 56_666 / (4 * 32 * 28)))
    assert run.stage2.steps == round(np.ceil(2000 * 56_666 / (32 * 64)))
    assert with_epochs(run, 10) == run  # done once
    plain = Recipe()
    assert with_epochs(plain, 56_666) == plain


def test_a_trial_shortens_what_is_trained_and_adds_nothing():
    short = tried(PAPER, 2)
    assert (short.stage1.steps, short.stage2.steps) == (2, 2)
    assert short.tuning.steps == short.reading.steps == short.demands.steps == 0
    assert with_epochs(short, 56_666) == short
    assert tried(Recipe(stage1=StageSettings(steps=1)), 2).stage1.steps == 1


def test_a_rate_may_stay():
    settings = StageSettings(steps=100, warmup=0, learning_rate=1e-5, decay=False)
    assert {learning_rate(step, settings) for step in range(100)} == {1e-5}
    assert learning_rate(99, dataclasses.replace(settings, decay=True)) < 1e-8


@pytest.fixture(scope="module")
def corpus(face, tmp_path_factory) -> Corpus:
    """Six clips of two actors: a neutral one, an angry one and one for the test of each."""
    folder = tmp_path_factory.mktemp("labelled")
    writer = CorpusWriter(folder)
    for actor in ("W009", "M003"):
        for k, (emotion, split) in enumerate(
            (("neutral", "train"), ("angry", "train"), ("angry", "test"))
        ):
            writer.add(
                Clip(
                    id=f"{actor}-{k}", sentence="la", sentence_id=1, actor=actor, voice=actor,
                    rate=1.0, emotion=emotion, level=float(k > 0), fps=30.0, frames=FRAMES,
                    steady=(0, FRAMES), split=split, phones=[],
                    speech=np.zeros(16000, np.float32),
                    weights=np.zeros((FRAMES, 52), np.float32),
                )
            )  # fmt: skip
    said = [
        {"clip": f"M003-{k}", "question": "emotion", "segment": [0, 15], "text": text, "model": "m"}
        for k, text in ((1, "He is furious."), (2, "Rage, unseen in training."))
    ]
    (folder / "descriptions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in said))
    labels = {"angry": {"sentences": ["The person is angry."], "words": ["angry", "cross"]}}
    (folder / "labels.json").write_text(json.dumps(labels))
    return Corpus(folder)


def test_the_corpus_decides_sizes_and_actors(corpus):
    recipe = dataclasses.replace(PAPER, corpus=dataclasses.replace(PAPER.corpus, actors=True))
    found = fitted(recipe, corpus, speech_size=768, text_size=512)
    model = found.model
    assert (model.speech_size, model.text_size, model.coefficients) == (768, 512, 52)
    assert model.actors == ("M003", "W009")
    assert found.stage2.steps == np.ceil(2000 * 4 * FRAMES / (32 * 64))
    assert fitted(PAPER, corpus, speech_size=768, text_size=512).model.actors == ()
    one = dataclasses.replace(PAPER, model=dataclasses.replace(PAPER.model, actors=("M003",)))
    assert fitted(one, corpus, speech_size=8, text_size=8).model.actors == ("M003",)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": {"actors": ("M007",)}}, "actor 'M007', who is not in the training split"),
        ({"reading": {"steps": 5}}, "reading.steps of the recipe needs the bank's wordings"),
        ({"corpus": {"again": 0.4}}, "corpus.again of the recipe needs the bank's wordings"),
        ({"tuning": {"steps": 5}}, "tuning.steps of the recipe needs the text encoder minilm"),
    ],
)
def test_what_the_corpus_cannot_train_is_refused(corpus, change, sentence):
    changed = {
        name: dataclasses.replace(getattr(PAPER, name), **values) for name, values in change.items()
    }
    with pytest.raises(MienError, match=sentence):
        fitted(dataclasses.replace(PAPER, **changed), corpus, speech_size=8, text_size=8)


def test_stages_of_the_simulated_actor_need_the_default_head(corpus, face):
    corpus = Corpus(corpus.folder)
    corpus.__dict__["face"] = signed(face)
    found = fitted(PAPER, corpus, speech_size=8, text_size=8)
    assert found.model.coefficients == 6
    with pytest.raises(MienError, match="needs the units of the default head, and this corpus's"):
        fitted(read_recipe(RECIPES / "tiny.json"), corpus, speech_size=8, text_size=8)


def test_labels_are_read_in_training_and_named_in_the_test(corpus):
    texts = label_texts(corpus, "train")
    assert [text for text, _ in texts["angry"]] == ["angry", "The person is angry.", "cross"]
    assert texts["neutral"] == [("neutral", 1.0)]
    assert label_texts(corpus, "test")["angry"] == [("angry", 1.0)]
    assert held_out_split(corpus) == "test"
    assert described_in(corpus, "train") == ["He is furious."]


def test_a_clip_is_described_by_itself_and_by_its_label_half_and_half():
    wordings = LabelWordings(TwinTextEncoder(), {"angry": [("angry", 1.0)]})  # type: ignore
    batches = Batches.__new__(Batches)
    batches.wordings = wordings
    own = [wordings.encode("He is furious.")]
    empty = np.zeros((5, 3), np.float32)
    clip = _Shown("c", "M003", "angry", 1 / 3, empty, np.ones(5), 0, own)
    rng = np.random.default_rng(0)
    drawn = [batches._described(rng, clip) for _ in range(400)]
    assert all(level == pytest.approx(1 / 3) for _, level in drawn)
    share = np.mean([wording is own[0] for wording, _ in drawn])
    assert share == pytest.approx(OWN_SHARE, abs=0.08)
    plain = dataclasses.replace(clip, described=[])
    assert batches._described(rng, plain)[0] is wordings.of["angry"][0]


def test_a_label_without_a_wording_is_said_before_training(corpus, face):
    heard = np.zeros((1, 6 * FRAMES, 8), np.float16)
    known = LabelWordings(TwinTextEncoder(), {"neutral": [("calm", 1.0)]})  # type: ignore[arg-type]
    with pytest.raises(MienError, match=r"known for the clip 'W009-1'.*mien describe"):
        Batches(corpus, heard, face, known, split="train", reach=2)


def test_crops_longer_than_every_clip_are_said(corpus, face):
    heard = np.zeros((1, 6 * FRAMES, 8), np.float16)
    texts = {name: [(name, 1.0)] for name in ("neutral", "angry")}
    known = LabelWordings(TwinTextEncoder(), texts)  # type: ignore[arg-type]
    batches = Batches(corpus, heard, face, known, split="train", reach=2)
    with pytest.raises(MienError, match="crops of 64 frames are longer than every clip"):
        batches.draw(np.random.default_rng(0), 2, 64)


def signed(face: Face) -> Face:
    """A face of six components, without teeth and without pairs of the lips."""
    count, kept = 6, face.basis_vertices
    rows = np.linalg.qr(np.random.default_rng(0).standard_normal((3 * len(kept), count)))[0].T
    deltas = np.zeros((count, *face.template.shape), np.float32)
    deltas[:, kept] = rows.reshape(count, -1, 3)
    nothing = np.zeros(0, np.int32)
    limits = dataclasses.replace(
        face.limits, targets=nothing, sources=np.zeros((0, count), np.float32),
        ceilings=np.zeros(0, np.float32),
    )  # fmt: skip
    return dataclasses.replace(
        face,
        name="components",
        unit_names=tuple(f"component_{k:03d}" for k in range(count)),
        unit_deltas=deltas,
        contact_pairs=np.zeros((0, 2), np.int32),
        contact_normals=np.zeros((0, 3), np.float32),
        labiodental=Labiodental(nothing, nothing),
        limits=limits,
        signed=True,
    )


def test_squares_in_metres_are_those_of_the_vertices(face):
    """The slow twin: mean over frames, counted vertices and axes of the squared difference."""
    for one in (face, signed(face)):
        rng = np.random.default_rng(1)
        found, true = rng.uniform(0, 0.3, (2, 4, len(one.unit_names)))
        vertices = [one.weights_to_vertices(w)[:, one.basis_vertices] for w in (found, true)]
        wanted = np.mean(np.square(np.float64(vertices[0]) - vertices[1]))
        scale = 0.02
        made, target = (
            torch.as_tensor(one.weights_to_coefficients(w) / scale) for w in (found, true)
        )
        got = mean_square(made, target, Readout.of(one), scale, metres=True)
        assert got.item() == pytest.approx(wanted, rel=1e-3)


def test_a_face_without_lips_and_teeth_feels_no_contact(face):
    readout = Readout.of(signed(face))
    drawn = torch.randn(2, 3, 6, requires_grad=True)
    felt = contact(drawn, torch.zeros(2, 3, 6), readout)
    assert felt.item() == 0
    lips = dataclasses.replace(signed(face), contact_pairs=face.contact_pairs,
                               contact_normals=face.contact_normals)  # fmt: skip
    assert contact(drawn, torch.zeros(2, 3, 6), Readout.of(lips)).item() > 0


def test_nothing_is_simulated_into_a_corpus_with_a_face_of_its_own(tmp_path, capsys):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "face.npz").write_bytes(b"somebody")
    run = ("train", str(RECIPES / "tiny.json"), str(tmp_path / "corpus"), str(tmp_path / "run"))
    assert main([*run]) == 2
    assert "train with --corpus-as-it-is" in capsys.readouterr().err
    assert main([*run, "--corpus-as-it-is"]) == 2
    assert "mien simulate or prepare" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
