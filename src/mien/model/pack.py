"""Write a pack: the trained networks as ONNX graphs, with all that is needed to run them.

A pack is one zip file (stored, not compressed): pack.json, step.onnx, text.onnx. pack.json holds
the sizes, the sha256 of each graph, the face and the encoders the graphs belong to, and where they
come from. `mien.animator` reads it; that needs no PyTorch.
"""

import hashlib
import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mien.model.predictors import Step, TextPooler

FORMAT = 1
STEP_INPUTS = ["past", "speech", "text", "level", "state", "decoder_state", "age"]
STEP_OUTPUTS = ["coefficients", "new_state", "new_decoder_state", "new_age"]
OPSET = 17


def write_pack(path: Path, step: Step, about: dict[str, Any]) -> None:
    """Export the fused step and the text pooler to `path`, atomically.

    `about` goes into pack.json as it is: name, face, encoders, provenance.
    """
    graphs = {
        "step.onnx": _step_graph(step.cpu().eval()),
        "text.onnx": _text_graph(step.text2exp.pooler.cpu().eval()),
    }
    settings = step.settings
    card = {
        "format": FORMAT,
        **about,
        "reach": settings.speech_reach,
        "coefficients": settings.coefficients,
        "speech_size": settings.speech_size,
        "text_features": [settings.text_latents, settings.text_size],
        "state": [1, 2 * settings.layers, 2, settings.window, settings.width],
        "decoder_state": [1, settings.layers, 2, settings.decoder_window, settings.width],
        "sha256": {name: hashlib.sha256(graph).hexdigest() for name, graph in graphs.items()},
    }
    temporary = path.with_name(path.name + ".part")
    with zipfile.ZipFile(temporary, "w") as file:
        file.writestr("pack.json", json.dumps(card, indent=1))
        for name, graph in graphs.items():
            file.writestr(name, graph)
    temporary.replace(path)


def _step_graph(step: Step) -> bytes:
    s = step.settings
    past, state, decoder_state, age = step.start()
    speech = torch.zeros(1, s.speech_rows, s.speech_size)
    text = torch.zeros(1, s.text_latents, s.text_size)
    example = (past, speech, text, torch.ones(1, 1), state, decoder_state, age)
    return _exported(step, example, STEP_INPUTS, STEP_OUTPUTS, {})


def _text_graph(pooler: TextPooler) -> bytes:
    example = (torch.zeros(1, 5, pooler.queries.shape[1]), torch.zeros(1, 5))
    free = {"tokens": {1: "length"}, "padding": {1: "length"}}
    return _exported(pooler, example, ["tokens", "padding"], ["text_features"], free)


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
