"""The packages of the `serving` extra, which not everybody installs."""

import importlib
from types import ModuleType

from xcos_tf.errors import XcosError


def serving_package(name: str) -> ModuleType:
    """Import a module of a package that the client needs.

    Raises:
        XcosError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise XcosError(
            f"a server's client needs another package ({error}); run pip install 'xcos_tf[serving]'"
        ) from None
