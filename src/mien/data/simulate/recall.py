"""What a clip says, as the simulated actor would be told it: found again from what is kept of it.

A corpus keeps the phones of a clip, its actor's style and its speech: all that `articulate` needs.
"""

from mien.data.clips import Clip
from mien.data.simulate.articulation import Content, Style, articulate
from mien.data.simulate.prominence import prominence
from mien.face import Face


def recall(clip: Clip, face: Face) -> Content | None:
    """Return the content of a clip; None where nobody knows its phones.

    For a clip of the simulated actor it is what he was told; for another, what he would be.
    """
    if not clip.phones:
        return None
    return articulate(
        clip.phones,
        clip.frames,
        fps=clip.fps,
        style=Style(**clip.provenance.get("style", {})),
        face=face,
        prominence=prominence(clip.speech, clip.phones),
    )
