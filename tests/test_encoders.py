"""wav2vec 2.0 and CLIP: tiny random models of the real classes, from folders that tests write."""

import dataclasses
import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from encoder_folders import SPEECH_SIZE, TEXT_SIZE, libraries, write_clip, write_wav2vec2
from mien import animator, audio, encoders
from mien.data import hearing
from mien.data.clips import Corpus, CorpusWriter
from mien.data.known import index_of
from mien.encoders import wav2vec2, weights
from mien.encoders.cache import Cache
from mien.encoders.clip import ClipTextEncoder
from mien.encoders.wav2vec2 import Wav2Vec2Encoder
from mien.errors import MienError
from mien.features import shortened
from mien.packfile import Pack
from packs import TINY, write_random_pack
from test_clips import make_clip
from twins import TwinTextEncoder, twin_speech_encoder

USUAL = ((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
"""Kernels and strides of every published wav2vec 2.0: 400 samples are seen, every 320."""


@pytest.fixture(scope="session")
def heard_by(tmp_path_factory):
    """A folder with a tiny wav2vec 2.0."""
    folder = tmp_path_factory.mktemp("wav2vec2")
    write_wav2vec2(folder)
    return folder


@pytest.fixture(scope="session")
def read_by(tmp_path_factory):
    """A folder with a tiny CLIP text encoder."""
    folder = tmp_path_factory.mktemp("clip")
    write_clip(folder)
    return folder


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache of the hub, and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("MIEN_WAV2VEC2", "MIEN_CLIP"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "hub"


def noise(seconds, seed=0):
    samples = audio.seconds_to_samples(seconds)
    return (0.1 * np.random.default_rng(seed).normal(size=samples)).astype(np.float32)


class Means:
    """Stands for a wav2vec 2.0 whose feature is the mean of the 400 samples that it sees."""

    device = "cpu"
    calls = 0

    def __init__(self, kernels=USUAL[0], strides=USUAL[1]):
        self.config = SimpleNamespace(
            hidden_size=1,
            num_hidden_layers=1,
            num_attention_heads=1,
            hidden_act="gelu",
            feat_extract_norm="group",
            do_stable_layer_norm=False,
            layer_norm_eps=1e-5,
            conv_kernel=kernels,
            conv_stride=strides,
        )

    def named_parameters(self):
        return iter(())

    def __call__(self, values):
        self.calls += 1
        return SimpleNamespace(last_hidden_state=values.unfold(1, 400, 320).mean(-1)[..., None])


# wav2vec 2.0: where its features lie in time


@pytest.fixture
def means():
    libraries()
    return Wav2Vec2Encoder(Means(), normalise=False)


def ramp(seconds):
    """Speech whose value is its time, as a part of 100 s."""
    return (np.arange(audio.seconds_to_samples(seconds)) / audio.SPEECH_RATE / 100).astype(
        np.float32
    )


@pytest.mark.parametrize("phase", [0.0, 0.37, 0.99])
@pytest.mark.parametrize("fps", [30.0, 29.97, 50.0])
def test_a_feature_lies_where_its_sound_is(means, phase, fps):
    """Guards the padding: without it all features would be 12.5 ms early."""
    found = 100 * means.encode(ramp(3.1), fps=fps, phase=phase)[:, 0]
    times = audio.frame_times(len(found), fps)
    inside = (times > 0.04) & (times < 3.1 - 0.04)
    assert found[inside] == pytest.approx(times[inside], abs=1e-4)


@pytest.mark.parametrize("samples", [1_600, 15_999, 16_000, 16_001, 16_319, 154_481])
@pytest.mark.parametrize("phase", [0.0, 0.999])
def test_there_are_as_many_features_as_frames(means, samples, phase):
    for fps in (24.0, 30.0, 240.0):
        found = means.encode(ramp(10.0)[:samples], fps=fps, phase=phase)
        assert found.shape == (audio.frame_count(samples, fps), 1)
        assert found.dtype == np.float32


def test_long_speech_is_heard_in_parts_that_fade_into_each_other(means, monkeypatch):
    """What a part adds is told from its neighbours by a constant of its own."""
    speech = noise(71.3)
    found = means.encode(speech)
    assert means._model.calls > 2
    monkeypatch.setattr(wav2vec2, "CHUNK", 10_000)
    means._model.calls = 0
    assert found == pytest.approx(means.encode(speech), abs=1e-6)
    assert means._model.calls == 1


@pytest.mark.parametrize("count", [1501, 1699, 1700, 1701, 2800, 2801, 4100, 9999])
def test_parts_cover_everything_and_no_step_is_heard(count):
    """Parts that each answer with their own number change slowly from one to the next."""
    total, shares = np.zeros((count, 1)), np.zeros((count, 1))
    starts = wav2vec2._starts(count)
    assert starts == sorted(set(starts))
    for number, start in enumerate(starts):
        share = wav2vec2._share(first=start == 0, last=start + wav2vec2.CHUNK == count)
        total[start : start + wav2vec2.CHUNK] += number * share
        shares[start : start + wav2vec2.CHUNK] += share
    assert shares.min() > 0.9
    assert np.abs(np.diff((total / shares)[:, 0])).max() < 2 / wav2vec2.OVERLAP


def test_another_hop_is_refused():
    with pytest.raises(MienError, match="a feature of every 160 samples; one of every 320"):
        Wav2Vec2Encoder(Means((10, 3, 3, 3, 3, 2), (5, 2, 2, 2, 2, 2)), normalise=False)


# wav2vec 2.0: the real class


def test_it_hears_what_transformers_hears(heard_by):
    """The twin: their reader and model on the whole recording, half a field put before it."""
    torch, transformers = libraries()
    encoder = encoders.speech_encoder("wav2vec2", heard_by)
    speech = noise(2.0)
    reader = transformers.Wav2Vec2FeatureExtractor.from_pretrained(heard_by)
    model = transformers.Wav2Vec2Model.from_pretrained(heard_by).eval()
    read = reader(speech, sampling_rate=16_000).input_values[0]
    with torch.no_grad():
        theirs = model(torch.tensor(np.pad(read, (200, 200)))[None]).last_hidden_state[0].numpy()
    found = encoder.encode(speech, fps=50.0)
    assert (encoder.size, found.shape) == (SPEECH_SIZE, (100, SPEECH_SIZE))
    assert np.std(found, axis=0).min() > 0.01
    assert found == pytest.approx(theirs[:100], abs=1e-5)


def test_loudness_does_not_matter_where_the_model_s_reader_says_so(heard_by, tmp_path):
    speech = noise(1.0)
    deaf = encoders.speech_encoder("wav2vec2", heard_by)
    assert deaf.encode(0.2 * speech) == pytest.approx(deaf.encode(speech), abs=1e-3)
    write_wav2vec2(tmp_path, normalise=False)
    hears = encoders.speech_encoder("wav2vec2", tmp_path)
    assert np.abs(hears.encode(0.2 * speech) - hears.encode(speech)).max() > 0.01
    assert hears.name != deaf.name


def test_silence_is_finite(heard_by):
    silence = np.zeros(16_000, np.float32)
    assert np.isfinite(encoders.speech_encoder("wav2vec2", heard_by).encode(silence)).all()


# Names say which weights


def test_a_name_is_of_the_weights(heard_by, tmp_path):
    name = encoders.speech_encoder("wav2vec2", heard_by).name
    assert name.startswith("wav2vec2 2x24 ")
    shutil.copytree(heard_by, tmp_path / "elsewhere")
    assert encoders.speech_encoder("wav2vec2", tmp_path / "elsewhere").name == name
    write_wav2vec2(tmp_path / "other", seed=1)
    assert encoders.speech_encoder("wav2vec2", tmp_path / "other").name != name


def as_published(folder, change):
    """Put the folder's weights into a .bin file, under names that `change` gives; None: none."""
    torch, _ = libraries()
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    values = {change(name): value for name, value in load_file(path).items()}
    path.unlink()
    torch.save(
        {name: value for name, value in values.items() if name}, folder / "pytorch_model.bin"
    )


def test_ears_as_they_were_published(tmp_path):
    """facebook/wav2vec2-base-960h is a recogniser of 2020: its weight norm has other names, and it
    lacks what only training uses."""

    def published(name):
        for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
            name = name.replace(f"parametrizations.weight.{new}", old)
        return None if "masked" in name else name

    write_wav2vec2(tmp_path, ctc=True)
    new = encoders.speech_encoder("wav2vec2", tmp_path)
    as_published(tmp_path, published)
    old = encoders.speech_encoder("wav2vec2", tmp_path)
    assert old.name == new.name
    assert np.array_equal(old.encode(noise(1.0)), new.encode(noise(1.0)))


def test_reading_as_it_was_published(read_by, tmp_path, capfd):
    """openai/clip-vit-base-patch32 reads and sees, keeps positions as weights, and its tokenizer
    says itself when a text is too long."""
    torch, _ = libraries()
    new = encoders.text_encoder("clip", read_by)
    write_clip(tmp_path, full=True)
    as_published(tmp_path, lambda name: name)
    stored = torch.load(tmp_path / "pytorch_model.bin")
    assert {name.partition(".")[0] for name in stored} >= {"text_model", "vision_model"}
    stored["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    torch.save(stored, tmp_path / "pytorch_model.bin")
    names = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(names))
    old = encoders.text_encoder("clip", tmp_path)
    assert old.name == new.name
    assert np.array_equal(old.encode("Happy hat"), new.encode("Happy hat"))
    capfd.readouterr()
    with pytest.raises(MienError, match="at most 77"):
        old.encode("happy " * 60)
    assert capfd.readouterr() == ("", "")


def test_clip_s_name_is_of_its_words_too(read_by, tmp_path):
    name = encoders.text_encoder("clip", read_by).name
    assert name.startswith("clip 2x16 ")
    swapped = (read_by / "vocab.json").read_text().replace('"ha"', '"ah"')
    shutil.copytree(read_by, tmp_path / "words")
    (tmp_path / "words" / "vocab.json").write_text(swapped)
    (tmp_path / "words" / "merges.txt").write_text("#version: 0.2\na h\n")
    assert encoders.text_encoder("clip", tmp_path / "words").name != name


# CLIP


def test_clip_reads_what_transformers_reads(read_by):
    torch, transformers = libraries()
    encoder = encoders.text_encoder("clip", read_by)
    model = transformers.CLIPTextModel.from_pretrained(read_by).eval()
    ids = encoder.ids("Happy hat,")
    assert len(ids) == 9  # ha p p y, ha t and a comma between begin and end
    assert (ids[0], ids[-1]) == (0, 1)
    with torch.no_grad():
        theirs = model(torch.tensor([ids]))
    assert encoder.encode("Happy hat,") == pytest.approx(
        theirs.last_hidden_state[0].numpy(), abs=1e-5
    )
    pooled = theirs.pooler_output[0].numpy()
    (found,) = encoder.embed(["Happy hat,"])
    assert found == pytest.approx(pooled / np.linalg.norm(pooled), abs=1e-5)
    assert encoder.encode("").shape == (2, TEXT_SIZE)


def test_embeddings_do_not_hang_on_their_neighbours(read_by):
    encoder = encoders.text_encoder("clip", read_by)
    texts = ["happy", "a hat", "glad and calm", "sadly", "joyful"]
    alone = np.concatenate([encoder.embed([text]) for text in texts])
    assert encoder.embed(texts) == pytest.approx(alone, abs=1e-5)
    assert np.linalg.norm(alone, axis=1) == pytest.approx(1)


def test_more_than_clip_can_read_is_refused_and_can_be_shortened(read_by):
    encoder = encoders.text_encoder("clip", read_by)
    long = "happy " * 60
    with pytest.raises(MienError, match="has 242 word pieces; at most 77 can be read"):
        encoder.encode(long)
    short = shortened(long, encoder)
    assert long.startswith(short)
    assert 66 <= len(encoder.ids(short)) <= 77
    assert shortened("a  wide smile", encoder) == "a wide smile"
    assert shortened("x" * 90, encoder) == ""


def test_known_wordings_may_be_longer_than_the_encoder_reads(read_by):
    """Guards the end of a long training: there the pack's known wordings are embedded."""
    encoder = encoders.text_encoder("clip", read_by)
    texts = ["happy", "sad", "calm", "angry", "a smile " * 40]
    known = index_of(texts, ["glad " * 40], encoder)
    assert known.embeddings.shape == (5, TEXT_SIZE)


def test_a_tuning_is_refused_by_clip(read_by):
    encoder = encoders.text_encoder("clip", read_by)
    with pytest.raises(MienError, match="only minilm is tuned"):
        encoder.tuned({})


# The cache


def test_what_was_heard_once_is_not_heard_again(tmp_path):
    libraries()
    model, speech = Means(), noise(1.0)
    encoder = Wav2Vec2Encoder(model, normalise=True, cache=Cache(tmp_path))
    first = encoder.encode(speech)
    plain = Wav2Vec2Encoder(Means(), normalise=True)
    assert first == pytest.approx(plain.encode(speech), abs=1e-3)
    calls = model.calls
    assert np.array_equal(encoder.encode(speech), first)
    encoder.encode(speech, fps=60.0)  # the same features, read at other times
    assert model.calls == calls
    encoder.encode(speech, phase=0.5)
    encoder.encode(noise(1.0, seed=1))
    other = Wav2Vec2Encoder(model, normalise=False, cache=Cache(tmp_path))
    assert not np.array_equal(other.encode(speech), first)
    assert model.calls == calls + 3
    assert len(list(tmp_path.rglob("*"))) == 4 + len([p for p in tmp_path.iterdir() if p.is_dir()])


def test_a_damaged_file_of_the_cache_is_made_again(tmp_path):
    cache = Cache(tmp_path)
    made = []

    def make():
        made.append(1)
        return np.arange(5.0)

    for damage in (None, b"", b"\x93NUMPY\x01\x00 cut", None):
        assert np.array_equal(cache.get(("a", b"b"), make), np.arange(5.0))
        (path,) = tmp_path.rglob("*.npy")
        if damage is not None:
            path.write_bytes(damage)
    assert len(made) == 3


def test_parts_of_a_key_do_not_run_into_each_other(tmp_path):
    cache = Cache(tmp_path)
    keys = [("ab", b"c"), ("a", b"bc"), (b"abc",), ("abc",), (1, 23), (12, 3)]
    for number, key in enumerate(keys):
        cache.get(key, lambda number=number: np.array(number))
    assert [int(cache.get(key, lambda: np.array(-1))) for key in keys] == list(range(len(keys)))


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mien.encoders.cache.np.save", full)
    with pytest.raises(MienError, match=r"cannot be written \(No space left on device\)"):
        Cache(tmp_path).get(("a",), lambda: np.zeros(3))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_text_is_read_once(read_by, tmp_path, monkeypatch):
    encoder = encoders.text_encoder("clip", read_by, cache=tmp_path)
    first = encoder.encode("a hat")
    monkeypatch.setattr(ClipTextEncoder, "_read", lambda *_: pytest.fail("it was read again"))
    assert np.array_equal(encoder.encode(" a\that "), first)


def test_a_killed_hearing_goes_on_where_it_was(tmp_path):
    """Slow ears: what they have heard of a corpus is kept, clip by clip."""
    libraries()
    writer = CorpusWriter(tmp_path / "corpus")
    for clip_id in "abc":
        writer.add(make_clip(clip_id))
    corpus, calls = Corpus(tmp_path / "corpus"), []

    class Dies(Means):
        def __call__(self, values):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return super().__call__(values)

    def hear():
        encoder = Wav2Vec2Encoder(Dies(), normalise=True, cache=Cache(tmp_path / "cache"))
        return hearing.hear(corpus, encoder, phases=2, seed=0)

    with pytest.raises(KeyboardInterrupt):
        hear()
    assert hear().shape == (2, 120, 1)
    assert len(calls) == 1 + 2 * 3


# Where weights lie, and what is wrong with them


def test_by_default_the_hub_s_cache_is_read_without_a_network(heard_by, offline):
    repository = offline / "models--facebook--wav2vec2-base-960h"
    shutil.copytree(heard_by, repository / "snapshots" / "abc123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123")
    found = encoders.speech_encoder("wav2vec2")
    assert found.name == encoders.speech_encoder("wav2vec2", heard_by).name


def test_without_cache_and_network_the_ways_are_named(offline):
    for make, name in ((encoders.speech_encoder, "wav2vec2"), (encoders.text_encoder, "clip")):
        with pytest.raises(MienError, match=r"is not in the hub's cache .*run `hf download \w+/"):
            make(name)


def test_the_environment_says_where_weights_lie(heard_by, offline, monkeypatch):
    monkeypatch.setenv("MIEN_WAV2VEC2", str(heard_by))
    assert encoders.speech_encoder("wav2vec2").size == SPEECH_SIZE
    with pytest.raises(MienError, match="no/where does not exist"):
        encoders.speech_encoder("wav2vec2", "/no/where")


def test_unknown_names(tmp_path):
    with pytest.raises(MienError, match="no speech encoder 'clip'; name one of whisper, wav2vec2"):
        encoders.speech_encoder("clip")
    with pytest.raises(MienError, match="no text encoder 'whisper'; name one of minilm, clip"):
        encoders.text_encoder("whisper")


def test_models_of_another_kind_are_refused_in_words(heard_by, read_by, tmp_path):
    with pytest.raises(MienError, match=r"of type 'clip_text_model'; a wav2vec 2.0 model is want"):
        encoders.speech_encoder("wav2vec2", read_by)
    with pytest.raises(MienError, match=r"of type 'wav2vec2'; a CLIP text encoder is wanted"):
        encoders.text_encoder("clip", heard_by)
    with pytest.raises(MienError, match=r"holds no config.json; give the folder of a CLIP"):
        encoders.text_encoder("clip", tmp_path)


def changed(folder, to, name, change):
    """A copy of a folder with one of its files changed, or removed where `change` gives None."""
    shutil.copytree(folder, to)
    if (content := change((folder / name).read_bytes())) is None:
        (to / name).unlink()
    else:
        (to / name).write_bytes(content)
    return to


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("config.json", lambda old: old[:50], "cannot be loaded"),
        ("model.safetensors", lambda old: old[:900], "cannot be loaded"),
        ("model.safetensors", lambda old: None, "cannot be loaded"),
        ("preprocessor_config.json", lambda old: None, "cannot be loaded"),
        (
            "preprocessor_config.json",
            lambda old: old.replace(b"16000", b"8000"),
            "hears sound of 8000 Hz; one of 16000 Hz",
        ),
        (
            "config.json",
            lambda old: old.replace(b'"hidden_size": 24', b'"hidden_size": 32'),
            "cannot be loaded|lacks",
        ),
        (
            "config.json",
            lambda old: old.replace(b'"num_hidden_layers": 2', b'"num_hidden_layers": 3'),
            r"lacks \d+ parameters of a wav2vec 2.0 model",
        ),
    ],
)
def test_damaged_ears(heard_by, tmp_path, name, change, match):
    folder = changed(heard_by, tmp_path / "damaged", name, change)
    with pytest.raises(MienError, match=match) as caught:
        encoders.speech_encoder("wav2vec2", folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("vocab.json", lambda old: None, "cannot be loaded"),
        ("vocab.json", lambda old: b"{", "cannot be loaded"),
        ("merges.txt", lambda old: None, "cannot be loaded"),
        (
            "vocab.json",
            lambda old: json.dumps({**json.loads(old), "zz": 900}).encode(),
            "tokenizer in .* is of another model",
        ),
        ("model.safetensors", lambda old: old[: len(old) // 2], "cannot be loaded"),
    ],
)
def test_damaged_reading(read_by, tmp_path, name, change, match):
    folder = changed(read_by, tmp_path / "damaged", name, change)
    with pytest.raises(MienError, match=match) as caught:
        encoders.text_encoder("clip", folder)
    assert "\n" not in str(caught.value)


def test_a_bin_file_that_would_run_code_is_refused(heard_by, tmp_path):
    torch, _ = libraries()

    class Runs:
        def __reduce__(self):
            return (open, (str(tmp_path / "it ran"), "w"))

    folder = changed(heard_by, tmp_path / "evil", "model.safetensors", lambda old: None)
    torch.save({"a": Runs()}, folder / "pytorch_model.bin")
    with pytest.raises(MienError, match="cannot be loaded"):
        encoders.speech_encoder("wav2vec2", folder)
    assert not (tmp_path / "it ran").exists()


def test_without_the_extra_it_is_named(monkeypatch, heard_by):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MienError, match=r"pip install 'mien\[paper\]'"):
        encoders.speech_encoder("wav2vec2", heard_by)


def test_what_transformers_says_itself_is_silenced_and_heard_again(heard_by, capfd):
    libraries()
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    encoders.speech_encoder("wav2vec2", heard_by)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


# Packs


@pytest.fixture(scope="module")
def trained(tmp_path_factory, face, heard_by, read_by):
    """A random pack for the tiny encoders."""
    settings = dataclasses.replace(TINY, speech_size=SPEECH_SIZE, text_size=TEXT_SIZE)
    names = (
        encoders.speech_encoder("wav2vec2", heard_by).name,
        encoders.text_encoder("clip", read_by).name,
    )
    path = tmp_path_factory.mktemp("trained") / "foreign.mien"
    return Pack.read(write_random_pack(path, face, settings=settings, encoders=names))


@pytest.fixture
def foreign_pack(trained, tmp_path):
    """Its file."""
    trained.write(tmp_path / "foreign.mien")
    return tmp_path / "foreign.mien"


def test_a_pack_gets_the_encoders_that_it_names(foreign_pack, heard_by, read_by):
    actor = animator.load(foreign_pack, speech_path=heard_by, text_path=read_by)
    made = actor.animate(noise(1.0), "happy")
    assert made.weights.shape == (30, 52)
    assert np.ptp(made.weights, axis=0).max() > 0.01


def test_a_pack_finds_the_folders_that_it_was_trained_with(foreign_pack, heard_by, read_by):
    pack = Pack.read(foreign_pack)
    kept = {"speech": "wav2vec2", "speech_path": str(heard_by), "text_path": str(read_by)}
    card = dataclasses.replace(pack.card, provenance={"encoders": kept})
    dataclasses.replace(pack, card=card).write(foreign_pack)
    assert animator.load(foreign_pack).text_encoder.size == TEXT_SIZE


@pytest.mark.parametrize(
    "provenance", [{}, {"encoders": 3}, {"encoders": {"speech_path": "/gone"}}]
)
def test_folders_that_are_gone_are_no_hint(foreign_pack, offline, provenance):
    pack = Pack.read(foreign_pack)
    card = dataclasses.replace(pack.card, provenance=provenance)
    dataclasses.replace(pack, card=card).write(foreign_pack)
    with pytest.raises(MienError, match=r"wav2vec2-base-960h is not in the hub's cache"):
        animator.load(foreign_pack)


def test_other_weights_are_refused_with_both_names(foreign_pack, read_by, tmp_path):
    write_wav2vec2(tmp_path / "other", seed=1)
    with pytest.raises(MienError) as caught:
        animator.load(foreign_pack, speech_path=tmp_path / "other", text_path=read_by)
    other = encoders.speech_encoder("wav2vec2", tmp_path / "other").name
    for name in (other, Pack.read(foreign_pack).card.speech_encoder):
        assert repr(name) in str(caught.value)


def test_packs_of_other_kinds_are_told_apart(monkeypatch, quick, pack):
    """The default pack's names begin with no kind's name; a twin's is unknown and like them."""
    read = animator.load(pack)
    assert read.speech_encoder.name == twin_speech_encoder().name
    assert isinstance(read.text_encoder, TwinTextEncoder)


def test_sums_hang_on_values_and_shapes_alone():
    torch, _ = libraries()

    def model(**values):
        return SimpleNamespace(named_parameters=lambda: iter(values.items()))

    kind = weights.Pretrained("a model", "a/b", ("m",), unused=("c",))
    one, other = torch.arange(6.0).reshape(2, 3), torch.ones(2)
    found = weights.sum_of(kind, model(a=one, b=other), ["gelu"])
    assert weights.sum_of(kind, model(z=other, a=one, c=one), ["gelu"]) == found
    assert weights.sum_of(kind, model(a=one.T.contiguous(), b=other), ["gelu"]) != found
    assert weights.sum_of(kind, model(a=one + 1e-6, b=other), ["gelu"]) != found
    assert weights.sum_of(kind, model(a=one, b=other), ["relu"]) != found
