"""Figures that look alike whatever matplotlib's settings are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import matplotlib


@contextmanager
def default_look(settings: Mapping = MappingProxyType({})) -> Iterator[None]:
    """Draw or write figures within the block, or a decorated function, by matplotlib's defaults.

    What a file, a variable of the environment or the process has set stays out of them. Other
    settings than the defaults are such as {"svg.fonttype": "path"}.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield
