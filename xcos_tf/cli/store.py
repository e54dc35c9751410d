"""`xcos store info --store STORE`: what a store holds."""

import argparse
import contextlib
import json

from xcos_tf.cli.arguments import add_store_argument, store_paths
from xcos_tf.cli.parser import add
from xcos_tf.cli.paths import Paths
from xcos_tf.errors import counted, shown

HELP = "say what a store of people holds"
DESCRIPTION = """Say what a store holds: its preset, and how many faces each person has. Exit code:
0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("info",), metavar="info", help="a summary and the people")
    add_store_argument(parser)
    add(parser, "--json", "print everything as JSON")


def paths(args: argparse.Namespace) -> Paths:
    return store_paths(args.store)


def run(args: argparse.Namespace) -> int:
    from xcos_tf.search.store import open_backend

    with contextlib.closing(open_backend(args.store)) as backend:
        people, settings = dict(backend.people()), backend.settings
    faces = sum(people.values())
    if args.json:
        facts = {
            "preset": settings.preset,
            "weights": settings.weights,
            "format": settings.format,
            "faces": faces,
            "people": people,
        }
        print(json.dumps(facts, indent=2))
        return 0
    print(
        f"{counted(faces, 'face')} of {counted(len(people), 'person', 'people')}, by the preset "
        f"{shown(settings.preset)} (weights {settings.weights[:12]}…)"
    )
    for person, count in people.items():
        print(f"{count:6,}  {shown(person)}")
    return 0
