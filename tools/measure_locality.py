"""How local a grid cell is: the effective receptive field of the cells of presets.

    python tools/measure_locality.py FACES [--faces 64] [--preset NAME ...]

FACES holds aligned faces, one sub-folder a person. Of a plain preset the last feature map is
measured, of an xCos preset the grid; see xcos_tf/explain/faithfulness/effective_field.py.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

PRESETS = (
    "mobilefacenet",
    "mobilefacenet-occlusion",
    "xcos-mobilefacenet",
    "xcos-mobilefacenet-occlusion",
)
HEADINGS = ("preset", "in the cell itself", "in it and its neighbours", "half within, pixels")


def locality(energies: np.ndarray, grid: tuple[int, int]) -> tuple[float, float]:
    """Return the mean share of cells' energy that is in their own patch, and within one cell of it.

    Args:
        energies: float (h·w, H, W), that of each cell, row by row, each of sum 1.
        grid: h and w, which divide H and W.
    """
    h, w = grid
    size = energies.shape[1] // h, energies.shape[2] // w
    by_cell = energies.reshape(-1, h, size[0], w, size[1]).sum((2, 4))
    rows, columns = np.indices(grid)
    apart = np.maximum(
        np.abs(rows.reshape(-1, 1, 1) - rows), np.abs(columns.reshape(-1, 1, 1) - columns)
    )
    return tuple(float((by_cell * (apart <= reach)).sum((1, 2)).mean()) for reach in (0, 1))


def measure(model, faces: np.ndarray) -> tuple[float, float, float]:
    """Return what `locality` does of a model's cells, and the mean radius that holds half.

    Args:
        model: see `effective_fields`.
        faces: uint8 (N, H, W, 3), aligned.
    """
    from xcos_tf.explain.faithfulness.effective_field import effective_fields

    grid = model.output_shape[1:3]
    fields = effective_fields(model, faces, list(np.ndindex(*grid)))
    inside, near = locality(np.stack([field.energy for field in fields]), grid)
    return inside, near, float(np.mean([field.half_radius for field in fields]))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FACES", help="aligned faces, one sub-folder a person")
    parser.add_argument(
        "--faces", type=int, default=64, metavar="N", help="to measure on (default: %(default)s)"
    )
    parser.add_argument("--preset", nargs="+", default=PRESETS, metavar="NAME")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from xcos_tf.cli.quiet import import_tensorflow
    from xcos_tf.errors import XcosError

    import_tensorflow()
    try:
        rows = _measure(args)
    except XcosError as error:
        print(f"measure_locality: error: {error}", file=sys.stderr)
        return 2
    from xcos_tf.evaluation.results_text import markdown_table

    print(
        markdown_table(
            HEADINGS,
            [
                [name, f"{100 * inside:.1f} %", f"{100 * near:.1f} %", f"{radius:.0f}"]
                for name, (inside, near, radius) in rows.items()
            ],
        )
    )
    return 0


def _measure(args) -> dict[str, tuple[float, float, float]]:
    from tqdm import tqdm

    from tools.explanations.drawn_pairs import draw_pairs
    from xcos_tf.evaluation.open_set import open_set
    from xcos_tf.models.presets import load_preset

    networks = {name: load_preset(name).network for name in args.preset}
    half = (args.faces + 1) // 2
    vset = open_set(args.folder, aligned=True, draw=(half, half))
    faces = draw_pairs(vset, 2 * half).faces_a[: args.faces]
    rows = {}
    for name, network in tqdm(networks.items(), unit="preset"):
        rows[name] = measure(network.features if network.explains else network.backbone, faces)
    return rows


if __name__ == "__main__":
    sys.exit(main())
