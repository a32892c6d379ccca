"""mien train: a pack by a recipe."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mien.cli.options import extra, several
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.train.recipe import CorpusSettings


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("train", help="train a pack by a recipe (needs the extra `train`)")
    verb.add_argument("recipe", type=Path, help="a recipe file, e.g. recipes/default.json")
    verb.add_argument("corpus", type=Path, help="corpus; simulated as long as the recipe says")
    verb.add_argument("run", type=Path, help="run folder; one that was killed is resumed")
    verb.add_argument(
        "--corpus-as-it-is", action="store_true", help="simulate nothing: train on what is there"
    )
    verb.add_argument(
        "--updates", type=several, metavar="N", help="a trial: at most N updates in each stage"
    )
    verb.set_defaults(act=_train)


def _train(options: argparse.Namespace) -> None:
    recipes, run = extra("mien.train.recipe"), extra("mien.train.run")
    processes = extra("mien.train.processes")
    from mien.data.clips import Corpus

    recipe = recipes.read_recipe(options.recipe)
    if options.updates:
        recipe = recipes.tried(recipe, options.updates)
    processes.join()
    if recipe.corpus.minutes and not options.corpus_as_it_is:
        with processes.first():
            _simulate(options.corpus, recipe.corpus)
    pack = run.train_run(recipe, Corpus(options.corpus), options.run)
    if processes.leads():
        print(pack)


def _simulate(folder: Path, settings: "CorpusSettings") -> None:
    """Add simulated clips until the corpus is as long as the recipe says."""
    from mien.data.clips import FACE
    from mien.data.simulate.corpus import simulate

    if (folder / FACE).exists():
        raise MienError(
            f"{folder} has a face of its own, which the simulated actor cannot move; train with "
            "--corpus-as-it-is"
        )
    simulate(folder, minutes=settings.minutes, seed=settings.seed)
