"""Draw the pictures of the documents that nothing else makes.

    python tools/draw.py training runs/a/metrics.csv [runs/b/metrics.csv ...] --out curves.png
    python tools/draw.py regions PHOTO --out docs/regions.png

`training` draws how runs did on held-out people, `regions` which name goes with which part of an
aligned face.
"""

import argparse
import sys
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.errors import XcosError
from xcos_tf.explain.canvas import DPI, check_figure_path, save_figure, square
from xcos_tf.explain.panels import draw_face
from xcos_tf.explain.regions import region_map
from xcos_tf.verifier import Verifier

PANELS = {"eer": "equal error rate", "rmse": "RMS difference from the teacher's cosine"}
LINES = {"teacher": ("teacher's cosine", "0.4"), "patched": ("U", "C1"), "learned": ("L", "C0")}
STYLES = ("-", "--", ":", "-.")
SIDE, MARGIN = 3.6, 0.07  # inches
GRID = (7, 7)


def read_metrics(path: Path) -> np.ndarray:
    """Return a run's metrics.csv as records; an empty cell is NaN, which leaves a gap.

    Raises:
        XcosError: the file cannot be read, or lacks a column that is drawn, or holds no step.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = np.genfromtxt(lines or ["step"], delimiter=",", names=True, deletechars="", ndmin=1)
        if {"step", "patched/eer", "learned/rmse"} <= set(rows.dtype.names) and len(rows):
            return rows
        reason = "it does not hold a run's metrics"
    except (OSError, ValueError) as error:
        reason = error
    raise XcosError(f"cannot read {path} ({reason}); give a run's metrics.csv")


def training(paths: list[Path]) -> Figure:
    """Return a figure with a panel for each metric and a line style for each run."""
    if len(paths) > len(STYLES):
        raise XcosError(f"{len(paths)} runs are too many; give at most {len(STYLES)}")
    runs = {path.parent.name: read_metrics(path) for path in paths}
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (metric, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for (run, rows), style in zip(runs.items(), STYLES, strict=False):
            for name, (label, colour) in LINES.items():
                if (column := f"{name}/{metric}") in rows.dtype.names:
                    label = label if len(runs) == 1 else f"{label}, {run}"
                    axes.plot(rows["step"], rows[column], style, color=colour, label=label)
        axes.set(xlabel="step", title=title)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right", fontsize=7)
    return figure


def regions(photo: Path) -> Figure:
    """Return a figure of a photo's face, with each cell's name in it."""
    return named_cells(Verifier.from_preset().enroll(photo).face)


def named_cells(face: np.ndarray) -> Figure:
    """Return a figure of a face, uint8 (112, 112, 3) RGB, with each cell's name in it."""
    figure = Figure(figsize=(SIDE + 2 * MARGIN,) * 2, dpi=DPI, facecolor="white")
    axes = square(figure, MARGIN, MARGIN, SIDE)
    draw_face(axes, (255 - (255 - face.astype(float)) * 0.55).astype(np.uint8), GRID)
    look = {"fontsize": 6.5, "ha": "center", "va": "center"}
    look["path_effects"] = [withStroke(linewidth=1.5, foreground="white")]
    for (row, column), name in np.ndenumerate(region_map(*GRID)):
        place = (column + 0.5) * FACE_SIZE / GRID[1], (row + 0.5) * FACE_SIZE / GRID[0]
        axes.text(*place, "\n".join(textwrap.wrap(str(name), 8)), **look)
    return figure


def main(argv: list[str] | None = None) -> int:
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("draw", description=__doc__, formatter_class=text)
    commands = parser.add_subparsers(required=True)
    for draw, what, more in (
        (training, "metrics.csv of up to four runs", {"nargs": "+"}),
        (regions, "with one face, found by MTCNN", {}),
    ):
        command = commands.add_parser(draw.__name__)
        command.set_defaults(draw=draw)
        command.add_argument("source", type=Path, metavar="FILE", help=what, **more)
        command.add_argument("--out", type=Path, required=True, help=".png, .pdf or .svg")

    def do(args: argparse.Namespace) -> None:
        check_figure_path(args.out)
        save_figure(args.draw(args.source), args.out)

    return ended(parser, do, argv)


if __name__ == "__main__":
    sys.exit(main())
