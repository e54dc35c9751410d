"""`xcos fit-correlation PRESET SET...`: the correlated attention P, measured on training pairs."""

import argparse

from xcos_tf.cli.parser import add, number, whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError, counted, on_one_line

HELP = "measure the correlated attention of a preset"
DESCRIPTION = """Measure P, the Pearson correlation of each cell's cosine with a teacher's cosine
over training pairs, and write a preset that is PRESET with this P, with both maps in its
config.json and as a picture. Cells may be negative, and then count against likeness. A run that was
stopped goes on where it was when started again. Exit code: 0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "preset PRESET", "bundled xCos preset, or preset folder")
    add(parser, "sets SET", "training people, as `xcos prepare` made them", nargs="+")
    add(parser, "--out FOLDER", "for the new preset", required=True)
    about = "preset with an embedding, bundled or a folder"
    add(parser, "--teacher NAME", about, default="mobilefacenet")
    add(parser, "--pairs N", kind=whole_number, default=100_000)
    add(parser, "--genuine X", "share of genuine pairs", number, 0.5)
    add(parser, "--seed N", kind=whole_number, default=0)
    about = (
        "prepared people who were not trained on, to measure thresholds of the new P on; without "
        "it the preset has none for P"
    )
    add(parser, "--thresholds-set SET", about)


def paths(args: argparse.Namespace) -> Paths:
    if args.pairs < 2:
        raise XcosError(f"--pairs {args.pairs} is under 2, and two pairs are the fewest; give more")
    if not 0 <= args.genuine <= 1:
        raise XcosError(f"--genuine {args.genuine:g} is no share; give a number from 0 to 1")
    if args.seed < 0:
        raise XcosError(f"--seed {args.seed} is under 0; give 0 or more")
    sets = (*args.sets, *given(args.thresholds_set))
    return Paths(
        folders=dict.fromkeys(sets, "{} is no prepared set; make one with `xcos prepare`"),
        presets=(args.preset, args.teacher),
        filled=(args.out,),
    )


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from xcos_tf.data.face_set import join_sets
    from xcos_tf.evaluation.thresholds import fixed_attention_thresholds
    from xcos_tf.explain.correlation_figure import PICTURE, preset_pictures
    from xcos_tf.models.presets import check_writable, save_preset
    from xcos_tf.training import correlation_preset as fitting
    from xcos_tf.verifier import Verifier

    out = Path(args.out).resolve()
    check_writable(out, [PICTURE])
    sets, faces, held_out = _open_sets(args)
    preset, teacher = fitting.load_models(args.preset, args.teacher)
    size = preset.network.features.input_shape[1]
    for records in (*sets, held_out) if held_out else sets:
        records.check_size(size)
    state = out.with_name(f".{out.name}.correlation.npz")
    with goes_on():
        plan = fitting.Plan(args.pairs, args.genuine, args.seed)
        correlation = fitting.measure(preset, teacher, sets, faces, plan, state)
        thresholds = held_out and fixed_attention_thresholds(
            Verifier(preset), join_sets([held_out]), "correlated", seed=args.seed, size=size
        )
    facts = fitting.facts(correlation, plan, teacher, sets)
    if thresholds:
        counts = {x: getattr(thresholds, x) for x in ("people", "impostor_pairs")}
        facts["thresholds"] = {**fitting.name_of(held_out), **counts}
    config = fitting.new_config(preset.config, facts, thresholds.at if thresholds else {})
    save_preset(out, config, preset.network, preset_pictures(config))
    state.unlink(missing_ok=True)
    print(_summary(args, faces, correlation, thresholds))
    return 0


def _open_sets(args):
    """Return the prepared sets, their faces, and those to measure thresholds on or None."""
    from xcos_tf.data.face_set import join_sets
    from xcos_tf.data.records.reader import PreparedSet
    from xcos_tf.training.pairs import people_to_compare

    sets = [PreparedSet(folder) for folder in args.sets]
    faces = people_to_compare(join_sets(sets), args.genuine)
    if not args.thresholds_set:
        return sets, faces, None
    held_out = PreparedSet(args.thresholds_set)
    if held_out.source["fingerprint"] in [records.source["fingerprint"] for records in sets]:
        raise XcosError(
            f"thresholds cannot be measured on {args.thresholds_set}, which P is measured on; give "
            "people who were not trained on"
        )
    if len(set(join_sets([held_out]).labels.tolist())) < 2:
        raise XcosError(f"{args.thresholds_set} has fewer than 2 people; give a larger set")
    return sets, faces, held_out


def _summary(args, faces, correlation, thresholds) -> str:
    raw = correlation.raw
    lines = [
        f"{counted(correlation.pairs, 'pair')} "
        f"({100 * correlation.genuine / correlation.pairs:.1f} % genuine) of "
        f"{counted(len(faces.people), 'person', 'people')}: correlations from {raw.min():.3f} to "
        f"{raw.max():.3f}"
    ]
    for cells, what in (
        ((raw == 0).sum(), "never varied, and weigh nothing"),
        ((raw < 0).sum(), "are negative, and count against likeness"),
    ):
        if cells:
            lines.append(f"{cells} of {raw.size} cells {what}")
    if thresholds is None:
        lines.append(
            "the correlated attention's thresholds were of the old P and are left out; measure new "
            "ones with --thresholds-set"
        )
    else:
        at = ", ".join(f"{value:.3f} at FMR {rate}" for rate, value in thresholds.at.items())
        lines.append(
            f"thresholds: {at or 'none'} ({counted(thresholds.impostor_pairs, 'impostor pair')} of "
            f"{counted(thresholds.people, 'person', 'people')})"
        )
    return "\n".join([*lines, f"preset: {on_one_line(args.out)}"])
