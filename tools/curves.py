"""The curves of a training run: losses, and what was measured on the validation split.

python tools/curves.py runs/default docs/images/curves.png
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

LOSSES = {
    "stage1": ("reconstruction", "cross", "content", "expression", "contact", "units"),
    "tuning": ("naming", "reading"),
    "reading": ("naming", "reading"),
    "demands": ("demands",),
    "stage2": ("face", "embedding", "contact", "units", "velocity", "reading", "naming"),
}
MEASURES = {
    "stage1": ("held_out_reconstruction", "held_out_cross"),
    "tuning": ("named_rightly",),
    "reading": ("read_rightly",),
    "demands": ("closures_heard", "bites_heard", "vowels_closed"),
    "stage2": ("free_error", "closed", "false_closed", "bitten", "read_rightly"),
}


def main() -> None:
    """Read the log and draw one panel for each stage's losses and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a run folder, with log.jsonl")
    parser.add_argument("output", type=Path, help="a .png or .svg")
    options = parser.parse_args()

    rows = [json.loads(line) for line in (options.run / "log.jsonl").read_text().splitlines()]
    figure, panels = plt.subplots(2, len(LOSSES), figsize=(18, 6), layout="constrained")
    for column, stage in enumerate(LOSSES):
        own = [row for row in rows if row["stage"] == stage]
        draw(panels[0, column], own, LOSSES[stage], f"{stage}: losses, not scaled")
        draw(panels[1, column], own, MEASURES[stage], f"{stage}: validation split")
        panels[0, column].set_yscale("log")
        panels[1, column].set_xlabel("updates")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.output, dpi=110)


def draw(panel, rows: list[dict], names: tuple[str, ...], title: str) -> None:
    """Draw the named columns of the log over the updates; those that are nowhere are left out."""
    for name in names:
        points = [(row["step"], row[name]) for row in rows if name in row]
        if points:
            panel.plot(*zip(*points, strict=True), marker=".", label=name)
    panel.set_title(title, fontsize=10)
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)


if __name__ == "__main__":
    main()
