"""`xcos evaluate SET [PAIRS]`: what presets are worth on a test set, or on all pairs of faces."""

import argparse
import json
import shlex
import tempfile
from contextlib import nullcontext
from pathlib import Path

from xcos_tf.cli.arguments import add_set_arguments, check_set_arguments, open_given_set, set_paths
from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError

HELP = "measure presets on a test set"
DESCRIPTION = """Measure k-fold accuracy, AUC, EER, TAR at FAR, and FMR and FNMR at the preset's own
thresholds, with 95 % confidence intervals. Each face goes through a backbone once; no test-time
augmentation. SET is a folder of photos with a list of PAIRS, a folder of people with --draw,
--all-pairs or --identification, or one of InsightFace's NAME.bin files."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_set_arguments(parser)
    about = "bundled preset or preset folder; may be repeated (default: every bundled one)"
    add(parser, "--preset NAME", about, action="append")
    about = "also measure accuracy with 10, 20, … 50 %% of one face of each pair covered"
    add(parser, "--occlusion", about)
    add(parser, "--seed S", "of --draw and --occlusion (default: 0)", whole_number)
    everything = parser.add_argument_group("all faces of a folder of people against all others")
    add(everything, "--all-pairs", "score every pair there is, at constant memory")
    about = "search each face among all others: rank-1, rank-5, FPIR, FNIR, and thresholds"
    add(everything, "--identification", about)
    add(everything, "--templates FILE", "where to keep the faces' features for the next time")
    add(parser, "--report FILE", "write everything as one HTML file")
    add(parser, "--json", "print everything as JSON")


def paths(args: argparse.Namespace) -> Paths:
    _check_options(args)
    if args.report is not None:
        from xcos_tf.explain.output_paths import check_report_path

        check_report_path(args.report)
    return set_paths(args, args.preset or (), written=given(args.report, args.templates))


def run(args: argparse.Namespace) -> int:
    from xcos_tf.models.preset_folder import bundled_presets

    presets = args.preset or bundled_presets()
    if args.identification:
        return _run_identification(args, presets)
    if args.all_pairs:
        return _run_all_pairs(args, presets)
    from xcos_tf.evaluation.matcher import open_matchers
    from xcos_tf.evaluation.measurement import measure
    from xcos_tf.evaluation.occluded import check_folds, score_occluded, under_occlusion
    from xcos_tf.evaluation.protocol import score_set
    from xcos_tf.evaluation.results_text import results_document, results_tables

    open_matchers(presets)  # opening a set may take minutes, a typing error is found at once
    vset = open_given_set(args)
    if args.occlusion:
        check_folds(vset.pairs)
        by_share = score_occluded(presets, vset, seed=args.seed or 0)
        scores, occlusion = by_share[0.0], under_occlusion(by_share, vset.pairs)
    else:
        scores, occlusion = score_set(presets, vset), []
    results = [(scored, measure(scored, vset.pairs)) for scored in scores]
    if args.report is not None:
        from xcos_tf.evaluation.aligned_faces import FaceReader
        from xcos_tf.explain.report.page import write_report

        command = shlex.join(["xcos", *args.words])
        write_report(args.report, vset, results, FaceReader(vset).face, occlusion, command)
    if args.json:
        print(json.dumps(results_document(vset, results, occlusion), indent=2))
    else:
        print(results_tables(args.folder, vset, results, occlusion))
    return 0


def _check_options(args) -> None:
    """Refuse options that would be passed over."""
    whole = "--all-pairs scores every pair of a folder"
    if args.identification:
        whole = "--identification searches each face of a folder"
    if args.all_pairs or args.identification:
        options = ("draw", "select", "columns", "skip_faceless", "occlusion", "seed", "report")
        others = ["--all-pairs"] if args.all_pairs and args.identification else []
        others += ["PAIRS"] if args.pairs is not None else []
        others += [
            f"--{name.replace('_', '-')}"
            for name in options
            if getattr(args, name) is not None and getattr(args, name) is not False
        ]
        if others:
            raise XcosError(f"{whole}, without {', '.join(others)}; leave one or the other out")
        return
    if args.templates is not None:
        raise XcosError(
            "--templates is for --all-pairs and --identification; leave it out or add one of them"
        )
    if args.seed is not None and args.draw is None and not args.occlusion:
        raise XcosError("--seed is for --draw and --occlusion; leave it out or add one of them")
    check_set_arguments(args)


def _run_identification(args, presets: list[str]) -> int:
    """Measure searches by every score of every preset, and print tables."""
    from xcos_tf.search.identification import (
        identification_document,
        identification_tables,
        identify,
    )

    results = [
        (store.info, matcher.name, identify(store, matcher.verifier))
        for matcher, store in _stores(args, presets)
    ]
    document = identification_document(args.folder, results)
    print(json.dumps(document, indent=2) if args.json else identification_tables(document))
    return 0


def _stores(args, presets: list[str]):
    """Go through presets and the templates that they make of a folder, kept in a file if named."""
    from xcos_tf.evaluation.matcher import open_matchers
    from xcos_tf.evaluation.templates import make_templates

    matchers, templates = open_matchers(presets), args.templates
    if templates and len(matchers) > 1:
        raise XcosError(
            f"--templates keeps templates of one preset and there are {len(matchers)}; choose one "
            "with --preset"
        )
    for matcher in matchers:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(templates) if templates else Path(temporary) / "templates.safetensors"
            with goes_on() if templates else nullcontext():
                yield matcher, make_templates(matcher.verifier, args.folder, path)


def _run_all_pairs(args, presets: list[str]) -> int:
    """Measure every score of every preset on all pairs of a folder's faces, and print tables.

    What is finished when this is interrupted is printed, too.
    """
    from xcos_tf.evaluation.all_pairs import compare_all
    from xcos_tf.evaluation.results_text import all_pairs_document, all_pairs_tables

    results = []

    def show() -> None:
        document = all_pairs_document(args.folder, results)
        print(json.dumps(document, indent=2) if args.json else all_pairs_tables(document))

    try:
        for matcher, store in _stores(args, presets):
            # The learned attention last: it takes the longest by far.
            for score in sorted(matcher.scores, key="learned".__eq__):
                results.append((store.info, matcher.name, compare_all(store, matcher, score)))
    except KeyboardInterrupt:
        if results:
            show()
        raise
    show()
    return 0
