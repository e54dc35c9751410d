"""Arguments that several commands share: two photos, a test set, a store, and a server."""

import argparse
import csv
import os
import sys
from typing import BinaryIO

from xcos_tf.cli.parser import add, number, whole_number
from xcos_tf.cli.paths import STANDARD_INPUT, Paths, given
from xcos_tf.errors import XcosError, shown
from xcos_tf.progress import log


def add_two_photos(parser: argparse.ArgumentParser, **more) -> None:
    add(parser, "a A", "a photo; - for standard input", **more)
    add(parser, "b B", "another photo", **more)


def add_face_arguments(parser: argparse.ArgumentParser) -> None:
    about = "which face of a photo with several (default: %(default)s; see `xcos align --help`)"
    parser.add_argument("--face", default="largest-central", metavar="RULE", help=about)
    add(parser, "--aligned", "the photos are 112×112 faces, aligned already")


def add_ray_argument(parser, files: str = "the photos") -> None:
    """Attach `--ray`."""
    about = f"let a Ray cluster do the work; its machines see {files} under the same paths"
    add(parser, "--ray ADDRESS", about)


def photo_argument(text: str) -> str | BinaryIO:
    """Return what `read_photo` takes; - stands for standard input, if there is one."""
    if text != STANDARD_INPUT:
        return text
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise XcosError("there is no standard input to read a photo from; give a file")
    return stream


def warn_of_faces(args: argparse.Namespace, templates) -> None:
    """Say on standard error which of several faces in A and B was used, and which was turned."""
    for path, template in zip((args.a, args.b), templates, strict=True):
        if template.faces_found > 1:
            log.warning(
                f"warning: {path} shows {template.faces_found} faces; the {args.face} one was used "
                "(choose with --face)"
            )
        if template.turned:
            log.warning(
                f"warning: {path} was turned by {template.turned}° clockwise to have its face "
                "upright"
            )


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "folder SET", "folder of photos, or NAME.bin")
    about = "LFW's pairs.txt, a CSV of pairs, or YouTube Faces' splits.txt"
    add(parser, "pairs PAIRS", about, nargs="?")
    add(parser, "--aligned", "the folder was made by `xcos align`")
    about = (
        "the columns of a CSV that hold the two photos and whether they show one person, and a "
        "fourth for the fold, if there is one"
    )
    add(parser, "--columns A,B,SAME", about, _names)
    about = "leave out photos of PAIRS that cannot be read or show no face, with their pairs"
    add(parser, "--skip-faceless", about)
    drawing = parser.add_argument_group("pairs drawn from a folder of people")
    add(drawing, "--draw N", "draw N genuine and N impostor pairs", whole_number)
    about = "with --draw, take photos of this tag only, such as scarf; may be repeated"
    add(drawing, "--select TAG", about, action="append")


def _names(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        raise argparse.ArgumentTypeError(
            f"{shown(text)!r} is no list of columns; give their names with commas between"
        ) from None


def check_set_arguments(args: argparse.Namespace) -> None:
    """Raise XcosError for options that say nothing, or would be passed over."""
    for option, value in (("--columns", args.columns), ("--skip-faceless", args.skip_faceless)):
        if value and args.pairs is None:
            raise XcosError(f"{option} is for a list of PAIRS; leave it out or give the list")
    if args.skip_faceless and args.aligned:
        raise XcosError("--skip-faceless is for photos that are not --aligned; leave one out")
    if args.draw is not None and args.draw < 1:
        raise XcosError(f"--draw {args.draw} draws no pairs; give 1 or more")
    if args.select and args.draw is None:
        raise XcosError("--select is for --draw; leave it out or add --draw N")
    if args.seed is not None and args.seed < 0:
        raise XcosError(f"--seed {args.seed} is under 0; give 0 or more")


def set_paths(args: argparse.Namespace, presets, written) -> Paths:
    """Return what a command reads that measures presets on a set, and what it writes."""
    return Paths(
        lists=dict.fromkeys(given(args.pairs), "there is no list of pairs {}; check the path"),
        folders={args.folder: "there is no {}; give a folder of photos or a .bin file"},
        presets=presets,
        written=written,
    )


def open_given_set(args: argparse.Namespace):
    """Open the set as by `open_set`, and name on standard error what had to be left out."""
    from xcos_tf.evaluation.open_set import open_set

    vset = open_set(
        args.folder,
        args.pairs,
        aligned=args.aligned,
        draw=(args.draw, args.draw) if args.draw else None,
        seed=args.seed or 0,
        select=args.select or (),
        columns=args.columns,
        skip_faceless=args.skip_faceless,
    )
    if vset.skipped:
        first = "; ".join(f"{name} ({reason})" for name, reason in vset.skipped[:3])
        rest = f"; and {len(vset.skipped) - 3:,} more" if len(vset.skipped) > 3 else ""
        log.warning(f"left out: {first}{rest}")
    return vset


def add_store_argument(parser: argparse.ArgumentParser) -> None:
    about = "a folder, or postgresql://USER@HOST/DATABASE of a server with pgvector"
    add(parser, "--store STORE", about, required=True)


def is_url(store: str) -> bool:
    return "://" in store


def store_paths(store: str | None, **others) -> Paths:
    """Return what a command reads that opens a store which is there, if any, and other paths."""
    if store is None or is_url(store):
        return Paths(**others)
    return Paths(folders={store: "there is no store {}; make one with `xcos enroll`"}, **others)


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "a server", "Let TF Serving compute with a model that `xcos export` wrote."
    )
    about = "where it is, for gRPC; grpcs://HOST:PORT for TLS; an http(s) URL for REST"
    add(group, "--server HOST[:PORT]", about)
    add(group, "--model NAME", "its name there (default: the preset's)")
    about = "a version's number or label (default: the newest)"
    add(group, "--model-version VERSION", about, _version)
    add(group, "--timeout SECONDS", "for the answer, with all attempts (default: 10)", number)
    add(group, "--root-certificate PEM", "trust these authorities, not the public ones")
    add(group, "--client-certificate PEM", "a certificate of your own, with its key")


def _version(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 20 else text


def certificates(args: argparse.Namespace) -> dict[str, str]:
    """Return the files that were named, as `Paths` has them.

    Raises:
        XcosError: an option that belongs to a server came without one.
    """
    for name in ("model", "model_version", "timeout", "root_certificate", "client_certificate"):
        if args.server is None and getattr(args, name) is not None:
            raise XcosError(
                f"--{name.replace('_', '-')} belongs to a server; name it with --server, or leave "
                "the option out"
            )
    named = given(args.root_certificate, args.client_certificate)
    return dict.fromkeys(named, "there is no certificate {}; check the path")


def connect(args: argparse.Namespace, model: str):
    """Return a `ServingClient`; `model` is the name where none was given."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's log repeats what the errors say
    from xcos_tf.serving.client import TIMEOUT, ServingClient

    return ServingClient(
        args.server,
        model=args.model or model,
        version=args.model_version,
        timeout=TIMEOUT if args.timeout is None else args.timeout,
        root_certificate=args.root_certificate,
        client_certificate=args.client_certificate,
    )
