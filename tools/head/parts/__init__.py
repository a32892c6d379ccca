"""Everything in the head that is not skin, made by us: eyes, teeth, tongue, brows, lashes, cavity."""

from head.parts import cavity, eyes, teeth, tongue
from head.types import Part, Skin


def build(skin: Skin) -> list[Part]:
    """All parts, in the order in which the head stores them."""
    return [*eyes.build(skin), *teeth.build(skin), *tongue.build(skin), *cavity.build(skin)]
