"""Render many looks of the head into one PNG grid.

python tools/contact_sheet.py sheet.png neutral jawOpen=1 "mouthSmile=1,browInnerUp=0.5"
python tools/contact_sheet.py sheet.png --animation hello.npz --every 5
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mien.face import Face
from mien.render import Camera, Renderer


def write_png(path: Path, image: np.ndarray) -> None:
    """image (H, W, 3) uint8."""
    encoder = av.CodecContext.create("png", "w")
    encoder.height, encoder.width = image.shape[:2]
    encoder.pix_fmt, encoder.time_base = "rgb24", Fraction(1, 1)
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    packets = encoder.encode(frame) + encoder.encode(None)
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


def parse_weights(text: str, face: Face) -> np.ndarray:
    """Weights (U,) of `jawOpen=0.5,mouthSmile=1`; a name without its side sets left and right."""
    weights = np.zeros(len(face.unit_names), np.float32)
    for item in filter(None, text.replace("neutral", "").split(",")):
        name, _, amount = item.partition("=")
        sides = [unit for unit in face.unit_names if unit in (name, f"{name}Left", f"{name}Right")]
        if not sides:
            raise SystemExit(f"no unit is called {name}; there are {', '.join(face.unit_names)}")
        for unit in sides:
            weights[face.unit_names.index(unit)] = float(amount or 1)
    return weights


def grid(images: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one size, row by row → one picture."""
    blank = np.zeros_like(images[0])
    images = images + [blank] * (-len(images) % columns)
    rows = [np.concatenate(images[i : i + columns], 1) for i in range(0, len(images), columns)]
    return np.concatenate(rows, 0)


def main() -> None:
    """Read the command line, render, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("looks", nargs="*", default=["neutral"], help="weight sets: unit=amount,…")
    parser.add_argument(
        "--animation", type=Path, help="an .npz of mien animate: its frames instead"
    )
    parser.add_argument("--every", type=int, default=10, help="with --animation: each n-th frame")
    parser.add_argument("--head", type=Path, help="another head.npz")
    parser.add_argument("--size", type=int, default=480, help="height of one picture, pixels")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--yaw", type=float, default=0.0, help="degrees")
    parser.add_argument("--pitch", type=float, default=0.0, help="degrees")
    parser.add_argument("--zoom", type=float, default=1.0, help="2 shows half as much")
    parser.add_argument(
        "--target",
        type=float,
        nargs=3,
        help="metres: what lies in the middle (mouth: 0 -0.075 0.02)",
    )
    parser.add_argument(
        "--no-limit", action="store_true", help="draw the weights as they are given"
    )
    options = parser.parse_args()

    face = Face.load(options.head)
    default = Camera()
    x, y, z = options.target or default.target
    camera = Camera(
        yaw=options.yaw,
        pitch=options.pitch,
        field_of_view=default.field_of_view / options.zoom,
        target=(x, y, z),
    )
    renderer = Renderer(face, width=options.size, height=options.size, camera=camera)
    if options.animation:
        weights = np.load(options.animation)["weights"][:: options.every]
    else:
        weights = np.stack([parse_weights(look, face) for look in options.looks])
    if not options.no_limit:
        weights = face.limit(weights)
    images = [renderer.render(face.weights_to_vertices(row)) for row in weights]
    write_png(options.output, grid(images, min(options.columns, len(images))))


if __name__ == "__main__":
    main()
