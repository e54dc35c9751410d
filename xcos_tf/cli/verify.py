"""`xcos verify A B`: are these the same person, and why."""

import argparse
import json

from xcos_tf.cli.arguments import (
    add_face_arguments,
    add_server_arguments,
    add_two_photos,
    certificates,
    connect,
    photo_argument,
    warn_of_faces,
)
from xcos_tf.cli.parser import add, finite_number, number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError, counted, on_one_line
from xcos_tf.models.preset_folder import DEFAULT_PRESET

SAME, DIFFERENT = 0, 1

HELP = "compare two photos and explain the score"
DESCRIPTION = """Compare the faces of two photos. Exit code: 0 same person, 1 different people, 2
error; 0 for a list of pairs that is done."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_two_photos(parser, nargs="?")
    add(parser, "--camera", "compare A with one frame of the webcam (needs OpenCV)")
    many = parser.add_argument_group("many pairs", "A run that was stopped goes on.")
    about = "photos by columns `first` and `second`, with paths from the list's folder"
    add(many, "--pairs FILE.csv", about)
    add(many, "--out RESULTS.csv", "a row for each pair: verdict, score and sentence, or an error")
    add(parser, "--explain FILE", "draw the maps to .png, .pdf or .svg")
    add(parser, "--json", "print everything as JSON")
    add(parser, "--preset PRESET", "bundled preset or preset folder", default=DEFAULT_PRESET)
    about = "how cells are weighed (default: the preset's last, learned in those that ship)"
    add(parser, "--attention {patched,correlated,learned}", about)
    limit = parser.add_mutually_exclusive_group()
    about = "threshold at this false match rate: 1e-2, 1e-3 or 1e-4"
    add(limit, "--fmr X", about, number, 1e-3)
    add(limit, "--threshold X", "a threshold of your own", finite_number)
    add_face_arguments(parser)
    add_server_arguments(parser)


def paths(args: argparse.Namespace) -> Paths:
    certified = certificates(args)
    if args.pairs is not None or args.out is not None:
        return _paths_of_pairs(args)
    if args.a is None or (args.b is None) != args.camera:
        raise XcosError("two photos are needed; give A and B, or A and --camera, or --pairs")
    if args.explain is not None:
        from xcos_tf.explain.output_paths import check_figure_path

        check_figure_path(args.explain)
    return Paths(
        photos=given(args.a, args.b),
        files=certified,
        presets=(args.preset,),
        written=given(args.explain),
    )


def _paths_of_pairs(args: argparse.Namespace) -> Paths:
    if args.pairs is None or args.out is None:
        raise XcosError("--pairs and --out belong together; give both, or neither")
    if args.a or args.camera or args.explain or args.json or args.server is not None:
        raise XcosError(
            "--pairs has its photos in a list and its verdicts in a table; leave out A, B, "
            "--camera, --explain, --json and --server"
        )
    return Paths(
        files={args.pairs: "there is no list of pairs {}; check the path"},
        presets=(args.preset,),
        written=(args.out,),
    )


def run(args: argparse.Namespace) -> int:
    if args.pairs is not None:
        return _run_pairs(args)
    if args.camera:
        args.b = "the camera"
    result = _from_server(args) if args.server is not None else _computed_here(args)
    warn_of_faces(args, (result.template_a, result.template_b))
    if args.explain:
        _draw(args, result)
    print(_as_json(args, result) if args.json else _as_text(args, result))
    return SAME if result.same else DIFFERENT


def _run_pairs(args) -> int:
    from pathlib import Path

    from xcos_tf.data.aligner import FaceAligner
    from xcos_tf.evaluation.pair_lists import read_photo_pairs
    from xcos_tf.evaluation.verdicts import verify_listed
    from xcos_tf.files import check_can_write
    from xcos_tf.verifier import Verifier

    source, out = Path(args.pairs), Path(args.out)
    pairs = read_photo_pairs(source)
    check_can_write(out, out.parent)
    verifier = Verifier.from_preset(args.preset)
    attention = verifier.checked(args.attention)
    threshold = (
        verifier.threshold(attention, args.fmr) if args.threshold is None else args.threshold
    )
    aligner = None if args.aligned else FaceAligner(args.face)
    with goes_on():
        rows = verify_listed(verifier, pairs, source.parent, out, attention, threshold, aligner)
    same, different, failed = (sum(row[2] == sign for row in rows) for sign in ("1", "0", ""))
    print(
        f"{counted(len(rows), 'pair')}: {same:,} the same person, {different:,} different people, "
        f"{failed:,} failed; {on_one_line(args.out)}"
    )
    return SAME


def _computed_here(args):
    from xcos_tf.verifier import Verifier

    verifier = Verifier.from_preset(args.preset, face=args.face)
    if args.explain and not verifier.explains:
        raise XcosError(
            f"the preset {args.preset!r} has no maps to explain; use an xCos preset or leave out "
            "--explain"
        )
    photos = _photos(args)
    return verifier.verify(*photos, args.attention, args.fmr, args.threshold, args.aligned)


def _photos(args):
    if not args.camera:
        return map(photo_argument, (args.a, args.b))
    from xcos_tf.data.photo import take_photo

    return photo_argument(args.a), take_photo()


def _from_server(args):
    from xcos_tf.models.preset_config import read_config
    from xcos_tf.models.preset_folder import find_preset
    from xcos_tf.models.preset_threshold import default_attention
    from xcos_tf.serving.photos import verify_photos

    config = read_config(find_preset(args.preset))
    attention = default_attention(config)
    if args.attention not in (None, attention):
        raise XcosError(
            f"a server computes with the {attention} attention only; leave out "
            f"--attention {args.attention}, or leave out --server"
        )
    photos, limit = _photos(args), (args.fmr, args.threshold)
    with connect(args, model=config["name"]) as client:
        return verify_photos(client, *photos, config, *limit, args.face, args.aligned)


def _as_text(args, result) -> str:
    verdict = "same person" if result.same else "different people"
    sign = "≥" if result.same else "<"
    name = "cosine" if result.similarity_map is None else f"xCos ({result.attention} attention)"
    basis = "your threshold" if args.threshold is not None else f"threshold at FMR {args.fmr:g}"
    lines = [f"{verdict}: {name} {result.score:.3f} {sign} {result.threshold:.3f} ({basis})"]
    if result.similarity_map is not None:
        lines.append(result.sentence)
    if args.explain:
        lines.append(f"picture: {on_one_line(args.explain)}")
    return "\n".join(lines)


def _as_json(args, result) -> str:
    templates = (result.template_a, result.template_b)
    answer = {
        "same": result.same,
        "score": result.score,
        "threshold": result.threshold,
        "fmr": None if args.threshold is not None else args.fmr,
        "attention": result.attention,
        "preset": args.preset,
        "photos": [args.a, args.b],
        "faces_found": [template.faces_found for template in templates],
        "turned": [template.turned for template in templates],
        "places": [template.box_and_landmarks for template in templates],
    }
    answer |= result.told()
    if result.drops is not None:
        answer |= {f"drops_{x}": y.tolist() for x, y in zip("ab", result.drops, strict=True)}
    return json.dumps(answer, indent=2)


def _draw(args, result) -> None:
    from pathlib import Path

    from xcos_tf.explain.canvas import save_figure
    from xcos_tf.explain.figure import draw_verification

    names = (Path(path).name for path in (args.a, args.b))
    save_figure(draw_verification(result, *names), args.explain)
