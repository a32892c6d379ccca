"""A pack with random parameters: it says nothing sensible, but moves the whole face visibly."""

from pathlib import Path

import torch

from mien.face import Face
from mien.model.autoencoder import AutoEncoder
from mien.model.demands import Demands
from mien.model.pack import write_pack
from mien.model.predictors import Audio2Con, Step, Text2Exp
from mien.model.settings import ModelSettings
from twins import TwinTextEncoder, twin_speech_encoder

TINY = ModelSettings(
    width=32, heads=2, layers=1, feature_size=16, window=16, decoder_window=8, speech_reach=3
)
TWINS = (twin_speech_encoder().name, TwinTextEncoder.name)
SCALE = 0.05
"""metres: coefficients of this size come out"""


def write_random_pack(
    path: Path,
    face: Face,
    *,
    settings: ModelSettings = TINY,
    encoders: tuple[str, str] = TWINS,
    seed: int = 0,
) -> Path:
    """Write a pack of random networks for `face` and the named encoders; return its path."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        decoder = AutoEncoder(settings).decoder
        torch.nn.init.normal_(decoder.write.weight, std=settings.width**-0.5)
        nets = Audio2Con(settings), Text2Exp(settings)
        for codes in (net.actor.codes for net in nets if net.actor):
            torch.nn.init.normal_(codes)
        step = Step(settings, *nets, decoder, SCALE)
    speech_encoder, text_encoder = encoders
    about = {
        "name": path.stem,
        "face": face.fingerprint,
        "speech_encoder": speech_encoder,
        "text_encoder": text_encoder,
        "provenance": {},
    }
    write_pack(path, step, Demands(settings.speech_size, 8), about)
    return path
