"""The README's picture: one recording under several descriptions, at chosen moments.

python tools/figure.py docs/images/faces.png
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import mien
from contact_sheet import grid, write_png
from mien.render import Camera, Renderer

ROOT = Path(__file__).parents[1]
DESCRIPTIONS = (
    "quietly furious, jaw clenched",
    "overjoyed, she can hardly believe it",
    "heartbroken, holding back tears",
    "scared out of his wits",
    "a cheeky wink with the left eye",
    "utterly disgusted",
)


def main() -> None:
    """Animate, render, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--speech", type=Path, default=ROOT / "examples" / "hello.mp3")
    parser.add_argument("--seconds", type=float, nargs="+", default=[2.1, 4.6])
    parser.add_argument("--descriptions", nargs="+", default=DESCRIPTIONS)
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--size", type=int, default=320, help="height of one face, pixels")
    options = parser.parse_args()

    animator = mien.load(options.pack)
    speech = mien.decode(options.speech)
    features = animator.encode_speech(speech)
    renderer = Renderer(
        animator.face,
        width=options.size * 7 // 8,
        height=options.size,
        camera=Camera(field_of_view=Camera().field_of_view * 0.72),
    )
    rows: list[list[np.ndarray]] = [[] for _ in options.seconds]
    for description in options.descriptions:
        coefficients = animator.run(features, description)
        weights = animator.solve(coefficients, features)
        for row, seconds in zip(rows, options.seconds, strict=True):
            frame = animator.face.weights_to_vertices(weights[round(seconds * 30)])
            row.append(renderer.render(frame))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_png(options.output, grid([face for row in rows for face in row], len(rows[0])))


if __name__ == "__main__":
    main()
