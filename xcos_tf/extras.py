"""The packages that not everybody installs."""

from collections.abc import Iterator
from contextlib import contextmanager

from xcos_tf.errors import XcosError, reason_of


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Turn an import that fails in the block into a sentence.

    Args:
        name: of the extra that has the package.
        what: needs it, as the sentence begins.

    Raises:
        XcosError: a package is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise XcosError(
            f"{what} needs another package ({reason_of(error)}); run pip install 'xcos_tf[{name}]'"
        ) from None
