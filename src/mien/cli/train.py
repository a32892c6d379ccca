"""mien train: a pack by a recipe."""

import argparse
from pathlib import Path

from mien.cli.options import extra


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("train", help="train a pack by a recipe (needs the extra `train`)")
    verb.add_argument("recipe", type=Path, help="a recipe file, e.g. recipes/default.json")
    verb.add_argument("corpus", type=Path, help="corpus; simulated by the recipe where missing")
    verb.add_argument("run", type=Path, help="run folder; one that was killed is resumed")
    verb.set_defaults(act=_train)


def _train(options: argparse.Namespace) -> None:
    recipe_module, run_module = extra("mien.train.recipe"), extra("mien.train.run")
    from mien.data.clips import Corpus
    from mien.data.simulate.corpus import simulate

    recipe = recipe_module.read_recipe(options.recipe)
    simulate(options.corpus, minutes=recipe.corpus.minutes, seed=recipe.corpus.seed)
    print(run_module.train_run(recipe, Corpus(options.corpus), options.run))
