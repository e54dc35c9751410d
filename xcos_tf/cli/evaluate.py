"""`xcos evaluate FOLDER PAIRS`: accuracy of presets on a list of pairs."""

import argparse
import json


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Attach the subcommand's parser."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure presets on a folder of faces and a list of pairs",
        description="Measure k-fold accuracy, AUC, EER, TAR at FAR, and FMR and FNMR at the "
        "preset's own threshold. Each face goes through a backbone once; no test-time "
        "augmentation.",
    )
    parser.add_argument("folder", help="photos, or aligned 112×112 faces with --aligned")
    parser.add_argument("pairs", help="LFW-style pairs.txt")
    parser.add_argument(
        "--preset",
        action="append",
        metavar="NAME",
        help="bundled preset or preset folder; may be repeated (default: every bundled one)",
    )
    parser.add_argument(
        "--aligned", action="store_true", help="the folder was made by `xcos align`"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def run(args: argparse.Namespace) -> int:
    """Evaluate and print a table; returns the exit code."""
    from xcos_tf.evaluation.pairs import read_lfw_pairs
    from xcos_tf.evaluation.protocol import evaluate_presets
    from xcos_tf.models.presets import bundled_presets

    pairs = read_lfw_pairs(args.pairs, args.folder)
    results = evaluate_presets(
        args.preset or bundled_presets(), pairs, args.folder, aligned=args.aligned
    )
    if args.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
        return 0
    print(f"{len(pairs.same):,} pairs of {len(pairs.photos):,} photos in {args.folder}")
    columns = ("preset", "score", "accuracy %", "AUC", "EER %", "TAR % at FAR 1e-3", "at FMR 1e-3")
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in results:
        print(
            f"| {row['preset']} | {row['score']} "
            f"| {100 * row['accuracy']:.2f} ± {100 * row['accuracy_std']:.2f} | {row['auc']:.4f} "
            f"| {100 * row['eer']:.2f} | {100 * row['tar_at_far_1e-3']:.2f} "
            f"| {_at_threshold(row)} |"
        )
    return 0


def _at_threshold(row: dict) -> str:
    if row["threshold"] is None:
        return "no threshold"
    return f"FMR {100 * row['fmr']:.2f} %, FNMR {100 * row['fnmr']:.2f} %"
