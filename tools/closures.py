"""Every p, b, m, f and v of a recording under several descriptions, as mouths in one PNG.

python tools/closures.py sheet.png ljspeech/LJ001-0003.wav "For although the Chinese took ..."

A row is a description; for each phone it shows three frames: one tenth of a second before, the
moment at which the lips come nearest to what the phone wants, and one tenth after.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import mien
from contact_sheet import grid, write_png
from mien import audio
from mien.data.phones import align_phones
from mien.evaluate.metrics import BILABIALS, LABIODENTALS, NEAR
from mien.render import Camera, Renderer

DESCRIPTIONS = (
    "neutral",
    "ecstatic, laughing until the tears come",
    "heartbroken, holding back tears",
    "scared witless, her eyes wide with terror",
    "full of revulsion at the smell",
    "quietly furious, jaw clenched",
)
MOUTH = (0.0, -0.06, 0.02)
FPS, AROUND = 30, 3


def main() -> None:
    """Align, animate, render, write; prints which phone each group of three shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("transcript")
    parser.add_argument("--descriptions", nargs="+", default=DESCRIPTIONS)
    parser.add_argument("--first", type=int, default=0, help="leave out so many phones")
    parser.add_argument("--most", type=int, default=6, help="show so many phones")
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--size", type=int, default=140, help="height of one mouth, pixels")
    options = parser.parse_args()

    animator = mien.load(options.pack)
    face, speech = animator.face, mien.decode(options.speech)
    phones = align_phones(speech, options.transcript)
    end = audio.samples_to_seconds(len(speech)) - 1 / FPS
    wanted = [p for p in phones if p.name in BILABIALS | LABIODENTALS and p.start < end]
    wanted = wanted[options.first :][: options.most]
    print(", ".join(f"{phone.name} {phone.start:.2f} s" for phone in wanted))
    camera = Camera(target=MOUTH, field_of_view=Camera().field_of_view * 0.3)
    renderer = Renderer(face, width=options.size * 5 // 4, height=options.size, camera=camera)
    pictures = []
    for description in options.descriptions:
        weights = animator.animate(speech, description).weights
        for phone in wanted:
            for frame in moments(phone, weights, face):
                pictures.append(renderer.render(face.weights_to_vertices(weights[frame])))
    write_png(options.output, grid(pictures, 3 * len(wanted)))


def moments(phone, weights: np.ndarray, face) -> list[int]:
    """Return the frames before, at and after the phone's nearest contact."""
    first = max(0, int(np.ceil((phone.start - NEAR) * FPS)))
    stop = min(len(weights), int((phone.end + NEAR) * FPS) + 1)
    vertices = face.weights_to_vertices(weights[first:stop])
    measure = face.gap if phone.name in BILABIALS else face.lip_to_teeth
    best = first + int(np.argmin(np.abs(measure(vertices))))
    return [max(best - AROUND, 0), best, min(best + AROUND, len(weights) - 1)]


if __name__ == "__main__":
    main()
