"""`xcos export PRESET DIR`: a preset -> files for TF Serving and for TFLite."""

import argparse
import os

from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.errors import XcosError, on_one_line

HELP = "write a preset as a SavedModel for TF Serving and as TFLite files"
DESCRIPTION = """Write an xCos preset in the forms that others run. A SavedModel goes to
DIR/serving/NAME/VERSION, with the configuration of a server beside NAME; a version that is there
already is never changed. TFLite files go to DIR/tflite. Exit code: 0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "preset PRESET", "bundled xCos preset or preset folder")
    add(parser, "folder DIR", "folder to write to")
    add(parser, "--to {saved-model,tflite,all}", "which form to write", required=True)
    served = parser.add_argument_group("SavedModel")
    add(served, "--name NAME", "what the model is served as (default: the preset's name)")
    add(served, "--version N", "version (default: one after the highest there is)", whole_number)
    tflite = parser.add_argument_group("TFLite")
    add(tflite, "--variants A,B", "variants, such as float32,int8 (default: all)")
    about = "folder of aligned faces to calibrate int8 on (default: some that ship with xcos)"
    add(tflite, "--representative FACES", about)
    about = (
        "measure each variant's own thresholds first, on the people held out of the preset's "
        "training, and keep them in its folder; PREPARED has the sets that it was trained on"
    )
    add(tflite, "--measure PREPARED", about)


def paths(args: argparse.Namespace) -> Paths:
    unused = {"tflite": "name version", "saved-model": "variants representative measure"}
    for option in unused.get(args.to, "").split():
        if getattr(args, option) is not None:
            raise XcosError(f"--{option} is not for --to {args.to}; leave it out or use --to all")
    forms = {"saved-model": ("serving",), "tflite": ("tflite",), "all": ("serving", "tflite")}
    return Paths(
        folders=dict.fromkeys(
            given(args.representative, args.measure), "there is no folder {}; check the path"
        ),
        presets=(args.preset,),
        filled=[os.path.join(args.folder, form) for form in forms[args.to]],
    )


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    folder = Path(args.folder)
    planned, written = None, []
    if args.to != "tflite":
        from xcos_tf.export.saved_model import plan_version, publish_version

        planned = plan_version(args.preset, folder / "serving", args.name, args.version)
    # First, as it has input of its own that may be bad.
    if args.to != "saved-model":
        from xcos_tf.export.tflite.export import export_tflite

        variants = None if args.variants is None else args.variants.split(",")
        faces = None if args.representative is None else Path(args.representative)
        if args.measure is not None:
            from xcos_tf.cli.tflite_thresholds import measure_variants

            measured, variants = measure_variants(args.preset, Path(args.measure), variants)
            written.append(measured)
        written += export_tflite(args.preset, folder / "tflite", variants, faces)
    if planned:
        written.append(publish_version(planned))
    for path in written:
        print(on_one_line(path))
    return 0
