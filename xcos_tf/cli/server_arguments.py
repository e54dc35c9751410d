"""The options of a command that lets a server compute."""

import argparse
import os

from xcos_tf.cli.parser import number
from xcos_tf.cli.paths import given
from xcos_tf.errors import XcosError


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Attach `--server` and what belongs to it."""
    group = parser.add_argument_group(
        "a server", "Let TF Serving compute with a model that `xcos export` wrote."
    )
    group.add_argument(
        "--server",
        metavar="HOST[:PORT]",
        help="where it is, for gRPC; grpcs://HOST:PORT for TLS; an http(s) URL for REST",
    )
    group.add_argument("--model", metavar="NAME", help="its name there (default: the preset's)")
    group.add_argument(
        "--model-version",
        metavar="VERSION",
        type=_version,
        help="a version's number or label (default: the newest)",
    )
    group.add_argument(
        "--timeout",
        type=number,
        metavar="SECONDS",
        help="for the answer, with all attempts (default: 10)",
    )
    group.add_argument(
        "--root-certificate", metavar="PEM", help="trust these authorities, not the public ones"
    )
    group.add_argument(
        "--client-certificate", metavar="PEM", help="a certificate of your own, with its key"
    )


def _version(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 20 else text


def certificates(args: argparse.Namespace) -> dict[str, str]:
    """Return the files that were named, as `Paths` has them."""
    named = given(args.root_certificate, args.client_certificate)
    return dict.fromkeys(named, "there is no certificate {}; check the path")


def connect(args: argparse.Namespace, model: str):
    """Return a `ServingClient`; `model` is the name where none was given.

    Raises:
        XcosError: an option is not as it should be.
    """
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


def refuse_without_server(args: argparse.Namespace) -> None:
    """Fail if an option that belongs to `--server` came without it.

    Raises:
        XcosError: one did.
    """
    for name in ("model", "model_version", "timeout", "root_certificate", "client_certificate"):
        if getattr(args, name) is not None:
            raise XcosError(
                f"--{name.replace('_', '-')} belongs to a server; name it with --server, or leave "
                "the option out"
            )
