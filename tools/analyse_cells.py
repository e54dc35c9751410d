"""What grid cells do: where a face is covered, when it is mirrored, and how local they are.

    python tools/analyse_cells.py covered FACES [--share 0.5] [--pairs 6000] [--preset NAME ...]
    python tools/analyse_cells.py mirrored FACES [PAIRS] [--pairs 200] [--preset NAME ...]
    python tools/analyse_cells.py local FACES [--faces 64] [--preset NAME ...]

FACES holds aligned faces, one sub-folder a person, of people who are not tested on; PAIRS is a list
of its pairs, which are drawn without one. `covered` covers one face of each pair as in `xcos
evaluate --occlusion`; a cell counts as covered where strokes hide more than half of its 16×16
pixels. Beside U and L as they are, pairs are scored by two attentions that cannot be had, since
they are told which cells are covered: U and L over the others alone. `mirrored` compares maps with
those of the mirrored pair. `local` measures the effective receptive field, of the last feature map
of a plain preset and of the grid of an xCos preset.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.data.occlusion import Occluder
from xcos_tf.evaluation.aligned_faces import FaceReader
from xcos_tf.evaluation.drawn_pairs import Pair, draw_pairs
from xcos_tf.evaluation.occluded import draw_cover
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.results_text import markdown_table
from xcos_tf.metrics.rates import kfold_accuracy
from xcos_tf.models.preset_folder import DEFAULT_PRESET, whatif_file
from xcos_tf.verifier import Verifier

XCOS = (DEFAULT_PRESET, "xcos-mobilefacenet", "xcos-mobilefacenet-occlusion")
PLAIN = ("mobilefacenet", "mobilefacenet-occlusion")
MIRRORED = (
    *("preset", "map", "with the mirrored pair's, mirrored back", "with the mirrored pair's"),
    *("with its own mirror image", "right half of the mean map", "score's change, mean size"),
)
LOCAL = ("preset", "in the cell itself", "in it and its neighbours", "half within, pixels")


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
    found = verifier.explain_pairs(first, second, "learned")
    similarity, weights = found["similarity_map"], found["attention_map"]
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


def covered_table(args: argparse.Namespace) -> str:
    """Return a column for each preset."""
    occluder = Occluder(share=args.share)
    vset = open_set(args.folder, aligned=True, draw=(args.pairs, args.pairs))
    verifiers = {name: Verifier.from_preset(name) for name in args.preset}
    names, pairs = vset.photos.names, vset.pairs
    cover = draw_cover(pairs, occluder.seed)
    batches = FaceReader(vset).batches(range(len(names)), "faces")
    faces = [face for _, batch in batches for face in batch]
    faces = np.stack([*faces, *(occluder.cover(faces[i], names[i]) for i in cover.photos)])
    # Of each pair, one face is as it was.
    ends = (cover.first, pairs.first), (cover.second, pairs.second)
    masks = np.logical_or(*((faces[now] != faces[before]).any(-1) for now, before in ends))
    columns = []
    for verifier in verifiers.values():
        blocks = [verifier.embed(faces[i : i + 64]) for i in range(0, len(faces), 64)]
        grids = np.concatenate(blocks)
        ends, cells = (grids[cover.first], grids[cover.second]), covered_cells(masks, len(grids[0]))
        columns.append(analyse(verifier, *ends, cells, pairs.same, pairs.fold))
    rows = [[name, *(f"{column[name]:.4f}" for column in columns)] for name in columns[0]]
    return markdown_table([f"{100 * args.share:.0f} % of one face covered", *verifiers], rows)


def mirrored_table(args: argparse.Namespace) -> str:
    """Return a line for each map of each preset, compared by Pearson correlation."""
    pairs = _drawn(args, args.pairs, args.list)
    faces = np.stack([[pair.face_a, pair.face_b] for pair in pairs])
    rows = []
    for name in args.preset:
        verifier = Verifier.from_preset(name)
        found, mirrored = (maps_of(verifier, x) for x in (faces, faces[:, :, :, ::-1]))
        moved = f"{np.abs(found.pop('score') - mirrored['score']).mean():.3f}"
        rows += [[name, x, *compared(found[x], mirrored[x]), moved] for x in found]
    return markdown_table(MIRRORED, rows)


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
    mean, half, correlations = maps.mean(axis=0), maps.shape[-1] // 2, []
    for others in (mirrored[..., ::-1], mirrored, maps[..., ::-1]):
        pairs = zip(maps, others, strict=True)
        each = [np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in pairs]
        correlations.append(f"{np.mean(each):.2f}")
    right, left = mean[:, -half:].sum(), mean[:, :half].sum()
    return [*correlations, f"{100 * right / (left + right):.0f} %"]


def local_table(args: argparse.Namespace) -> str:
    """Return a line for each preset."""
    from xcos_tf.explain.faithfulness.effective_field import locality
    from xcos_tf.models.presets import load_preset

    networks = {name: load_preset(name).network for name in args.preset}
    faces = np.stack([pair.face_a for pair in _drawn(args, args.faces)[: args.faces]])
    rows = []
    for name, network in networks.items():
        model = network.features if network.explains else network.backbone
        inside, near, radius = locality(model, faces)
        rows.append([name, f"{100 * inside:.1f} %", f"{100 * near:.1f} %", f"{radius:.0f}"])
    return markdown_table(LOCAL, rows)


def _drawn(args, count: int, listed: str | None = None) -> list[Pair]:
    """Return so many pairs of the folder's or of a list's, one more if that is odd."""
    half = (count + 1) // 2
    draw = None if listed else (half, half)
    return draw_pairs(open_set(args.folder, listed, aligned=True, draw=draw), 2 * half)


def main(argv: list[str] | None = None) -> int:
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("analyse_cells", description=__doc__, formatter_class=text)
    commands = parser.add_subparsers(required=True)
    for name, table, presets, option, count, words in (
        ("covered", covered_table, XCOS, "--pairs", 6000, "of each kind"),
        ("mirrored", mirrored_table, XCOS, "--pairs", 200, "half of them genuine"),
        ("local", local_table, (*PLAIN, *XCOS), "--faces", 64, "to measure on"),
    ):
        command = commands.add_parser(name)
        command.set_defaults(table=table)
        command.add_argument("folder", metavar="FACES", help="of aligned faces")
        command.add_argument("--preset", nargs="+", default=presets, metavar="NAME")
        words = f"{words} (default: %(default)s)"
        command.add_argument(option, type=int, default=count, metavar="N", help=words)
    words = "of a face is covered (default: %(default)s)"
    commands.choices["covered"].add_argument("--share", type=float, default=0.5, help=words)
    mirrored = commands.choices["mirrored"]
    mirrored.add_argument("list", nargs="?", metavar="PAIRS", help="list of pairs")

    def do(args: argparse.Namespace) -> None:
        from xcos_tf.quiet import import_tensorflow

        import_tensorflow()
        print(args.table(args))

    return ended(parser, do, argv)


if __name__ == "__main__":
    sys.exit(main())
