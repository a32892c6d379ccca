"""Both stages, the pack and the animator on a corpus that the test makes; nothing is downloaded."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mien import audio
from mien.animator import Animator, Pack
from mien.data.batches import Batches, _shown
from mien.data.clips import Clip, Corpus, CorpusWriter, Phone
from mien.data.pairs import Quads
from mien.data.wordings import Wordings, pad
from mien.errors import MienError
from mien.face import Face
from mien.model import checkpoint
from mien.model.losses import LossScales
from mien.train import loop, run
from mien.train.recipe import Recipe, StageSettings, read_recipe
from twins import TwinTextEncoder, twin_speech_encoder

RECIPES = Path(__file__).parents[1] / "recipes"
STATES = ("happy", "sad", "neutral")


@pytest.fixture(scope="module")
def face():
    return Face.load()


SAID = ["pau", "m", "aa", "p", "iy", "f", "ow", "b", "ah", "v", "eh", "m", "aa", "p", "pau"]


@pytest.fixture(scope="module")
def corpus(face, tmp_path_factory):
    """Each sentence under three states; the jaw follows the loudness."""
    folder = tmp_path_factory.mktemp("corpus")
    writer = CorpusWriter(folder)
    for sentence in range(8):
        for index, state in enumerate(STATES):
            rng = np.random.default_rng(sentence)
            frames, fps = 90, 30.0
            jaw = np.abs(np.sin(np.arange(frames) / (3 + rng.random()))) * 0.4
            speech = rng.standard_normal(audio.sample_count(frames, fps)) * 0.1
            speech *= np.interp(np.arange(len(speech)), np.linspace(0, len(speech), frames), jaw)
            weights = np.zeros((frames, len(face.unit_names)), np.float32)
            weights[:, face.unit_names.index("jawOpen")] = jaw
            for side in ("Left", "Right"):
                unit = {"happy": "mouthSmile", "sad": "mouthFrown"}.get(state)
                if unit:
                    weights[:, face.unit_names.index(unit + side)] = 0.6
            split = "train" if sentence < 6 else "validation"
            writer.add(
                Clip(
                    id=f"{sentence}-{index}", sentence=f"sentence {sentence}", sentence_id=sentence,
                    actor="twin", voice="noise", rate=1.0, emotion=state, level=1.0, fps=fps,
                    frames=frames, steady=(0, frames), split=split,
                    provenance={"prosody": "independent", "style": {}},
                    speech=speech.astype(np.float32), weights=face.limit(weights),
                    phones=[
                        Phone(name, 0.2 * place, 0.2 * (place + 1))
                        for place, name in enumerate(SAID)
                    ],
                )
            )  # fmt: skip
    return Corpus(folder)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return read_recipe(RECIPES / "tiny.json")


@pytest.fixture(scope="module")
def wordings(face) -> Wordings:
    encoder = TwinTextEncoder()
    return Wordings(encoder, face, split="validation", composed=40)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(recipe, corpus, tmp_path_factory) -> Path:
    """The folder of a finished run, made with twins of the encoders."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "speech_encoder", lambda *_, **__: twin_speech_encoder())
        patch.setattr(run, "text_encoder", lambda *_, **__: TwinTextEncoder())
        assert run.train_run(recipe, corpus, folder) == folder / "tiny.mien"
    return folder


def test_a_run_ends_in_a_pack_that_animates(recipe, corpus, face, finished):
    """ONNX and PyTorch make the same animation from the same features, to 1e-4."""
    pack = Pack.read(finished / "tiny.mien")
    animator = Animator(pack, face, twin_speech_encoder(), TwinTextEncoder())  # type: ignore[arg-type]
    speech = corpus.clip("0-0").speech
    features = animator.encode_speech(speech)
    made = animator.run(features, "a wide smile", strength=0.7)

    trainee = run.load_trained(recipe, face, finished)
    trainee.step.eval()
    tokens, padding = pad([TwinTextEncoder().encode("a wide smile")])
    with torch.no_grad():
        text = trainee.text2exp.pooler(torch.tensor(tokens), torch.tensor(padding))
    reach = recipe.model.speech_reach
    around = np.pad(features, ((reach, reach), (0, 0)), mode="edge")[None]
    wanted = trainee.run_free(torch.tensor(around), text, torch.tensor([[0.7]]))[0]
    scale = trainee.scale
    assert np.abs(made).max() > 0
    assert np.abs(made / scale - wanted.numpy() / scale).max() < 1e-4

    animation = animator.animate(speech, "a wide smile")
    assert animation.weights.shape == (90, 52)
    assert 0 <= animation.weights.min() <= animation.weights.max() <= 1
    assert {"recipe.json", "run.json", "diff-0.patch", "log.jsonl"} <= {
        p.name for p in finished.iterdir()
    }
    rows = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert {"reconstruction", "cross", "content", "expression", "contact"} <= rows[0].keys()
    assert {
        "face",
        "embedding",
        "contact",
        "velocity",
        "reading",
        "naming",
        "free_error",
        "read_rightly",
    } <= rows[-1].keys()


def test_a_pack_of_another_face_is_refused(face, finished):
    pack = Pack.read(finished / "tiny.mien")
    other = dataclasses.replace(pack, card=dataclasses.replace(pack.card, face="0" * 64))
    with pytest.raises(MienError, match="was trained with face"):
        Animator(other, face, twin_speech_encoder(), TwinTextEncoder())  # type: ignore[arg-type]


def test_a_run_folder_takes_no_second_recipe(recipe, corpus, finished):
    with pytest.raises(MienError, match="holds a run of another recipe"):
        run.train_run(dataclasses.replace(recipe, name="other"), corpus, finished)


def line(steps: int) -> tuple[loop.Stage, torch.nn.Module]:
    """A stage that fits a line to points drawn by the step's own generator."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)

    def losses(rng):
        x = torch.tensor(rng.standard_normal((16, 3)), dtype=torch.float32)
        return {
            "face": (model(x + 0.1 * torch.randn_like(x)) - x.sum(1, keepdim=True)).square().mean()
        }

    settings = StageSettings(
        steps=steps, learning_rate=0.3, warmup=2, checkpoint_every=4, evaluate_every=10
    )
    return loop.Stage("line", {"model": model}, losses, lambda: {}, settings, LossScales()), model


def test_a_killed_run_resumes_with_nothing_lost(tmp_path):
    """Step for step the same parameters as a run that was never stopped."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    whole, never_stopped = line(30)
    loop.train(whole, tmp_path / "a")
    for stop in (7, 11, None):
        part, resumed = line(30)
        loop.train(part, tmp_path / "b", stop_after=stop)
    for a, b in zip(never_stopped.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
    weight = next(never_stopped.parameters())
    assert (weight - 1).abs().max() < 0.2  # and it learned the line


def test_a_damaged_checkpoint_is_one_sentence(tmp_path):
    path = tmp_path / "x.safetensors"
    checkpoint.save(path, {"model": torch.nn.Linear(2, 2)}, {"scale": 1.0})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(MienError, match="cannot read the weights"):
        checkpoint.load(path, {"model": torch.nn.Linear(2, 2)})


def test_weights_load_strictly(tmp_path):
    path = tmp_path / "x.safetensors"
    checkpoint.save(path, {"model": torch.nn.Linear(2, 2)}, {})
    with pytest.raises(MienError, match="does not fit model"):
        checkpoint.load(path, {"model": torch.nn.Linear(3, 2)})


@pytest.fixture(scope="module")
def batches(corpus, face, wordings):
    """Features that name their row, so that a wrong row shows."""
    total = sum(record.frames for record in corpus.records)
    heard = np.broadcast_to(np.arange(total, dtype=np.float32)[None, :, None], (1, total, 384))
    return Batches(corpus, heard, face, wordings, split="train", reach=3)


def test_a_crop_hears_what_it_shows(batches, corpus, face):
    batch = batches.draw(np.random.default_rng(0), 8, 20, start=0.0)
    shown = np.concatenate(
        [face.weights_to_coefficients(corpus.clip(r.id).weights) for r in corpus.records]
    )
    for i in range(8):
        first = int(batch.speech[i, 3, 0])
        assert np.allclose(batch.coefficients[i], shown[first : first + 20])
        if first % 90:
            assert np.allclose(batch.before[i], shown[first - 1])


def test_a_crop_at_the_start_comes_from_the_template(batches):
    batch = batches.draw(np.random.default_rng(0), 8, 20, start=1.0)
    assert not batch.before.any()
    assert (batch.speech[:, :4, 0] % 90 == 0).all()  # before the clip, its first frame is heard


def test_a_switch_shows_n_before_and_m_after(batches, corpus, face):
    """Before the change all is clip n's, after it all is clip m's; n is heard throughout."""
    quads = Quads.from_corpus(corpus, face)
    crossing = quads.crossings(np.random.default_rng(0), 6, 24)
    batch = batches.draw_switch(np.random.default_rng(0), quads, 6, 24, lagging=0.0)
    assert batch.mix is not None
    assert batch.late is not None
    assert np.allclose(batch.late, batch.coefficients)
    assert len(batch.tokens) == 12
    for i in range(6):
        before, after = batch.mix[i] == 0, batch.mix[i] == 1
        assert before.any()
        assert after.any()
        assert (np.diff(batch.mix[i]) >= 0).all()
        assert np.allclose(batch.coefficients[i, before], crossing.shown_n[i, before])
        assert np.allclose(batch.coefficients[i, after], crossing.shown_m[i, after], atol=1e-6)
        clip = batches.clips[crossing.n[i]]
        assert batch.speech[i, 3, 0] == clip.start + crossing.start[i]  # n is heard


def test_a_late_face_turns_later(batches, corpus, face):
    """Where the words have turned it is still clip n's, for as many frames as it lags."""
    quads = Quads.from_corpus(corpus, face)
    crossing = quads.crossings(np.random.default_rng(0), 12, 24)
    batch = batches.draw_switch(np.random.default_rng(0), quads, 12, 24, lagging=1.0)
    assert batch.mix is not None
    assert batch.late is not None
    waiting = 0
    for i in range(12):
        still = np.isclose(batch.late[i], crossing.shown_n[i], atol=1e-7).all(1)
        assert still[batch.mix[i] == 0].all()
        waiting += int((still & (batch.mix[i] == 1)).sum())
    assert waiting > 40


def test_wording_and_level_together_mean_the_clip(batches):
    """'slightly' at level 1 is the clip at 0.4: the product of both is the clip's level."""
    rng = np.random.default_rng(0)
    clip = next(c for c in batches.clips if c.emotion == "happy")
    for _ in range(200):
        wording, level = batches._described(rng, clip)
        assert any(wording is known for known in batches.wordings.of["happy"])
        assert level * wording.level == pytest.approx(clip.level)
        assert 0 < level <= 1.5


def test_a_composed_clip_is_described_by_its_own_words(batches, corpus, face):
    clip = dataclasses.replace(
        corpus.clip("0-0"), emotion="composed", descriptions=["the left eye closing"]
    )
    shown = _shown(clip, 0, face, batches.wordings)
    wording, level = batches._described(np.random.default_rng(0), shown)
    assert np.array_equal(wording.tokens, batches.wordings.encode("the left eye closing").tokens)
    assert level == clip.level


def test_a_decay_is_asked_for_and_an_onset_is_not(corpus, face, batches):
    envelope = np.interp(np.arange(90), [0, 15, 60, 80], [0, 1, 1, 0]).astype(np.float32)
    clip = dataclasses.replace(corpus.clip("0-0"), envelope=envelope, steady=(15, 60))
    held = _shown(clip, 0, face, batches.wordings).held
    assert (held[:60] == 1).all()
    assert np.array_equal(held[60:], envelope[60:])
    early = np.interp(np.arange(90), [0, 15, 30], [0, 0.8, 0]).astype(np.float32)
    clip = dataclasses.replace(clip, envelope=early, steady=(20, 20))  # it never was whole
    held = _shown(clip, 0, face, batches.wordings).held
    assert (held[:15] == 1).all()
    assert np.array_equal(held[15:], early[15:])
