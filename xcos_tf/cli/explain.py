"""`xcos explain A B`: what several methods say about the score of two photos, in one picture."""

import argparse

from xcos_tf.cli.arguments import add_face_arguments, add_two_photos, photo_argument, warn_of_faces
from xcos_tf.cli.parser import add
from xcos_tf.cli.paths import Paths, given
from xcos_tf.errors import counted, on_one_line
from xcos_tf.models.preset_folder import DEFAULT_PRESET

HELP = "compare explanations of two photos' score in one picture"
DESCRIPTION = """Explain the score of two photos by several methods, and draw a row for each: for
xCos S, W and S·W, for any other its map on both faces. Methods: xcos, xcos-correlated, xcos-patched
and xcos-whatif explain an xCos preset; tail, gradcam, gradcam++, layercam, scorecam, saliency and
smoothgrad its plain baseline; occlusion, corrrise, random and face-centre any preset. Exit code: 0
done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_two_photos(parser)
    add(parser, "--method NAMES", "with commas between them", default="xcos,gradcam")
    add(parser, "--out FILE", "the picture: .png, .pdf or .svg", required=True)
    add(parser, "--preset NAME", "bundled preset or preset folder", default=DEFAULT_PRESET)
    about = (
        "plain preset for the methods that need one (default: the bundled one that the preset is "
        "named after, or mobilefacenet)"
    )
    add(parser, "--baseline NAME", about)
    add(parser, "--values", "print the values in the cells")
    about = "paper, blue for similar and red for not, or cividis, which prints well in grey"
    add(parser, "--colours NAME", about, default="paper")
    add_face_arguments(parser)


def paths(args: argparse.Namespace) -> Paths:
    from xcos_tf.explain.output_paths import check_figure_path

    check_figure_path(args.out)
    return Paths(
        photos=(args.a, args.b), presets=given(args.preset, args.baseline), written=(args.out,)
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.explain.canvas import save_figure
    from xcos_tf.explain.comparison import choose_methods, choose_presets, explain_pair
    from xcos_tf.explain.panels import colours_named

    colours = colours_named(args.colours)
    methods = choose_methods(args.method)
    presets = choose_presets(methods, args.preset, args.baseline)

    from pathlib import Path

    from xcos_tf.explain.comparison_figure import draw_comparison
    from xcos_tf.progress import Bar
    from xcos_tf.verifier import Verifier

    verifiers = {
        preset: Verifier.from_preset(preset, face=args.face) for preset in dict.fromkeys(presets)
    }
    templates = [
        verifiers[presets[0]].enroll(photo_argument(path), args.aligned)
        for path in (args.a, args.b)
    ]
    warn_of_faces(args, templates)
    faces = [template.face for template in templates]
    rows = [
        explain_pair(verifiers[preset], preset, method, *faces)
        for method, preset in Bar(list(zip(methods, presets, strict=True)), "methods", leave=False)
    ]
    names = [Path(path).name for path in (args.a, args.b)]
    save_figure(draw_comparison(*faces, rows, *names, args.values, colours), args.out)
    print(_as_text(rows))
    print(f"picture: {on_one_line(args.out)}")
    return 0


def _as_text(rows) -> str:
    from xcos_tf.explain.comparison import distinct_scores
    from xcos_tf.explain.comparison_figure import score_name
    from xcos_tf.explain.words import explanation_sentence

    lines = []
    for row in distinct_scores(rows):
        scored = f"{score_name(row.score)} {row.explanation.score:.3f}"
        if row.threshold is None:
            lines.append(f"{row.preset}: {scored} (the preset states no threshold)")
            continue
        verdict, sign = ("same person", "≥") if row.same else ("different people", "<")
        threshold = f"{row.threshold:.3f} (threshold at FMR 0.001)"
        lines.append(f"{row.preset}: {verdict}: {scored} {sign} {threshold}")
    for row in rows:
        explanation = row.explanation
        lines.append(
            f"{explanation.method} of {row.preset}: {explanation.seconds:.3f} s, "
            f"{counted(explanation.forward, 'face')} forward and {explanation.backward:,} backward"
        )
        if sentence := explanation_sentence(explanation):
            lines.append(f"  {sentence}")
    return "\n".join(lines)
