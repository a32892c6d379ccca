"""Settings are read strictly and written back whole."""

import json
from pathlib import Path

import pytest

from mien.config import from_dict, merged, to_dict
from mien.errors import MienError
from mien.train.recipe import Recipe, read_recipe

RECIPES = Path(__file__).parents[1] / "recipes"


def test_round_trip():
    recipe = read_recipe(RECIPES / "tiny.json")
    assert from_dict(Recipe, json.loads(json.dumps(to_dict(recipe)))) == recipe


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.json")), ids=lambda p: p.stem)
def test_every_recipe_reads(path):
    assert read_recipe(path).name == path.stem


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(MienError, match=r"unknown setting 'stage1\.step'; did you mean 'steps'"):
        from_dict(Recipe, {"stage1": {"step": 3}})


@pytest.mark.parametrize(
    "values", [{"stage1": {"steps": "many"}}, {"stage1": 3}, {"stage1": {"steps": True}}]
)
def test_a_value_of_another_type_is_refused(values):
    with pytest.raises(MienError, match="wanted"):
        from_dict(Recipe, values)


def test_a_whole_number_serves_as_a_float():
    assert from_dict(Recipe, {"corpus": {"minutes": 3}}).corpus.minutes == 3.0


def test_a_recipe_changes_only_what_it_says(tmp_path):
    (tmp_path / "a.json").write_text('{"name": "a", "stage1": {"steps": 7, "batch": 3}}')
    (tmp_path / "b.json").write_text('{"base": "a", "name": "b", "stage1": {"steps": 9}}')
    recipe = read_recipe(tmp_path / "b.json")
    assert (recipe.name, recipe.stage1.steps, recipe.stage1.batch) == ("b", 9, 3)


def test_recipes_that_base_on_each_other_are_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"base": "b"}')
    (tmp_path / "b.json").write_text('{"base": "a"}')
    with pytest.raises(MienError, match="base on each other"):
        read_recipe(tmp_path / "a.json")


def test_merged_leaves_its_arguments_alone():
    base = {"a": {"x": 1, "y": 2}}
    assert merged(base, {"a": {"x": 3}}) == {"a": {"x": 3, "y": 2}}
    assert base == {"a": {"x": 1, "y": 2}}
