"""Make the material of a blind matching: films' frames without their descriptions, and a key.

python tools/blind.py blind/ ../shared/data/speech/ljspeech/LJ001-0001.wav

Draws states of the bank and one of each state's test sentences (never seen in training), animates
the same speech under each, and writes A.png, B.png, … (frames of one animation, two a second),
descriptions.txt (numbered, in another order) and key.txt (letter, number, state). Whoever matches
letters to numbers gets the pictures and the descriptions alone.
"""

import argparse
import string
from pathlib import Path

import numpy as np

import mien
from contact_sheet import grid, write_png
from mien.camera import Camera
from mien.data.simulate.bank import Bank
from mien.render import Renderer

EVERY = 15  # frames from one picture to the next


def main() -> None:
    """Read the command line, animate, render, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("speech", type=Path, help="a recording whose words give nothing away")
    parser.add_argument("--count", type=int, default=24, choices=range(1, 27), help="animations")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument("--pack", type=Path)
    options = parser.parse_args()

    options.folder.mkdir(parents=True)
    random = np.random.default_rng(options.seed)
    bank = Bank.load()
    states = random.choice([name for name in bank.entries], options.count, replace=False)
    texts = {state: _sentence(bank, str(state), random) for state in states}
    numbers = random.permutation(options.count) + 1
    animator, speech = mien.load(options.pack), mien.decode(options.speech)
    renderer = Renderer(animator.face, width=300, height=300, camera=Camera())
    key = []
    for letter, state, number in zip(
        string.ascii_uppercase[: options.count], states, numbers, strict=True
    ):
        animation = animator.animate(speech, texts[state], life=0)
        shown = [
            renderer.render(animation.turned_vertices(t, t + 1)[0])
            for t in range(EVERY, animation.frames, EVERY)
        ]
        write_png(options.folder / f"{letter}.png", grid(shown, 5))
        key.append(f"{letter} {number} {state}: {texts[state]}")
    listed = sorted(zip(numbers, states, strict=True))
    lines = [f"{number}. {texts[state]}" for number, state in listed]
    (options.folder / "descriptions.txt").write_text("\n".join(lines) + "\n")
    (options.folder / "key.txt").write_text("\n".join(key) + "\n")


def _sentence(bank: Bank, state: str, random: np.random.Generator) -> str:
    texts = [one.text for one in bank.descriptions(state, "test") if one.kind == "sentences"]
    return texts[int(random.integers(len(texts)))]


if __name__ == "__main__":
    main()
