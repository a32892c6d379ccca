"""A recipe brought to its corpus: sizes, actors and lengths that only the corpus decides."""

from dataclasses import replace

from mien.data.clips import Corpus
from mien.data.described import read_labels
from mien.data.simulate.plan import COMPOSED
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face
from mien.train.recipe import Recipe, with_epochs

HELD_OUT = ("validation", "test")
"""Splits by which the log says how far training is: the first that has clips. A corpus split as in
the paper, 85 to 15, has no validation split; nothing is chosen by what the log says."""


def fitted(recipe: Recipe, corpus: Corpus, *, speech_size: int, text_size: int) -> Recipe:
    """The recipe with the sizes of its encoders (channels) and of the corpus, and epochs as steps.

    Raises MienError where a stage cannot be trained on this corpus, or an actor is not in it.
    """
    _check_stages(recipe, corpus.face)
    model = replace(
        recipe.model,
        speech_size=speech_size,
        text_size=text_size,
        coefficients=corpus.face.coefficient_count,
        actors=_actors(recipe, corpus),
    )
    frames = sum(record.frames for record in corpus.records if record.split == "train")
    return with_epochs(replace(recipe, model=model), frames)


def held_out_split(corpus: Corpus) -> str:
    """The split whose measures the log shows."""
    there = {record.split for record in corpus.records}
    return next((split for split in HELD_OUT if split in there), HELD_OUT[0])


def label_texts(corpus: Corpus, split: str) -> dict[str, list[tuple[str, float]]]:
    """What describes each label of the corpus, with the strength that it means itself: 1.

    For training its name, and the sentences and words that `mien describe` has of it; for other
    splits its name alone, by which the paper evaluates too.
    """
    told = read_labels(corpus.folder) if split == "train" else {}
    names = {record.emotion for record in corpus.records} - {COMPOSED}
    texts = {name: [name.replace("_", " ")] for name in sorted(names | {"neutral"})}
    for name in texts.keys() & told.keys():
        texts[name] += [*told[name].sentences, *told[name].words]
    return {name: [(text, 1.0) for text in dict.fromkeys(of)] for name, of in texts.items()}


def described_in(corpus: Corpus, *splits: str) -> list[str]:
    """The different sentences that describe single clips of these splits, sorted."""
    listed = (record.descriptions for record in corpus.records if record.split in splits)
    return sorted({text for texts in listed for text in texts})


def _actors(recipe: Recipe, corpus: Corpus) -> tuple[str, ...]:
    """Whom the model tells apart: those whom the recipe names, or all who are trained on."""
    there = sorted({record.actor for record in corpus.records if record.split == "train"})
    for actor in recipe.model.actors:
        if actor not in there:
            raise MienError(
                f"the recipe names the actor {actor!r}, who is not in the training split of "
                f"{corpus.folder}; there are {', '.join(there) or 'none'}"
            )
    return recipe.model.actors or (tuple(there) if recipe.corpus.actors else ())


def _check_stages(recipe: Recipe, face: Face) -> None:
    """Refuse what needs the default head's units, the bank or MiniLM where they are not there."""
    ours = face.unit_names == UNIT_NAMES and not face.signed and face.has_teeth
    acted = {"corpus.again": recipe.corpus.again, "reading.steps": recipe.reading.steps}
    wanted = [
        (not ours, acted | {"demands.steps": recipe.demands.steps},
         f"the units of the default head, and this corpus's face is {face.name!r}"),
        (not recipe.corpus.bank, acted, "the bank's wordings, and corpus.bank is false"),
        (recipe.encoders.text != "minilm", {"tuning.steps": recipe.tuning.steps},
         f"the text encoder minilm, and the recipe's is {recipe.encoders.text!r}"),
    ]  # fmt: skip
    for missing, settings, need in wanted:
        asked = [name for name, value in settings.items() if value]
        if missing and asked:
            raise MienError(
                f"{', '.join(asked)} of the recipe needs {need}; set it to 0, as "
                "recipes/paper.json does"
            )
