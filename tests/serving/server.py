"""A stand-in for TF Serving's binary, with its protocols, for tests and the load test.

    python -m tests.serving.server FOLDER --grpc-port P --rest-port Q

serves what `xcos export … --to saved-model` wrote to FOLDER/NAME/VERSION.
"""

import argparse
from pathlib import Path

from tests.serving.grpc_service import start_grpc
from tests.serving.rest_service import start_rest
from tests.serving.servables import Servables


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grpc-port", type=int, default=8500)
    parser.add_argument("--rest-port", type=int, default=8501)
    args = parser.parse_args()
    servables = Servables(args.folder)
    server, grpc_port = start_grpc(servables, lambda: None, args.grpc_port)
    _, rest_port = start_rest(servables, lambda: None, args.rest_port)
    print(f"serving {sorted(servables.loaded)} at {grpc_port} and {rest_port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
