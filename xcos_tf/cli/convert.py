"""`xcos convert FILE FOLDER`: others' weights -> presets."""

import argparse

from xcos_tf.cli.parser import add
from xcos_tf.cli.paths import Paths, given
from xcos_tf.errors import XcosError, on_one_line

HELP = "turn a PyTorch checkpoint of xCos into a preset"
DESCRIPTION = """Turn a PyTorch checkpoint of the authors' xCos, or of its plain FC variant, into a
preset; depth and squeeze-and-excitation are read from its keys. It needs PyTorch. A published
MobileFaceNet.tflite is converted, too. Exit code: 0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "file FILE", "PyTorch file with the model's state_dict")
    add(parser, "folder FOLDER", "preset folder to write")
    add(parser, "--teacher FOLDER", "for the teacher's preset")
    about = "for head.kernel, one array `kernel` (classes, dimension)"
    add(parser, "--margin-head SAFETENSORS", about)
    parser.add_argument(
        "--colours",
        choices=("bgr", "rgb"),
        default="bgr",
        help="order that the checkpoint was trained on: bgr for the published weights, the "
        "default; rgb for weights trained on photos as they are",
    )
    add(parser, "--licence LICENCE", "to state", default="as the PyTorch weights")


def paths(args: argparse.Namespace) -> Paths:
    return Paths(
        files={
            args.file: "there is no file {}; give a PyTorch checkpoint, or MobileFaceNet.tflite"
        },
        written=given(args.margin_head),
        filled=(args.folder, *given(args.teacher)),
    )


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from safetensors.numpy import save

    from xcos_tf.files import file_sha256, replace_file
    from xcos_tf.models import conversion
    from xcos_tf.models.presets import save_preset
    from xcos_tf.models.pytorch_keys import convert_state_dict

    path, facts = Path(args.file), {"thresholds": {}}
    if conversion.is_tflite(path):
        facts |= {"name": "mobilefacenet", **conversion.MOBILEFACENET_FACTS}
        save_preset(args.folder, facts, conversion.read_mobilefacenet(path))
        print(f"wrote {on_one_line(args.folder)}")
        return 0
    found = convert_state_dict(conversion.read_state_dict(path), args.file)
    if args.teacher and found.teacher is None:
        raise XcosError(f"{path} holds no teacher; leave out --teacher")
    if args.margin_head and found.margin_kernel is None:
        raise XcosError(f"{path} holds no head.kernel; leave out --margin-head")
    facts |= {
        "training": {"by": "others, in PyTorch; converted, not trained, by this project"},
        "licence": args.licence,
        "provenance": f"{path.name} (SHA-256 {file_sha256(path).hexdigest()}), which takes "
        f"{args.colours.upper()}, converted by `xcos convert` to take RGB",
    }
    for folder, converted in ((args.folder, found.network), (args.teacher, found.teacher)):
        if folder:
            network = conversion.build_converted(converted, args.colours)
            save_preset(folder, {"name": Path(folder).resolve().name, **facts}, network)
            print(f"wrote {on_one_line(folder)}")
    if args.margin_head:
        kernel, content = Path(args.margin_head), save({"kernel": found.margin_kernel})
        kernel.parent.mkdir(parents=True, exist_ok=True)
        replace_file(kernel, lambda stream: stream.write(content))
        print(f"wrote {on_one_line(args.margin_head)}")
    for option, kept, there in (
        ("--teacher", args.teacher, found.teacher),
        ("--margin-head", args.margin_head, found.margin_kernel),
    ):
        if there is not None and not kept:
            print(f"left out the {option[2:].replace('-', ' ')}; give {option} to keep it")
    return 0
