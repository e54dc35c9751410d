import re
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from tools.explanations.summary import AREAS, curve_points, is_better_high, leads, measures
from tools.explanations.tables import TABLES, has_failed, on_impostors, statements
from xcos_tf.explain.benchmark.measuring import CELL_FILLS, FILLS, Found

short_table, cells_table, areas_table, gains_table, impostor_gains_table, accuracy_table = (
    TABLES[f"explanations{name}"]
    for name in ("", "-cells", "-areas", "-gains", "-gains-impostor", "-accuracy")
)
fills_table, checks_table = (TABLES[f"explanations-{name}"] for name in ("fills", "checks"))
SAME = np.array([True, False, True, False])
THRESHOLD = 0.5


class Toy(NamedTuple):
    """As a `Contender`, without a preset that must be loaded."""

    method: SimpleNamespace
    preset: str
    attention: str

    @property
    def verifier(self):
        config = {"name": self.preset, "weights": {"sha256": f"{self.preset}-hash"}}
        return SimpleNamespace(config=config, threshold=lambda attention: THRESHOLD)


GRID, PLAIN = ("xcos-mobilefacenet-2", "learned"), ("mobilefacenet", "cosine")


def found(name, on, deletion, cells, seconds=0.1, compared=0):
    """Return what was measured, with given areas of deletion, and insertion the rest of 1.

    Curves are level; other fills are of the first pairs.
    """
    curves = [
        {"deletion": np.full((2, 3), x), "insertion": np.full((2, 3), 1 - x)} for x in deletion
    ]
    measured = {
        **{f"cells {fill}": list(cells) for fill in CELL_FILLS},
        f"curves {FILLS[0]}": curves,
        "random weights": [np.array([x]) for x in (0.1, 0.3)],
        "shift": [np.array([0.9])] * 2,
        "seconds": [np.array([seconds, x]) for x in (0.05, 0.1, 0.05, 0.05)][: len(deletion)],
        "passes": [np.array([2, 0])] * len(deletion),
    }
    if compared:
        measured |= {f"curves {fill}": curves[:compared] for fill in FILLS[1:]}
    method = SimpleNamespace(name=name)
    return Found(Toy(method, *on), SAME[: len(deletion)], measured)


FOUND = [
    found("xcos", GRID, [0.3, 0.4, 0.3, 0.4], [0.5] * 4, compared=2),
    found("tail", PLAIN, [0.5, 0.6, 0.5, 0.6], [0.2, 0.3, 0.2, 0.3]),
    found("wrong", PLAIN, [0.9, 0.9, 0.9, 0.9], [-0.5] * 4),
    found("occlusion", GRID, [0.2, 0.5, 0.1, 0.5], [0.6] * 4),
    found("xcos-whatif", GRID, [0.1, 0.5, 0.1, 0.5], [0.55] * 4),
    found("corrrise", GRID, [0.1, 0.4, 0.1, 0.4], [0.4] * 4),
    found("random", GRID, [0.4, 0.6, 0.4, 0.6], [0.1, -0.1] * 2, compared=2),
    found("random", PLAIN, [0.8] * 4, [0.1, -0.1] * 2, seconds=0.2),
]


@pytest.fixture
def rows():
    return measures(FOUND, "lfw", "set-hash")


@pytest.fixture
def compared():
    return leads(FOUND, "lfw", "set-hash")


def lead(compared, method, other, measure, detail="imputed"):
    [one] = [x for x in compared if (*x[1:3], *x[5:7]) == (method, other, measure, detail)]
    return one


def row(rows, method, measure, detail="imputed", preset=None):
    [one] = [
        x
        for x in rows
        if (x.method, x.measure, x.detail) == (method, measure, detail)
        and preset in (None, x.preset)
    ]
    return one


@pytest.mark.parametrize(
    "measure, high",
    [
        ("genuine deletion", False),
        ("impostor deletion", False),
        ("impostor insertion", True),
        ("genuine deletion accuracy", False),
        ("impostor deletion accuracy", True),
        ("impostor insertion accuracy", False),
    ],
)
def test_which_way_is_better(measure, high):
    assert is_better_high(measure) == high


def test_kinds_of_pairs_are_told_apart(rows):
    for kind, value, gain in (("genuine", 0.3, 0.1), ("impostor", 0.4, 0.2)):
        one = row(rows, "xcos", f"{kind} deletion")
        assert (one.pairs, one.value, one.gain) == (2, pytest.approx(value), pytest.approx(gain))
        assert row(rows, "xcos", f"{kind} insertion").gain == pytest.approx(gain)


def test_accuracy_is_of_verdicts_at_the_threshold(rows):
    # What takes a genuine pair's score down makes the verdict wrong, and an impostor's right.
    assert row(rows, "wrong", "genuine deletion accuracy").value == 1
    assert row(rows, "wrong", "impostor deletion accuracy").value == 0
    assert row(rows, "xcos", "genuine deletion accuracy").value == 0
    # The random map leaves impostors at 0.6, accepted; xCos takes them to 0.4.
    assert row(rows, "xcos", "impostor deletion accuracy").gain == 1
    assert "+1.000 (+1.000 to +1.000)" in accuracy_table(rows)


def test_means_are_over_the_pairs_that_have_a_value(rows):
    one = row(rows, "occlusion", "genuine deletion")
    assert (one.pairs, one.value) == (2, pytest.approx(0.15))
    assert 0.1 <= one.low < 0.15 < one.high <= 0.2
    assert (one.set, one.preset_sha256, one.set_sha256) == (
        "lfw",
        "xcos-mobilefacenet-2-hash",
        "set-hash",
    )
    assert row(rows, "xcos", "genuine deletion", "black").pairs == 1


def test_gains_are_over_random_maps_on_the_same_verifier(rows):
    # On the grid 0.1 and 0.2 below the control, on the plain preset 0.3 and 0.2.
    assert row(rows, "xcos", "genuine deletion").gain == pytest.approx(0.1)
    assert row(rows, "tail", "genuine deletion").gain == pytest.approx(0.3)
    assert row(rows, "tail", "impostor insertion").gain == pytest.approx(0.2)
    assert row(rows, "wrong", "genuine deletion").gain == pytest.approx(-0.1)
    assert row(rows, "tail", "cell ablation", "black").gain == pytest.approx(0.25)
    assert all(x.gain is None for x in rows if x.method == "random")
    assert all(x.gain is None for x in rows if x.measure in ("random weights", "shift"))


def test_leads_are_paired_and_of_one_score(compared):
    one = lead(compared, "xcos", "occlusion", "genuine deletion")
    # Gains of 0.1 each, less 0.2 and 0.3.
    assert (one.pairs, one.value) == (2, pytest.approx(-0.15))
    assert one.low >= -0.2 - 1e-9 and one.high <= -0.1 + 1e-9
    assert lead(compared, "xcos", "occlusion", "impostor deletion").value == pytest.approx(0.1)
    assert lead(compared, "xcos", "occlusion", "cell ablation", "blur").value == pytest.approx(-0.1)
    assert lead(compared, "xcos-whatif", "xcos", "cell ablation", "blur").value == (
        pytest.approx(0.05)
    )
    assert {x.method for x in compared} == {"xcos", "xcos-whatif"}
    assert {x.other for x in compared} == {"xcos", "xcos-whatif", "occlusion", "corrrise"}
    assert {x[3:5] for x in compared} == {GRID}
    assert {x[-2:] for x in compared} == {("xcos-mobilefacenet-2-hash", "set-hash")}


def test_a_difference_that_is_the_same_for_all_pairs_has_no_doubt():
    base = np.array([0.1, 0.9, 0.3, 0.7])
    some = [
        found("xcos", GRID, base - 0.05, [0] * 4),
        found("occlusion", GRID, base - 0.09, [0] * 4),
        found("random", GRID, base, [0] * 4),
    ]
    one = lead(leads(some, "lfw", ""), "xcos", "occlusion", "genuine deletion")
    assert one[7:11] == (2, *[pytest.approx(-0.04)] * 3)
    one = row(measures(some, "lfw", ""), "occlusion", "genuine deletion")
    assert one.low < 0.05 and one.high > 0.2
    assert [one.gain, one.gain_low, one.gain_high] == pytest.approx([0.09] * 3)


def test_time_is_of_pairs_beside_a_plain_verification(rows):
    assert row(rows, "xcos", "seconds", "").value == pytest.approx(0.1)
    assert row(rows, "xcos", "ratio", "").value == pytest.approx(2)
    assert row(rows, "random", "ratio", "", "mobilefacenet").value == pytest.approx(4)
    assert row(rows, "xcos", "forward passes", "").value == 2


def test_sanity_is_of_the_first_pairs(rows):
    one = row(rows, "xcos", "random weights", "")
    assert (one.pairs, one.value) == (2, pytest.approx(0.2))
    assert row(rows, "xcos", "shift", "").value == pytest.approx(0.9)


def test_curves_are_means_over_pairs():
    points = curve_points([found("xcos", GRID, [0.3, 0.4, 0.6, 0.4], [0] * 4)], "lfw", "s")
    line = [x for x in points if x.measure == "genuine deletion"]
    assert [x.share for x in line] == [0, 0.5, 1]
    assert [x.value for x in line] == pytest.approx([0.45] * 3)
    assert [x.accuracy for x in line] == [0.5] * 3
    assert {(x.fill, x.pairs) for x in points} == {("imputed", 2)}


def test_sentences_say_how_our_maps_compare_with_others_of_their_score(compared):
    lines = statements(compared).splitlines()
    assert len(lines) == 2 * (len(CELL_FILLS) + len(AREAS))
    for line in (
        "- lfw, genuine deletion, imputed: xcos is worse than occlusion, xcos-whatif, corrrise.",
        "- lfw, cell ablation, black: xcos is worse than occlusion, xcos-whatif; "
        "better than corrrise.",
        "- lfw, genuine deletion, imputed: xcos-whatif is better than xcos; "
        "not significantly different from occlusion, corrrise.",
        "- lfw, impostor insertion, imputed: xcos-whatif is worse than xcos, corrrise; "
        "not significantly different from occlusion.",
    ):
        assert line in lines


@pytest.mark.parametrize(
    "deletion, insertion, rates",
    [
        ([0.6, 0.1, 0.1], [0.1, 0.1, 0.6], ["50.0", "0.0", "50.0"]),
        ([0.1, 0.1, 0.6], [0.6, 0.1, 0.1], ["0.0", "50.0", "50.0"]),
        ([0.1, 0.1, 0.1], [0.1, 0.6, 0.1], ["0.0", "0.0", "50.0"]),
    ],
)
def test_accepted_impostors_are_counted_with_nothing_and_all_removed(deletion, insertion, rates):
    curves = {"deletion": np.tile(deletion, (2, 1)), "insertion": np.tile(insertion, (2, 1))}
    low = {name: np.full((2, 3), 0.1) for name in curves}
    one = found("xcos", GRID, [0.3] * 4, [0.5] * 4)
    one.measured[f"curves {FILLS[0]}"] = [low, curves, low, low]
    sentence = on_impostors(curve_points([one], "lfw", "s"))
    assert re.findall(r"([\d.]+) %", sentence) == rates


def test_tables_have_a_line_for_each_contender(rows):
    for make in TABLES.values():
        lines = make(rows).splitlines()
        assert len({line.count("|") for line in lines}) == 1
        assert lines[0].startswith("| method | explains | ")
        assert lines[2].startswith("| xcos | xcos-mobilefacenet-2 L | ")
    lines = cells_table(rows).splitlines()
    assert lines[0] == (
        "| method | explains | lfw: cell ablation, black ↑ | lfw: cell ablation, blur ↑ | "
        "time, × a plain verification |"
    )
    assert len(lines) == 2 + 8
    methods = [line.split("|")[1].strip() for line in lines[2:]]
    of_grid = ["xcos", "occlusion", "xcos-whatif", "corrrise", "random"]
    assert methods == [*of_grid, "tail", "wrong", "random"]
    assert "−0.500 (−0.500 to −0.500)" in cells_table(rows)
    assert "| wrong | mobilefacenet baseline | 0.900 (0.900 to 0.900) |" in areas_table(rows)
    assert "lfw: genuine deletion, imputed ↓ | lfw: genuine insertion, imputed ↑" in (
        areas_table(rows)
    )
    gains = gains_table(rows)
    assert len(gains.splitlines()) == 2 + 6 and "random" not in gains
    assert "lfw: genuine deletion, imputed |" in gains
    assert "+0.300 (" in gains and "−0.100 (" in gains
    assert "| lfw: impostor deletion, imputed |" in impostor_gains_table(rows)
    assert "+0.200 (" in impostor_gains_table(rows)
    assert "| explains | lfw: genuine deletion, blur |" in fills_table(rows)
    [tail] = [line for line in checks_table(rows).splitlines() if line.startswith("| tail ")]
    assert tail == (
        "| tail | mobilefacenet baseline | 0.200 (0.100 to 0.300) | 0.900 (0.900 to 0.900) | "
        "2 | 2 | 0 |"
    )


def test_the_short_table_is_of_xcos_own_score(rows):
    lines = short_table(rows).splitlines()
    methods = [line.split(" | ")[0] for line in lines[2:]]
    assert methods == ["| xcos", "| xcos-whatif", "| corrrise", "| occlusion"]
    assert "| 0.600 (0.600 to 0.600) |" in lines[5] and "+0.250 (" in lines[5]


def test_each_set_has_columns_and_one_tells_of_cost(rows):
    both = [*rows, *(x._replace(set="people", value=0.7) for x in rows if x.measure != "ratio")]
    lines = cells_table(both).splitlines()
    headings = [x.strip() for x in lines[0].split("|")]
    assert headings[3:-1] == [
        *(f"{name}: {x}" for name in ("lfw", "people") for x in cell_headings()),
        "time, × a plain verification",
    ]
    assert [x.strip()[:5] for x in lines[2].split("|")][3:7] == ["0.500"] * 2 + ["0.700"] * 2


def cell_headings():
    return [f"cell ablation, {fill} ↑" for fill in CELL_FILLS]


def test_a_method_that_does_not_hang_on_the_weights_is_marked_everywhere(rows):
    rows = [
        x._replace(value=0.4) if (x.method, x.measure) == ("tail", "random weights") else x
        for x in rows
    ]
    assert [x.method for x in rows if has_failed(x)] == ["tail"]
    for table in (cells_table, areas_table, gains_table, accuracy_table, checks_table):
        lines = table(rows).splitlines()
        assert ["✗" in line for line in lines] == [line.startswith("| tail ✗ |") for line in lines]
        assert "✗" in table(rows)


def test_what_was_not_measured_has_no_column(rows):
    rows = [x for x in rows if not x.measure.startswith(("genuine", "impostor"))]
    assert gains_table(rows) == areas_table(rows) == ""
    assert "genuine" not in short_table(rows)
