"""`xcos evaluate SET [PAIRS]`: what presets are worth on a test set, or on all pairs of faces."""

import argparse
import json
import shlex
import tempfile
from contextlib import nullcontext
from pathlib import Path

from xcos_tf.cli.parser import whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.cli.set_arguments import (
    add_set_arguments,
    check_set_arguments,
    open_given_set,
    set_paths,
)
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Attach the subcommand's parser."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure presets on a test set",
        description="Measure k-fold accuracy, AUC, EER, TAR at FAR, and FMR and FNMR at the "
        "preset's own thresholds, with 95 % confidence intervals. Each face goes through a "
        "backbone once; no test-time augmentation. SET is a folder of photos with a list of "
        "PAIRS, a folder of people with --draw, --all-pairs or --identification, or one of "
        "InsightFace's NAME.bin files.",
    )
    add_set_arguments(parser)
    parser.add_argument(
        "--preset",
        action="append",
        metavar="NAME",
        help="bundled preset or preset folder; may be repeated (default: every bundled one)",
    )
    parser.add_argument(
        "--occlusion",
        action="store_true",
        help="also measure accuracy with 10, 20, … 50 %% of one face of each pair covered",
    )
    parser.add_argument(
        "--seed", type=whole_number, metavar="S", help="of --draw and --occlusion (default: 0)"
    )
    everything = parser.add_argument_group("all faces of a folder of people against all others")
    everything.add_argument(
        "--all-pairs", action="store_true", help="score every pair there is, at constant memory"
    )
    everything.add_argument(
        "--identification",
        action="store_true",
        help="search each face among all others: rank-1, rank-5, FPIR, FNIR, and thresholds",
    )
    everything.add_argument(
        "--templates", metavar="FILE", help="where to keep the faces' features for the next time"
    )
    parser.add_argument("--report", metavar="FILE", help="write everything as one HTML file")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def paths(args: argparse.Namespace) -> Paths:
    """Return what is read and written, after a look at the options."""
    _check_options(args)
    if args.report is not None:
        from xcos_tf.explain.output_paths import check_report_path

        check_report_path(args.report)
    return set_paths(args, args.preset or (), written=given(args.report, args.templates))


def run(args: argparse.Namespace) -> int:
    """Evaluate and print tables; returns the exit code."""
    from xcos_tf.models.preset_folder import bundled_presets

    presets = args.preset or bundled_presets()
    if args.identification:
        return run_identification(args.folder, presets, args.templates, args.json)
    if args.all_pairs:
        return run_all_pairs(args.folder, presets, args.templates, args.json)
    from xcos_tf.evaluation.matcher import open_matchers

    open_matchers(presets)  # opening a set may take minutes, a typing error is found at once
    vset = open_given_set(args)
    scores, occlusion = _score(presets, vset, args.occlusion, args.seed or 0)
    return _show(args, vset, scores, occlusion)


def _score(presets, vset, under_cover: bool, seed: int):
    """Return the scores, and accuracy under occlusion if asked for."""
    if not under_cover:
        from xcos_tf.evaluation.protocol import score_set

        return score_set(presets, vset), []
    from xcos_tf.evaluation.occluded import check_folds, score_occluded, under_occlusion

    check_folds(vset.pairs)
    by_share = score_occluded(presets, vset, seed=seed)
    return by_share[0.0], under_occlusion(by_share, vset.pairs)


def _show(args, vset, scores, occlusion) -> int:
    from xcos_tf.evaluation.measurement import measure
    from xcos_tf.evaluation.results_text import results_document, results_tables

    results = [(scored, measure(scored, vset.pairs)) for scored in scores]
    if args.report is not None:
        from xcos_tf.evaluation.aligned_faces import FaceReader
        from xcos_tf.explain.report.page import write_report

        command = shlex.join(["xcos", *args.words])
        write_report(args.report, vset, results, FaceReader(vset).face, occlusion, command)
    if args.json:
        document = results_document(vset, results, occlusion)
        print(json.dumps(document, indent=2))
    else:
        print(results_tables(args.folder, vset, results, occlusion))
    return 0


def _check_options(args) -> None:
    """Refuse options that would be passed over."""
    whole = "--identification" if args.identification else "--all-pairs"
    if args.all_pairs or args.identification:
        given = {
            "--all-pairs": args.all_pairs and args.identification,
            "PAIRS": args.pairs is not None,
            "--draw": args.draw is not None,
            "--select": args.select is not None,
            "--columns": args.columns is not None,
            "--skip-faceless": args.skip_faceless,
            "--occlusion": args.occlusion,
            "--seed": args.seed is not None,
            "--report": args.report is not None,
        }
        if others := [name for name, is_given in given.items() if is_given]:
            raise XcosError(
                f"{whole} compares all faces of a folder, without {', '.join(others)}; leave one "
                "or the other out"
            )
        return
    if args.templates is not None:
        raise XcosError(
            "--templates is for --all-pairs and --identification; leave it out or add one of them"
        )
    if args.seed is not None and args.draw is None and not args.occlusion:
        raise XcosError("--seed is for --draw and --occlusion; leave it out or add one of them")
    check_set_arguments(args)


def run_identification(
    folder: str, presets: list[str], templates: str | None, as_json: bool
) -> int:
    """Measure searches by every score of every preset, and print tables."""
    from xcos_tf.search.identification import identification_document, identify
    from xcos_tf.search.identification_text import identification_tables

    results = [
        (store.info, matcher.name, identify(store, matcher.verifier))
        for matcher, store in _stores(folder, presets, templates)
    ]
    document = identification_document(folder, results)
    print(json.dumps(document, indent=2) if as_json else identification_tables(document))
    return 0


def _stores(folder: str, presets: list[str], templates: str | None):
    """Go through the presets and the templates that they make of a folder.

    These are kept in a file if it is named.
    """
    from xcos_tf.evaluation.matcher import open_matchers
    from xcos_tf.evaluation.templates import make_templates

    matchers = open_matchers(presets)
    if templates and len(matchers) > 1:
        raise XcosError(
            f"--templates keeps templates of one preset and there are {len(matchers)}; choose one "
            "with --preset"
        )
    for matcher in matchers:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(templates) if templates else Path(temporary) / "templates.safetensors"
            with goes_on() if templates else nullcontext():
                yield matcher, make_templates(matcher.verifier, folder, path)


def run_all_pairs(folder: str, presets: list[str], templates: str | None, as_json: bool) -> int:
    """Measure every score of every preset on all pairs of a folder's faces, and print tables.

    What is finished when this is interrupted is printed, too.
    """
    from xcos_tf.evaluation.all_pairs import compare_all

    results = []

    def show() -> None:
        from xcos_tf.evaluation.all_pairs_text import all_pairs_document, all_pairs_tables

        document = all_pairs_document(folder, results)
        print(json.dumps(document, indent=2) if as_json else all_pairs_tables(document))

    try:
        for matcher, store in _stores(folder, presets, templates):
            # The learned attention last: it takes the longest by far.
            for score in sorted(matcher.scores, key="learned".__eq__):
                results.append((store.info, matcher.name, compare_all(store, matcher, score)))
    except KeyboardInterrupt:
        if results:
            show()
        raise
    show()
    return 0
