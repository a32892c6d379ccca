"""What a run folder says of itself: recipe, corpus, every start and what was uncommitted then."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mien
from mien.config import read_json, to_dict
from mien.data.clips import Corpus
from mien.errors import MienError
from mien.train.recipe import STAGES, Recipe

RECIPE, RUN = "recipe.json", "run.json"


def settle(recipe: Recipe, folder: Path) -> None:
    """Make the folder and write recipe.json once; MienError for a folder of another recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    values, path = to_dict(recipe), folder / RECIPE
    if not path.exists():
        path.write_text(json.dumps(values, indent=1))
    elif read_json(path) != json.loads(json.dumps(values)):
        raise MienError(f"{folder} holds a run of another recipe; name a new folder")


def explain(recipe: Recipe, corpus: Corpus, folder: Path) -> None:
    """Write into run.json each start, the corpus, and what it decided of the fitted recipe.

    The uncommitted changes at start number N are in diff-N.patch.
    """
    run_file = folder / RUN
    starts = read_json(run_file)["starts"] if run_file.exists() else []
    start = {"command": sys.argv[1:], "mien": mien.__version__, "commit": _git("rev-parse", "HEAD")}
    run: dict[str, Any] = {
        "starts": [*starts, start],
        "corpus": {
            "clips": len(corpus.records),
            "minutes": round(corpus.seconds / 60, 2),
            "actors": sorted({record.actor for record in corpus.records}),
            "fps": sorted({record.fps for record in corpus.records}),
            "face": corpus.face.name,
        },
        "model": to_dict(recipe.model),
        "updates": {name: getattr(recipe, name).steps for name in STAGES},
    }
    (folder / f"diff-{len(starts)}.patch").write_text(_git("diff", "HEAD"))
    run_file.write_text(json.dumps(run, indent=1))


def _git(*arguments: str) -> str:
    """Output of git in the source tree; empty where there is none."""
    place = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=place, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
