"""`xcos train CONFIG... --data FOLDER --out RUN`: prepared sets of faces -> a preset."""

import argparse
import os

from xcos_tf.cli.parser import add
from xcos_tf.cli.paths import Paths
from xcos_tf.errors import XcosError, shown

HELP = "train the model that a configuration describes"
DESCRIPTION = """Train the model of CONFIG (see docs/configuration.md) on sets that `xcos prepare`
made, and write RUN/preset. The same command goes on with a run that was interrupted, from its last
checkpoint. Exit code: 0 done, 2 error, 130 interrupted by Ctrl-C, 143 stopped by SIGTERM."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    about = "YAML file, see configs/; what a second one says goes over what the first one does"
    add(parser, "configs CONFIG", about, nargs="+")
    add(parser, "--data FOLDER", "holds the prepared sets", required=True)
    add(parser, "--out RUN", "folder of the run", required=True)


def paths(args: argparse.Namespace) -> Paths:
    """Return what is read and written; of a run that goes on, CONFIG may be its own copy."""
    if not os.path.isdir(args.data):
        raise XcosError(f"there is no folder {shown(args.data)}; check the path")
    with os.scandir(args.data) as entries:
        sets = [x.path for x in entries if os.path.exists(os.path.join(x.path, "index.json"))]
    goes_on = os.path.exists(os.path.join(args.out, "run.json"))
    return Paths(
        files=dict.fromkeys(args.configs, "there is no configuration {}; check the path"),
        also_read=sets,
        written=() if goes_on else (os.path.join(args.out, "config.yaml"),),
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.training.config_reader import read_config

    read_config(*args.configs)  # before TensorFlow, which takes seconds to load
    from xcos_tf.explain.correlation_figure import preset_pictures
    from xcos_tf.training.run import train

    return train(args.configs, args.data, args.out, preset_pictures)
