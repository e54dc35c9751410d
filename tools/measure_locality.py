"""How local a grid cell is: the effective receptive field of the cells of presets.

    python tools/measure_locality.py FACES [--faces 64] [--preset NAME ...]

FACES holds aligned faces, one sub-folder a person. Of a plain preset the last feature map is
measured, of an xCos preset the grid; see xcos_tf/explain/faithfulness/effective_field.py.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended

NAMES = ("mobilefacenet", "mobilefacenet-occlusion")
PRESETS = tuple(prefix + name for prefix in ("", "xcos-") for name in NAMES)
HEADINGS = ("preset", "in the cell itself", "in it and its neighbours", "half within, pixels")


def locality(energies: np.ndarray, grid: tuple[int, int]) -> tuple[float, float]:
    """Return the mean share of cells' energy that is in their own patch, and within one cell of it.

    The energies, float (h·w, H, W), are those of each cell, row by row, each of sum 1.
    """
    h, w = grid
    size = energies.shape[1] // h, energies.shape[2] // w
    by_cell = energies.reshape(h * w, h, size[0], w, size[1]).sum((2, 4)).reshape(h * w, h * w)
    places = np.indices(grid).reshape(2, -1)
    apart = np.abs(places[:, :, np.newaxis] - places[:, np.newaxis]).max(axis=0)
    return tuple(float((by_cell * (apart <= reach)).sum(axis=1).mean()) for reach in (0, 1))


def measure(model, faces: np.ndarray) -> tuple[float, float, float]:
    """Return what `locality` does of a model's cells, and the mean radius that holds half."""
    from xcos_tf.explain.faithfulness.effective_field import effective_fields

    grid = model.output_shape[1:3]
    fields = effective_fields(model, faces, list(np.ndindex(*grid)))
    inside, near = locality(np.stack([field.energy for field in fields]), grid)
    return inside, near, float(np.mean([field.half_radius for field in fields]))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FACES", help="aligned faces, one sub-folder a person")
    parser.add_argument(
        "--faces", type=int, default=64, metavar="N", help="to measure on (default: %(default)s)"
    )
    parser.add_argument("--preset", nargs="+", default=PRESETS, metavar="NAME")
    args = parser.parse_args(argv)
    return ended("measure_locality", lambda: print(table(args)))


def table(args: argparse.Namespace) -> str:
    """Return a line for each preset."""
    from xcos_tf.cli.quiet import import_tensorflow

    import_tensorflow()
    from tools.explanations.drawn_pairs import draw_pairs
    from xcos_tf.evaluation.open_set import open_set
    from xcos_tf.evaluation.results_text import markdown_table
    from xcos_tf.models.presets import load_preset

    networks = {name: load_preset(name).network for name in args.preset}
    half = (args.faces + 1) // 2
    vset = open_set(args.folder, aligned=True, draw=(half, half))
    faces = np.stack([pair.face_a for pair in draw_pairs(vset, 2 * half)[: args.faces]])
    rows = []
    for name, network in networks.items():
        inside, near, radius = measure(
            network.features if network.explains else network.backbone, faces
        )
        rows.append([name, f"{100 * inside:.1f} %", f"{100 * near:.1f} %", f"{radius:.0f}"])
    return markdown_table(HEADINGS, rows)


if __name__ == "__main__":
    sys.exit(main())
