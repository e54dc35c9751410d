"""`xcos serve`: the HTTP service and its page."""

import argparse
import os
from pathlib import Path

from xcos_tf.cli.arguments import store_paths
from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths
from xcos_tf.errors import XcosError, explained
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.progress import log

HELP = "answer over HTTP, with a page to try"
DESCRIPTION = """Serve explained verdicts over HTTP, and a page that shows them. If XCOS_API_KEY is
set, requests must have it in the header X-API-Key. Exit code: 0 stopped, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_what_is_served(parser)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="where to listen; 0.0.0.0 is everywhere (default: %(default)s, this machine alone)",
    )
    add(parser, "--port PORT", kind=whole_number, default=8080)


def add_what_is_served(parser: argparse.ArgumentParser) -> None:
    """Attach the options that say what computes, and who can be found."""
    add(parser, "--preset NAME", "bundled preset or preset folder", default=DEFAULT_PRESET)
    add(parser, "--store STORE", "people to search and to enroll, see `xcos enroll`")
    about = "LiteRT.js, which `npm install @litertjs/core` makes, for pages that compute themselves"
    add(parser, "--litert FOLDER", about, default=os.path.join("node_modules", "@litertjs"))


def paths(args: argparse.Namespace) -> Paths:
    if not 0 <= args.port < 2**16:
        raise XcosError(f"--port {args.port} is no port; give one from 0 to 65535")
    return store_paths(args.store, presets=(args.preset,))


def run(args: argparse.Namespace, browse: bool = False) -> int:
    """Serve until SIGINT or SIGTERM, and open the page in a browser if so told."""
    from contextlib import ExitStack

    from xcos_tf.verifier import Verifier
    from xcos_tf.web.app import create_app
    from xcos_tf.web.server import listen, serve

    with ExitStack() as stack:
        store = None
        if args.store is not None:
            from xcos_tf.search.store import FaceStore

            store = stack.enter_context(FaceStore.open(args.store, args.preset, write=True))
        verifier = store.verifier if store else Verifier.from_preset(args.preset)
        key = os.environ.get("XCOS_API_KEY")
        app = create_app(verifier, store, key, litert=Path(args.litert))
        what = f"nobody can listen at {args.host}:{args.port}"
        with explained(what, "choose another --port or --host"):
            socket = stack.enter_context(listen(args.host, args.port))
        address = f"http://{args.host}:{socket.getsockname()[1]}"
        log.info(f"the page is at {address}, the routes at {address}/docs; stop with Ctrl-C")
        serve(app, socket, address if browse else None)
    return 0
