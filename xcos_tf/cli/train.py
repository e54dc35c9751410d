"""`xcos train CONFIG... --data FOLDER --out RUN`: prepared sets of faces -> a preset."""

import argparse


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Attach the subcommand's parser."""
    parser = subparsers.add_parser(
        "train",
        help="train the model that a configuration describes",
        description="Train the model of CONFIG (see configs/README.md) on sets that `xcos prepare` "
        "made, and write RUN/preset. The same command goes on with a run that was interrupted, "
        "from its last checkpoint. Exit code: 0 done, 2 error, 143 stopped by SIGTERM or Ctrl-C.",
    )
    parser.add_argument(
        "configs",
        metavar="CONFIG",
        nargs="+",
        help="YAML file, see configs/; what a second one says goes over what the first one does",
    )
    parser.add_argument("--data", required=True, metavar="FOLDER", help="holds the prepared sets")
    parser.add_argument("--out", required=True, metavar="RUN", help="folder of the run")
    return parser


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit code."""
    from xcos_tf.explain.correlation_figure import preset_pictures
    from xcos_tf.training.run import train

    return train(args.configs, args.data, args.out, lambda run: run.train(), preset_pictures)
