"""One minute of the fuzz: a seed that stays, and so many inputs that it always finds the same."""

import pytest

from tests.fuzz.engine import try_reader
from tests.fuzz.readers import READERS, shares

INPUTS, SEED = 3000, 19
COUNTS = shares(INPUTS)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_what_is_damaged_or_crafted_is_read_or_refused_in_one_sentence(reader):
    found = try_reader(reader, COUNTS[reader.name], SEED)
    assert found.inputs == COUNTS[reader.name]
    told = "\n".join(f"{kind}: {first}" for kind, first in found.faults.items())
    assert not found.faults, f"{told}\npython -m tests.fuzz --reader {reader.name!r} --seed {SEED}"
