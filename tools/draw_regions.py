"""Draw which name goes with which part of an aligned face: docs/regions.png.

python tools/draw_regions.py PHOTO --out docs/regions.png
"""

import argparse
import sys
import textwrap
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended

SIDE, MARGIN = 3.6, 0.07  # inches
GRID = (7, 7)


def draw(face: np.ndarray):
    """Return a figure of a face, uint8 (112, 112, 3) RGB, with each cell's name in it."""
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    from xcos_tf.data.alignment import FACE_SIZE
    from xcos_tf.explain.canvas import DPI, square
    from xcos_tf.explain.panels import draw_face
    from xcos_tf.explain.regions import region_map

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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", metavar="PHOTO", help="with one face, found by MTCNN")
    parser.add_argument("--out", required=True, metavar="FILE", help=".png, .pdf or .svg")
    args = parser.parse_args(argv)
    from xcos_tf.cli.quiet import import_tensorflow

    import_tensorflow()
    from xcos_tf.explain.canvas import check_figure_path, save_figure
    from xcos_tf.verifier import Verifier

    def do() -> None:
        check_figure_path(args.out)
        save_figure(draw(Verifier.from_preset().enroll(args.photo).face), args.out)

    return ended("draw_regions", do)


if __name__ == "__main__":
    sys.exit(main())
