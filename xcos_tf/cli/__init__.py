"""The `xcos` command: parse, call, print."""

from xcos_tf.cli.main import main

__all__ = ["main"]
