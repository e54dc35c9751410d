"""`python -m xcos_tf` is the `xcos` command."""

import sys

from xcos_tf.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
