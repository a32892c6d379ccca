"""Export the trained networks as ONNX graphs, and write them as a pack.

The file itself, its card and its checks are in `mien.packfile`; `mien.animator` runs the graphs.
Neither needs PyTorch.
"""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mien.model.demands import Demands
from mien.model.pooler import TextPooler
from mien.model.predictors import Step
from mien.packfile import Card, Known, Pack

STEP_INPUTS = ["past", "speech", "text", "level", "state", "decoder_state", "age"]
STEP_OUTPUTS = ["coefficients", "new_state", "new_decoder_state", "new_age"]
OPSET = 17


def write_pack(
    path: Path,
    step: Step,
    demands: Demands | None,
    about: dict[str, Any],
    *,
    known: Known | None = None,
    tuning: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Export the fused step, the text pooler and the lips' demands to `path`, atomically.

    `about` goes into the card as it is: name, face, speech_encoder, text_encoder, provenance.
    `known`: the wordings that it was trained to read, as `mien.data.known` samples them.
    `tuning`: the differences that the text encoder had while it was.
    """
    settings = step.settings
    card = Card(
        **about,
        reach=settings.speech_reach,
        coefficients=settings.coefficients,
        speech_size=settings.speech_size,
        text_features=(settings.text_latents, settings.text_size),
        state=(1, 2 * settings.layers, 2, settings.window, settings.width),
        decoder_state=(1, settings.layers, 2, settings.decoder_window, settings.width),
        actors=settings.actors,
    )
    text = _text_graph(step.text2exp.pooler.cpu().eval(), settings.text_size)
    heard = None if demands is None else _demands_graph(demands, settings.speech_size)
    Pack(card, _step_graph(step.cpu().eval()), text, heard, known, tuning).write(path)


def _step_graph(step: Step) -> bytes:
    s = step.settings
    past, state, decoder_state, age = step.start()
    speech = torch.zeros(1, s.speech_rows, s.speech_size)
    text = torch.zeros(1, s.text_latents, s.text_size)
    example = (past, speech, text, torch.ones(1, 1), state, decoder_state, age)
    if not s.actors:
        return _exported(step, example, STEP_INPUTS, STEP_OUTPUTS, {})
    example = (*example, torch.full((1, len(s.actors)), 1 / len(s.actors)))
    return _exported(step, example, [*STEP_INPUTS, "actor"], STEP_OUTPUTS, {})


def _text_graph(pooler: TextPooler, text_size: int) -> bytes:
    example = (torch.zeros(1, 5, text_size), torch.zeros(1, 5))
    free = {"tokens": {1: "length"}, "padding": {1: "length"}}
    return _exported(pooler, example, ["tokens", "padding"], ["text_features"], free)


def _demands_graph(demands: Demands, speech_size: int) -> bytes:
    free = {"speech": {1: "frames"}, "demands": {1: "frames"}}
    return _exported(
        demands.cpu().eval(), (torch.zeros(1, 8, speech_size),), ["speech"], ["demands"], free
    )


def _exported(
    module: nn.Module,
    example: tuple[torch.Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    free: dict[str, dict[int, str]],
) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The TorchScript exporter needs no further package; the newer one needs onnxscript.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            example,
            buffer,  # type: ignore[arg-type]
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()
