"""Mien: speech and a free-text description of an expression in, the animation of a 3D face out.

    import mien

    animator = mien.load()
    animation = animator.animate(mien.decode("hello.mp3"), "quietly furious, jaw clenched")
    mien.save(animation, "hello.mp4")

Importing this package runs nothing; the names below are looked up when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mien.animation import Animation as Animation
    from mien.animator import Animator as Animator
    from mien.animator import load as load
    from mien.audio import decode as decode
    from mien.errors import MienError as MienError
    from mien.export import save as save
    from mien.face import Face as Face
    from mien.timeline import Cue as Cue
    from mien.timeline import Timeline as Timeline

_HOMES = {
    "Animation": "mien.animation",
    "Animator": "mien.animator",
    "Cue": "mien.timeline",
    "Face": "mien.face",
    "MienError": "mien.errors",
    "Timeline": "mien.timeline",
    "decode": "mien.audio",
    "load": "mien.animator",
    "save": "mien.export",
}
__all__ = [
    "Animation",
    "Animator",
    "Cue",
    "Face",
    "MienError",
    "Timeline",
    "decode",
    "load",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
