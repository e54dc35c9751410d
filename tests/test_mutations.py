"""The list of slips that `tests/mutate.py` makes fits the code as it is."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
LISTED = YAML(typ="safe").load(ROOT / "tests/mutations.yaml")
ENTRIES = [entry for entries in LISTED.values() for entry in entries]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_each_slip_can_be_made_in_one_place(entry):
    assert any((ROOT / test).exists() for test in entry["tests"])
    code = (ROOT / entry["file"]).read_text(encoding="utf-8")
    for words in entry["breaks"]:
        assert len(words) >= 2 and len(words) % 2 == 0
        counts = [code.count(written) for written in words[::2]]
        assert 1 in counts, f"{words[0]!r} is there {counts[0]} times"
