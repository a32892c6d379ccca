"""Imports point one way, PyTorch stays where it is needed, and importing mien runs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "mien"
SOURCES = sorted(ROOT.rglob("*.py"))

# From the lowest layer to the highest. A module imports from lower layers; in the first two layers
# also what stands to its left; beyond them nothing of its own layer.
LAYERS = (
    "errors config jobs audio limits solve face faces lips timeline life animation "
    "camera raster lighting shading render",
    "export pretrained tuning packfile features encoders",
    "animator model data",
    "settled",
    "train evaluate bench explain",
    "study",
    "cli",
    "__main__",
)
PLACES = {
    name: (layer, place)
    for layer, names in enumerate(LAYERS)
    for place, name in enumerate(names.split())
}
ORDERED_LAYERS = 2
DOORS = {("face", "faces")}
"""Face.from_flame and its like: `face` opens the readers above it, late and by name."""

RUN_TIME = {"numpy", "numba", "av", "onnxruntime", "tokenizers", "ctranslate2"}
RUN_TIME |= {"faster_whisper", "huggingface_hub", "tqdm"}
FURTHER = {
    "jobs": {"joblib", "distributed"},
    "encoders": {"torch", "transformers"},
    "model": {"torch", "safetensors"},
    "train": {"torch"},
    "evaluate": {"matplotlib"},
    "data": {"pocketsphinx", "hibari", "mediapipe", "google"},
    "study": {"starlette", "uvicorn"},
}


def imported(source: str) -> set[str]:
    """Dotted names of all that a source imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(names: set[str]) -> set[str]:
    """The top modules of mien among them."""
    parts = [name.split(".") for name in names]
    return {part[1] for part in parts if part[0] == "mien" and len(part) > 1 and part[1] in PLACES}


def may_import(importer: str, wanted: str) -> bool:
    if (importer, wanted) in DOORS:
        return True
    (layer, place), (other_layer, other_place) = PLACES[importer], PLACES[wanted]
    if other_layer == layer < ORDERED_LAYERS:
        return other_place <= place
    return importer == wanted or other_layer < layer


def module_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def test_every_module_has_a_place():
    assert {module_of(path) for path in SOURCES} - {"__init__"} <= PLACES.keys()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    importer, names = module_of(path), imported(path.read_text(encoding="utf-8"))
    if importer == "__init__":
        return  # it looks its names up when they are used; see below
    wrong = {wanted for wanted in own(names) if not may_import(importer, wanted)}
    assert not wrong, f"{importer} may not import {wrong}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_third_parties_stay_where_they_belong(path):
    """PyTorch in animator or scipy anywhere would work here, and fail where only mien is."""
    names = {name.split(".")[0] for name in imported(path.read_text(encoding="utf-8"))}
    foreign = names - set(sys.stdlib_module_names) - {"mien"}
    assert foreign <= RUN_TIME | FURTHER.get(module_of(path), set())


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("face", "from mien.render import Renderer"),
        ("audio", "def late():\n    from mien import face"),
        ("export", "from mien.features import FEATURE_SIZE"),
        ("animator", "import mien.model.pack"),
        ("data", "from mien.model import losses"),
        ("bench", "from mien.evaluate import lips"),
        ("animator", "from mien.cli import run"),
    ],
)
def test_a_planted_import_is_found(importer, source):
    (wanted,) = own(imported(source))
    assert not may_import(importer, wanted)


def loaded_by(statement: str) -> tuple[set[str], int]:
    """Modules loaded and threads running in a fresh interpreter after a statement."""
    count = "len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 1"
    code = f"{statement}\nimport os, sys\nprint({count}, *sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    threads, *modules = ran.stdout.split()
    return set(modules), int(threads)


def test_importing_mien_runs_nothing():
    modules, threads = loaded_by("import mien; mien.__version__")
    assert threads == 1
    assert {name for name in modules if name.startswith("mien")} == {"mien"}
    assert not modules & {"numpy", "numba", "av", "onnxruntime", "torch", "tqdm"}


def test_running_a_pack_never_loads_pytorch():
    modules, _ = loaded_by("import mien.animator, mien.export, mien.cli, mien.bench, mien.packfile")
    assert "mien.animator" in modules
    assert not modules & {"torch", "transformers", "safetensors", "onnx"}
