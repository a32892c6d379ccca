"""Render the simulated actor's states as labelled tiles: a contact sheet to judge them by.

python tools/states_sheet.py sheets/ --level 1 0.667 0.333
python tools/states_sheet.py sheets/ --states happy smug --columns 2
Writes states-LEVEL-NUMBER.png, some states a sheet. Needs Pillow (for the labels).
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from mien.data.simulate.expressions import STATES
from mien.face import Face
from mien.render import Camera, Renderer

WIDTH, HEIGHT = 400, 430


def tile(name: str, level: float, face: Face, renderer: Renderer) -> Image.Image:
    """A state at a level, on the face without speech, with its name on it."""
    weights = face.limit(STATES[name].weights_at(level, face.unit_names))
    picture = Image.fromarray(renderer.render(face.weights_to_vertices(weights)))
    label = f"{name} {level:.2g}"
    ImageDraw.Draw(picture).text((8, 4), label, fill="yellow", font=ImageFont.load_default(20))
    return picture


def sheet(tiles: list[Image.Image], columns: int) -> Image.Image:
    """Tiles row by row in one picture."""
    rows = -(-len(tiles) // columns)
    whole = Image.new("RGB", (columns * WIDTH, rows * HEIGHT))
    for place, one in enumerate(tiles):
        whole.paste(one, (place % columns * WIDTH, place // columns * HEIGHT))
    return whole


def main() -> None:
    """Read the command line, render, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--states", nargs="+", choices=list(STATES), default=list(STATES))
    parser.add_argument("--level", nargs="+", type=float, default=[1.0])
    parser.add_argument("--each", type=int, default=8, help="tiles a sheet")
    parser.add_argument("--columns", type=int, default=4)
    options = parser.parse_args()

    face = Face.load()
    view = Camera(field_of_view=Camera().field_of_view * 0.66)
    renderer = Renderer(face, width=WIDTH, height=HEIGHT, camera=view)
    options.folder.mkdir(parents=True, exist_ok=True)
    for level in options.level:
        tiles = [tile(name, level, face, renderer) for name in options.states]
        for start in range(0, len(tiles), options.each):
            path = options.folder / f"states-{level:.2f}-{start // options.each + 1}.png"
            sheet(tiles[start : start + options.each], options.columns).save(path)


if __name__ == "__main__":
    main()
