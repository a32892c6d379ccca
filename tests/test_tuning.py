"""Tuning of the text encoder: what is learned, and how it gets into the installed weights."""

import dataclasses
import io
import json

import numpy as np
import pytest
import torch

from mien import packfile, tuning
from mien.animator import Animator
from mien.errors import MienError
from mien.face import Face
from mien.features import TextEncoder
from mien.model.losses import LossScales
from mien.model.minilm import Differences, MiniLM
from mien.packfile import Pack
from mien.train.recipe import CorpusSettings, Recipe, StageSettings
from mien.train.tuning import WEIGHTS, load_tuning, train_tuning
from packs import write_random_pack
from twins import TwinTextEncoder, twin_speech_encoder

TEXTS = ("quietly furious, jaw clenched", "left eye closed", "neutral")


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder.load()


@pytest.fixture(scope="module")
def model(encoder) -> MiniLM:
    return MiniLM(encoder.model, "cpu")


def tokens(model: MiniLM, encoder: TextEncoder, text: str, differences: Differences) -> np.ndarray:
    differences.eval()
    ids = torch.tensor([encoder.ids(text)])
    with torch.no_grad():
        return model(ids, torch.zeros(ids.shape), differences)[0].numpy()


def learned(model: MiniLM, size: float) -> Differences:
    torch.manual_seed(0)
    differences = Differences(model.sizes, 4)
    for b in differences.b:
        b.data.normal_(0, size)
    return differences


@pytest.mark.parametrize("text", TEXTS)
def test_pytorch_reads_as_onnx_does(model, encoder, text):
    untouched = Differences(model.sizes, 4)
    assert np.abs(tokens(model, encoder, text, untouched) - encoder.encode(text)).max() < 1e-4


@pytest.mark.parametrize("text", TEXTS)
def test_differences_in_the_installed_weights_do_what_they_did_in_training(model, encoder, text):
    """To what is lost by rounding to int8 again; the untuned encoder is much further away."""
    differences = learned(model, 0.03)
    wanted = tokens(model, encoder, text, differences)
    tuned = encoder.tuned(differences.arrays()).encode(text)
    power = np.mean(wanted**2)
    assert np.mean((tuned - wanted) ** 2) < 0.003 * power
    assert np.mean((encoder.encode(text) - wanted) ** 2) > 0.03 * power


def test_no_difference_changes_nothing(model, encoder):
    tuned = encoder.tuned(Differences(model.sizes, 4).arrays())
    assert np.abs(tuned.encode("happy") - encoder.encode("happy")).max() < 1e-3


def test_our_reading_of_onnx_agrees_with_its_library(encoder):
    """The slow twin: the onnx package finds the same tensors with the same bytes."""
    onnx = pytest.importorskip("onnx")
    tensors = onnx.load_from_string(encoder.model).graph.initializer
    found = tuning.initializers(encoder.model)
    raw = {t.name: t.raw_data for t in tensors if t.raw_data}
    assert found.keys() == raw.keys()
    for name, (start, stop) in found.items():
        assert encoder.model[start:stop] == raw[name]


def float_model() -> bytes:
    """One linear layer of float32, written as the hub's file writes it: the bias first."""
    onnx = pytest.importorskip("onnx")
    helper, numpy = onnx.helper, onnx.numpy_helper
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    bias = "encoder.layer.0.output.dense.bias"
    value = [helper.make_tensor_value_info(n, 1, s) for n, s in (("x", [1, 2]), ("y", [1, 3]))]
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "onnx::MatMul_7"], ["product"]),
            helper.make_node("Add", [bias, "product"], ["y"]),
        ],
        "g", value[:1], value[1:],
        [numpy.from_array(weight, "onnx::MatMul_7"), numpy.from_array(np.ones(3, "f"), bias)],
    )  # fmt: skip
    return helper.make_model(graph).SerializeToString()


def test_float_weights_are_changed_without_rounding():
    layer = "encoder.layer.0.output.dense"
    a, b = np.array([[1.0, 0.5]], np.float16), np.array([[1.0], [0.0], [2.0]], np.float16)
    model = tuning.merged(float_model(), {f"{layer}.a": a, f"{layer}.b": b})
    wanted = np.arange(6, dtype=np.float32).reshape(2, 3) + tuning.GAIN * (b @ a).T
    found = tuning.weight_of(model, tuning.linears(model)[layer], inputs=2)
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("model", [b"", b"no protobuf at all", b"\x0a\xff\xff\xff\xff\x7f"])
def test_damaged_models_are_refused(model):
    with pytest.raises(ValueError):  # noqa: PT011 - `tuned` says more
        tuning.linears(model)


def test_a_tuning_of_another_encoder_is_one_sentence(encoder):
    other = {
        "encoder.layer.9.output.dense.a": np.zeros((4, 8), np.float16),
        "encoder.layer.9.output.dense.b": np.zeros((8, 4), np.float16),
    }
    with pytest.raises(MienError, match="does not fit the text encoder"):
        encoder.tuned(other)
    ours = {name.replace(".9.", ".0."): values for name, values in other.items()}
    flat = {name: values.ravel() for name, values in ours.items()}
    for wrong in (ours, flat):
        with pytest.raises(MienError, match="does not fit the text encoder"):
            encoder.tuned(wrong)


class Tunable(TwinTextEncoder):
    """A twin that can be tuned: it says what it was tuned with."""

    tuned_with = None

    def tuned(self, differences):
        encoder = Tunable()
        encoder.tuned_with = differences
        return encoder


def test_a_pack_carries_its_tuning_and_the_animator_uses_it(tmp_path):
    face = Face.load()
    path = write_random_pack(tmp_path / "random.mien", face)
    differences = {"encoder.layer.0.output.dense.a": np.ones((2, 3), np.float16)}
    dataclasses.replace(Pack.read(path), tuning=differences).write(path)
    pack = Pack.read(path)
    assert pack.tuning is not None
    assert pack.tuning.keys() == differences.keys()
    animator = Animator(pack, face, twin_speech_encoder(), Tunable())  # type: ignore[arg-type]
    assert animator.text_encoder.tuned_with is pack.tuning  # type: ignore[attr-defined]


@pytest.mark.parametrize("values", [np.full((2, 3), np.nan, np.float16), np.ones((2, 3), int)])
def test_a_tuning_that_is_no_tuning_is_refused(tmp_path, values):
    path = write_random_pack(tmp_path / "random.mien", Face.load())
    layer = "encoder.layer.0.output.dense.a"
    dataclasses.replace(Pack.read(path), tuning={layer: values}).write(path)
    with pytest.raises(MienError, match=r"damaged .*not finite"):
        Pack.read(path)


def test_a_tuning_that_swells_is_refused(monkeypatch):
    swollen = {"encoder.layer.0.output.dense.a": np.zeros((1000, 1000), np.float32)}
    member = io.BytesIO()
    np.savez_compressed(member, **swollen)  # type: ignore[arg-type]
    monkeypatch.setattr(np, "load", None)  # it is refused before anything is unpacked
    monkeypatch.setattr(packfile, "MAX_MEMBER", 1_000_000)
    with pytest.raises(ValueError, match="too large"):
        packfile._tuning(member.getvalue())


def test_tuning_learns_and_is_kept(encoder, tmp_path):
    settings = StageSettings(
        steps=20, batch=16, learning_rate=2e-3, warmup=2, checkpoint_every=10, evaluate_every=10
    )
    losses = LossScales(naming=1.0, reading=1.0)
    recipe = Recipe(tuning=settings, losses=losses, corpus=CorpusSettings(composed=60))
    made = train_tuning(recipe, encoder, folder=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["naming"] < rows[0]["naming"] - 0.05
    kept = load_tuning(recipe, encoder, tmp_path)
    assert (tmp_path / WEIGHTS).exists()
    assert kept.keys() == made.keys()
    assert all(np.array_equal(kept[name], made[name]) for name in made)
