"""`xcos fit-whatif PRESET SET...`: what covering a cell does to a grid, learned from people."""

import argparse

from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError, counted, on_one_line

FACES = 6000
HELD_OUT = 150  # faces to measure on, at most

HELP = "let a preset tell what covering a cell would do"
DESCRIPTION = """Cover each cell of training faces, fit a small model to what that does to their
grid features, and put it into the preset's folder, for `xcos verify` and for the method xcos-whatif
of `xcos explain`. People whom the preset's training held out are held out here too, and the model
is measured on them. A run that was stopped goes on where it was when started again. Exit code: 0
done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "preset PRESET", "bundled xCos preset, or preset folder")
    add(parser, "sets SET", "training people, as `xcos prepare` made them", nargs="+")
    add(parser, "--faces N", "to cover, at most", whole_number, FACES)
    add(parser, "--seed N", kind=whole_number, default=0)


def paths(args: argparse.Namespace) -> Paths:
    if args.faces < 2:
        raise XcosError(f"--faces {args.faces} is under 2, and two are the fewest; give more")
    if args.seed < 0:
        raise XcosError(f"--seed {args.seed} is under 0; give 0 or more")
    return Paths(
        folders=dict.fromkeys(args.sets, "{} is no prepared set; make one with `xcos prepare`"),
        presets=(args.preset,),
    )


def run(args: argparse.Namespace) -> int:
    import json
    import shutil

    from xcos_tf.evaluation.thresholds import spread_over_people
    from xcos_tf.explain.whatif.covering import cover_faces
    from xcos_tf.explain.whatif.fitting import agreement, fit_covered_grids
    from xcos_tf.export.tflite.whatif import write_whatif
    from xcos_tf.files import check_can_write
    from xcos_tf.models.preset_folder import DEFAULT_PRESET, whatif_file
    from xcos_tf.models.presets import load_preset
    from xcos_tf.runtime.loading import load_runtime

    preset = load_preset(args.preset)
    if not preset.network.explains:
        raise XcosError(
            f"the preset {args.preset!r} has no grid whose cells could be covered; give an xCos "
            f"preset, such as {DEFAULT_PRESET}"
        )
    path = whatif_file(preset.folder)
    check_can_write(path, within=path.parent)
    sets, training, held_out = _people(args, preset)
    compare = preset.network.comparisons[preset.network.attention]
    state = path.parent.absolute().with_name(f".{path.parent.absolute().name}.whatif")
    identity = [preset.config["weights"]["sha256"], [x["fingerprint"] for x in sets], args.seed]
    covered = []
    with goes_on():
        runtime = load_runtime(preset.folder)
        for faces, count in ((training, args.faces), (held_out, HELD_OUT)):
            chosen = spread_over_people(faces.labels, count, args.seed)
            kept = json.dumps([*identity, faces.people])
            folder = state / ("training" if faces is training else "held-out")
            covered.append(cover_faces(runtime, faces, chosen, folder, kept))
        model = fit_covered_grids(covered[0], compare, args.seed)
    facts = {"sets": sets, "people": len(training.people), "faces": len(covered[0])}
    facts |= {"seed": args.seed}
    if len(covered[1]):
        found = agreement(covered[1], model, compare, args.seed)
        facts["held_out"] = {"faces": len(covered[1]), **found}
    write_whatif(path, model, preset, facts)
    shutil.rmtree(state, ignore_errors=True)
    print(_summary(facts, path))
    return 0


def _people(args, preset):
    """Return the sets' names and fingerprints, the faces to learn from, and those held out."""
    from xcos_tf.data.face_set import hold_out, join_sets
    from xcos_tf.data.records.reader import PreparedSet
    from xcos_tf.training.correlation_preset import name_of

    sets = [PreparedSet(folder) for folder in args.sets]
    faces, (counts, seed) = join_sets(sets), _trained_without(preset.config)
    names = {records.folder.resolve().name for records in sets}
    if names.isdisjoint(counts):
        counts = {}  # the preset was trained on others
    elif missing := sorted(counts.keys() - names):
        raise XcosError(
            f"whom the preset's training held out can be told from all of its sets together; give "
            f"{', '.join(missing)} too"
        )
    training, held_out = hold_out(faces, counts, seed)
    if len(training.people) < 2:
        raise XcosError(
            f"the sets have faces of {counted(len(training.people), 'person', 'people')} to learn "
            "from, and two are the fewest; give more or larger sets"
        )
    for records in sets:
        records.check_size(preset.network.features.input_shape[1])
    return [name_of(records) for records in sets], training, held_out


def _trained_without(config: dict) -> tuple[dict[str, int], int]:
    """Return whom a preset's training held out, as `hold_out` takes it, and the draw's seed."""
    try:
        recorded = config["training"]["config"]
        counts = {str(name): int(count) for name, count in recorded["data"]["hold_out"].items()}
        return counts, int(recorded.get("seed", 0))
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}, 0  # it says nothing of it


def _summary(facts, path) -> str:
    from xcos_tf.explain.words import TRUSTED_DROP

    lines = [
        f"fitted to {counted(facts['faces'], 'face')} of "
        f"{counted(facts['people'], 'person', 'people')}"
    ]
    if "held_out" in facts:
        held = facts["held_out"]
        lines.append(
            f"rank correlation with what covering does: {held['rank_correlation']:.3f}; right sign "
            f"of drops of {TRUSTED_DROP} or more: {100 * held['right_sign']:.1f} %; on "
            f"{counted(held['faces'], 'face')} of people held out"
        )
    return "\n".join([*lines, f"model: {on_one_line(path)}"])
