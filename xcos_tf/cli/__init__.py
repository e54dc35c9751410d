"""The `xcos` command: parse, call, print."""
