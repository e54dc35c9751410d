"""Why xCos loses accuracy where a face is covered: what S and W do in covered cells.

    python tools/analyse_occlusion.py FACES --share 0.5 [--preset NAME ...] [--pairs 6000]

FACES holds aligned faces, one sub-folder a person, of people who are not tested on. One face of
each pair is covered as in `xcos evaluate --occlusion`. A cell counts as covered where strokes hide
more than half of its 16×16 pixels. Beside U and L as they are, pairs are scored by two attentions
that cannot be had, since they are told which cells are covered: U and L over the others alone.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended

PRESETS = ("xcos-mobilefacenet", "xcos-mobilefacenet-occlusion")
BLOCK = 2048


def covered_cells(masks: np.ndarray, cells: int) -> np.ndarray:
    """Return which cells are covered by more than half, bool (N, cells, cells).

    The masks are bool (N, size, size); `cells` along each side divide that size.
    """
    side = masks.shape[1] // cells
    return masks.reshape(-1, cells, side, cells, side).mean((2, 4)) > 0.5


def over_visible(weights: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Return attention maps (P, h, w) with nothing on covered cells, which again sum to 1."""
    kept = np.where(covered, 0, weights)
    total = kept.sum((1, 2), keepdims=True)
    return np.divide(kept, total, out=np.array(weights, np.float64), where=total > 0)


def analyse(verifier, first, second, covered, same, fold) -> dict[str, float]:
    """Return what happens in covered cells, by name; shares in [0, 1].

    `first` and `second` are grid features of each pair, float32 (P, h, w, c), and `covered` is bool
    (P, h, w).
    """
    from xcos_tf.metrics.rates import kfold_accuracy

    blocks = [slice(i, i + BLOCK) for i in range(0, len(first), BLOCK)]
    parts = [verifier.explain_pairs(first[x], second[x], "learned") for x in blocks]
    similarity, weights = (
        np.concatenate([part[name] for part in parts])
        for name in ("similarity_map", "attention_map")
    )
    attentions = {}
    for letter, map_ in (("U", np.full_like(weights, 1 / weights[0].size)), ("L", weights)):
        attentions[f"accuracy by {letter}"] = map_
        attentions[f"accuracy by {letter} over visible cells"] = over_visible(map_, covered)
    results = {
        name: kfold_accuracy((similarity * attention).sum((1, 2)), same, fold).mean
        for name, attention in attentions.items()
    }
    for place, where in (("covered", covered), ("visible", ~covered)):
        for kind, of_kind in (("genuine", same), ("impostor", ~same)):
            chosen = where & of_kind[:, np.newaxis, np.newaxis]
            results[f"mean S, {place} cells, {kind} pairs"] = float(similarity[chosen].mean())
    results["share of cells covered"] = float(covered.mean())
    results["share of L's weight on them"] = float((weights * covered).sum((1, 2)).mean())
    return results


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", metavar="FACES", help="aligned faces, one sub-folder a person")
    parser.add_argument("--share", type=float, default=0.5, help="covered (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=6000, help="of each kind (default: 6000)")
    parser.add_argument("--preset", nargs="+", default=PRESETS, metavar="NAME")
    args = parser.parse_args(argv)
    return ended("analyse_occlusion", lambda: print(table(args)))


def table(args: argparse.Namespace) -> str:
    """Return a column for each preset."""
    from xcos_tf.cli.quiet import import_tensorflow

    import_tensorflow()
    from xcos_tf.data.occlusion import Occluder
    from xcos_tf.evaluation.aligned_faces import FaceReader
    from xcos_tf.evaluation.occluded import draw_cover
    from xcos_tf.evaluation.open_set import open_set
    from xcos_tf.evaluation.results_text import markdown_table
    from xcos_tf.verifier import Verifier

    occluder = Occluder(share=args.share)
    vset = open_set(args.faces, aligned=True, draw=(args.pairs, args.pairs))
    verifiers = {name: Verifier.from_preset(name) for name in args.preset}
    names, pairs = vset.photos.names, vset.pairs
    cover = draw_cover(pairs, occluder.seed)
    faces = np.empty((len(names) + len(cover.photos), 112, 112, 3), np.uint8)
    for positions, batch in FaceReader(vset).batches(range(len(names)), "faces"):
        faces[positions] = batch
    for place, position in enumerate(cover.photos, len(names)):
        faces[place] = occluder.cover(faces[position], names[position])
    is_first = cover.first >= len(names)
    copy = np.where(is_first, cover.first, cover.second)
    masks = (faces[copy] != faces[np.where(is_first, pairs.first, pairs.second)]).any(-1)
    columns = []
    for verifier in verifiers.values():
        blocks = [verifier.embed(faces[i : i + 64]) for i in range(0, len(faces), 64)]
        grids = np.concatenate(blocks)
        ends, cells = (grids[cover.first], grids[cover.second]), covered_cells(masks, len(grids[0]))
        columns.append(analyse(verifier, *ends, cells, pairs.same, pairs.fold))
    rows = [[name, *(f"{column[name]:.4f}" for column in columns)] for name in columns[0]]
    return markdown_table([f"{100 * args.share:.0f} % of one face covered", *verifiers], rows)


if __name__ == "__main__":
    sys.exit(main())
