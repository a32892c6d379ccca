"""Folders of tiny random models of the real classes, as `save_pretrained` and the hub make them."""

import json
from pathlib import Path

import pytest

SPEECH_SIZE, TEXT_SIZE = 24, 16
LETTERS = "abcdefghijklmnopqrstuvwxyz,.!"


def write_wav2vec2(folder: Path, *, seed: int = 0, ctc: bool = False, normalise: bool = True):
    """Write a wav2vec 2.0 of the usual front end and two tiny layers; return the model."""
    torch, transformers = libraries()
    config = transformers.Wav2Vec2Config(
        hidden_size=SPEECH_SIZE,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        vocab_size=8,
    )
    kind = transformers.Wav2Vec2ForCTC if ctc else transformers.Wav2Vec2Model
    model = _made(torch, seed, lambda: kind(config))
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=normalise).save_pretrained(folder)
    return model


def write_clip(folder: Path, *, seed: int = 0, full: bool = False, words: tuple[str, ...] = ()):
    """Write a CLIP text encoder of two tiny layers, or with pictures, and its tokenizer's files."""
    torch, transformers = libraries()
    vocabulary = ["<|startoftext|>", "<|endoftext|>"]
    vocabulary += [letter + end for letter in LETTERS for end in ("", "</w>")]
    vocabulary += ["ha", *words]
    text = transformers.CLIPTextConfig(
        vocab_size=64 + len(words),
        hidden_size=TEXT_SIZE,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=8,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    seen = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
    }

    def make():
        model = transformers.CLIPTextModel(text)
        if not full:
            return model
        both = transformers.CLIPModel(
            transformers.CLIPConfig(text_config=text.to_dict(), vision_config=seen)
        )
        both.text_model.load_state_dict(model.state_dict())
        return both

    model = _made(torch, seed, make)
    model.save_pretrained(folder)
    places = {piece: place for place, piece in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(places))
    (folder / "merges.txt").write_text("#version: 0.2\nh a\n")
    return model


def libraries():
    """PyTorch and transformers; the test is skipped without them."""
    torch = pytest.importorskip("torch", reason="needs mien[paper]")
    return torch, pytest.importorskip("transformers", reason="needs mien[paper]")


def _made(torch, seed, make):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make().eval()
