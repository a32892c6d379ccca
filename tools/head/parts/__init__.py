"""Everything in the head that is not skin: eyes, teeth, tongue, brows, lashes, mouth cavity."""

from head.parts import brows, cavity, eyes, lashes, teeth, tongue
from head.types import Part, Skin


def build(skin: Skin) -> list[Part]:
    """All parts, in the order in which the head stores them."""
    makers = (eyes, teeth, tongue, brows, lashes, cavity)
    return [part for maker in makers for part in maker.build(skin)]
