"""Does the learned attention mirror when both faces are mirrored?

    python tools/measure_mirroring.py SET [PAIRS] [--pairs 200] [--preset NAME ...]

SET is a folder of aligned faces, one sub-folder a person, and PAIRS a list of its pairs; without
one they are drawn.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.models.preset_folder import whatif_file

PRESETS = ("xcos-mobilefacenet", "xcos-mobilefacenet-occlusion")
HEADINGS = (
    *("preset", "map", "with the mirrored pair's, mirrored back", "with the mirrored pair's"),
    *("with its own mirror image", "right half of the mean map", "score's change, mean size"),
)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="SET", help="aligned faces, one sub-folder a person")
    parser.add_argument("list", nargs="?", metavar="PAIRS", help="list of pairs")
    words = "are measured, half of them genuine (default: %(default)s)"
    parser.add_argument("--pairs", type=int, default=200, metavar="N", help=words)
    parser.add_argument("--preset", nargs="+", default=PRESETS, metavar="NAME")
    args = parser.parse_args(argv)
    return ended("measure_mirroring", lambda: print(table(args)))


def table(args: argparse.Namespace) -> str:
    """Return a line for each map of each preset, compared by Pearson correlation."""
    from tools.explanations.drawn_pairs import draw_pairs
    from xcos_tf.evaluation.open_set import open_set
    from xcos_tf.evaluation.results_text import markdown_table
    from xcos_tf.verifier import Verifier

    half = (args.pairs + 1) // 2
    draw = None if args.list else (half, half)
    pairs = draw_pairs(open_set(args.folder, args.list, aligned=True, draw=draw), 2 * half)
    faces = np.stack([[pair.face_a, pair.face_b] for pair in pairs])
    rows = []
    for name in args.preset:
        verifier = Verifier.from_preset(name)
        found, mirrored = (maps_of(verifier, x) for x in (faces, faces[:, :, :, ::-1]))
        moved = f"{np.abs(found.pop('score') - mirrored['score']).mean():.3f}"
        rows += [[name, x, *compared(found[x], mirrored[x]), moved] for x in found]
    return markdown_table(HEADINGS, rows)


def maps_of(verifier, faces: np.ndarray) -> dict[str, np.ndarray]:
    """Return the score of pairs of faces, uint8 (P, 2, 112, 112, 3), and their maps (P, h, w)."""
    grids = [verifier.embed(faces[:, i]) for i in range(2)]
    found = verifier.explain_pairs(*grids)
    maps = {"score": found["xcos"], "S": found["similarity_map"], "W": found["attention_map"]}
    if whatif_file(verifier.runtime.preset).is_file():
        maps["what if, A"], maps["what if, B"] = verifier.score_drops(*grids)
    return maps


def compared(maps: np.ndarray, mirrored: np.ndarray) -> list[str]:
    """Return what a line says of maps (P, h, w), and of those of the mirrored pairs."""
    others = (mirrored[..., ::-1], mirrored, maps[..., ::-1])
    mean, half = maps.mean(axis=0), maps.shape[-1] // 2
    right, left = mean[:, -half:].sum(), mean[:, :half].sum()
    share = f"{100 * right / (left + right):.0f} %"
    return [*(f"{correlation(maps, other):.2f}" for other in others), share]


def correlation(maps: np.ndarray, others: np.ndarray) -> float:
    """Return the mean Pearson correlation of maps with others, pair by pair."""
    pairs = zip(maps, others, strict=True)
    return float(np.mean([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in pairs]))


if __name__ == "__main__":
    sys.exit(main())
