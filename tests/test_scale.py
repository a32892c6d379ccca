"""Two processes train as one, and lose nothing when one of them is killed (torchrun, gloo)."""

import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import together
from mien import audio
from mien.data.clips import Clip, CorpusWriter, Phone
from mien.data.simulate.corpus import simulate
from mien.errors import MienError
from mien.face import Face
from mien.model import checkpoint
from mien.packfile import Pack
from mien.train import processes

SAID = ["pau", "m", "aa", "p", "iy", "f", "ow", "b", "ah", "v", "eh", "m", "aa", "p", "pau"]
"""Phones of 0.2 s."""


def write_corpus(folder: Path) -> None:
    """Five sentences of 3 s, each under two states; the jaw moves at the sentence's own rate."""
    face, writer = Face.load(), CorpusWriter(folder)
    for sentence in range(5):
        for state in ("happy", "sad"):
            jaw = 0.4 * np.abs(np.sin(np.arange(90) / (3 + sentence / 5)))
            weights = np.zeros((90, len(face.unit_names)), np.float32)
            weights[:, face.unit_names.index("jawOpen")] = jaw
            unit = {"happy": "mouthSmileLeft", "sad": "mouthFrownLeft"}[state]
            weights[:, face.unit_names.index(unit)] = 0.6
            noise = np.random.default_rng(sentence).standard_normal(audio.sample_count(90))
            clip = Clip(
                id=f"{sentence}-{state}", sentence=f"sentence {sentence}", sentence_id=sentence,
                actor="twin", voice="noise", rate=1.0, emotion=state, level=1.0, fps=30.0,
                frames=90, steady=(0, 90), split="train" if sentence < 4 else "validation",
                provenance={"prosody": "independent", "style": {}},
                speech=(0.1 * noise).astype(np.float32), weights=face.limit(weights),
                phones=[Phone(name, 0.2 * k, 0.2 * k + 0.2) for k, name in enumerate(SAID)],
            )  # fmt: skip
            writer.add(clip)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder in which two processes have done what `together` says."""
    folder = tmp_path_factory.mktemp("together")
    write_corpus(folder / "corpus")
    script = Path(together.__file__)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    options = ["--nproc-per-node", "2", "--max-restarts", "1"]
    command = [*torchrun, *options, "--monitor-interval", "0.2", str(script), str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
    assert ran.returncode == 0, ran.stderr[-3000:]
    return folder


@pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("espeak-ng"))
    or not all(map(importlib.util.find_spec, ("pocketsphinx", "hibari", "joblib"))),
    reason="flite, espeak-ng, pocketsphinx, hibari-tts or joblib is not installed",
)
def test_a_corpus_is_the_same_for_any_number_of_jobs(tmp_path):
    """Byte for byte, and in one order: only who waits for whom differs."""
    for jobs in (1, 2):
        simulate(tmp_path / str(jobs), minutes=0.1, seed=3, jobs=jobs, progress=False)
    one, two = (read_all(tmp_path / str(jobs)) for jobs in (1, 2))
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    assert sum(name.endswith(".npz") for name in one) >= 3


def read_all(folder: Path) -> dict[str, object]:
    """What is in a folder's files; of .npz their arrays, for the archives hold the time."""
    content = {}
    for path in sorted(folder.rglob("*.*")):
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                content[path.name] = {key: arrays[key].tobytes() for key in arrays.files}
        else:
            content[path.name] = path.read_bytes()
    return content


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def learned(folder: Path) -> torch.Tensor:
    tensors, settings = checkpoint.load_tensors(folder / "line.safetensors")
    assert settings["processes"] == (1 if folder.name == "alone" else 2)
    return torch.cat([tensors["model.weight"].flatten(), tensors["model.bias"]])


def test_two_processes_learn_what_one_does(place):
    """Update for update: their parts of a batch are averaged to the whole batch's gradient."""
    together.fit(place / "alone")
    torch.testing.assert_close(
        learned(place / "whole"), learned(place / "alone"), rtol=0, atol=1e-5
    )
    assert (learned(place / "whole")[:3] - 1).abs().max() < 0.2  # and it is the line
    losses = [[row["face"] for row in rows(place / name)] for name in ("whole", "alone")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_killed_process_loses_nothing(place):
    """torchrun starts all again; they go on from the checkpoint, and the first alone logs."""
    assert (place / "was_killed").exists()
    assert torch.equal(learned(place / "killed"), learned(place / "whole"))
    assert [row["step"] for row in rows(place / "killed")] == [10, 20, 30]


def test_two_processes_run_a_recipe_as_one_does(place):
    """Its stages, with what they write for each other; losses are alike within noise."""
    pack = Pack.read(place / "run" / "tiny.mien")
    assert pack.card.name == "tiny"
    together.train_tiny(place, "alone_run")
    ours, alone = rows(place / "run"), rows(place / "alone_run")
    steps = [(row["stage"], row["step"]) for row in ours]
    assert steps == [(row["stage"], row["step"]) for row in alone]
    assert {stage for stage, _ in steps} == {"stage1", "demands", "stage2"}
    for one, other in zip(ours, alone, strict=True):
        assert one.keys() == other.keys()
        for name in {"held_out_reconstruction", "held_out_cross", "free_error"} & one.keys():
            assert one[name] == pytest.approx(other[name], rel=0.02), (one["stage"], name)
    assert len(json.loads((place / "run" / "run.json").read_text())["starts"]) == 1
    assert not list((place / "run").glob("*.part"))


def test_a_batch_is_divided_or_refused(monkeypatch):
    recipe = together.tiny()
    monkeypatch.setattr(processes, "count", lambda: 2)
    part = processes.share(recipe)
    assert (part.stage1.batch, part.stage2.batch) == (2, 2)
    assert part.tuning == recipe.tuning  # it has no updates
    odd = dataclasses.replace(recipe, stage2=dataclasses.replace(recipe.stage2, batch=3))
    with pytest.raises(MienError, match="stage2: a batch of 3 cannot be divided among 2"):
        processes.share(odd)
