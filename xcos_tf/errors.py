"""The one exception that means "the user can mend this"."""


class XcosError(Exception):
    """Bad input, said in one clear sentence: what was wrong and what to do about it.

    The `xcos` command prints the message alone, without a traceback, and exits with code 2.
    """
