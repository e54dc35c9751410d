"""All readers, and a run over them."""

from collections.abc import Iterator, Sequence

from tests.fuzz import (
    answers,
    api,
    commands,
    folders,
    kept,
    lists,
    models,
    photos,
    service,
    sets,
    stores,
    training,
)
from tests.fuzz.engine import Found, Reader, try_reader

READERS: tuple[Reader, ...] = (
    *photos.READERS,
    *lists.READERS,
    *sets.READERS,
    *models.READERS,
    *kept.READERS,
    *answers.READERS,
    *api.READERS,
    *folders.READERS,
    *stores.READERS,
    *service.READERS,
    *training.READERS,
    *commands.READERS,
)


def shares(inputs: int, readers: Sequence[Reader] = READERS) -> dict[str, int]:
    """Return how many of the inputs each reader gets, at least one."""
    whole = sum(reader.share for reader in readers)
    return {x.name: max(1, round(inputs * x.share / whole)) for x in readers}


def try_all(
    inputs: int, seed: int, readers: Sequence[Reader] = READERS
) -> Iterator[tuple[Reader, Found]]:
    """Yield what came of each reader."""
    counts = shares(inputs, readers)
    for reader in readers:
        yield reader, try_reader(reader, counts[reader.name], seed)
