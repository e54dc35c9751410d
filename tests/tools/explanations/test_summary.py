from types import SimpleNamespace

import numpy as np
import pytest

from tools.explanations.contenders import Contender
from tools.explanations.rows import AREAS, FILLINGS, is_better_high
from tools.explanations.run import Found
from tools.explanations.summary import curve_points, measures
from tools.explanations.tables import TABLES, statements

faithfulness_table, gains_table, accuracy_table, dissimilarity_table, checks_table = (
    TABLES[f"explanations{name}"]
    for name in ("", "-gains", "-accuracy", "-dissimilarity", "-checks")
)
SAME = np.array([True, False, True, False])


def verifier(preset, attention):
    return SimpleNamespace(config={"name": preset}, attention=attention, sha256=f"{preset}-hash")


GRID, PLAIN = verifier("xcos-mobilefacenet", "learned"), verifier("mobilefacenet", "cosine")


def found(name, on, deletion, cells, signed=False, seconds=0.1, symmetric=True):
    """Return what was measured, with given areas of deletion, and insertion the rest of 1.

    Curves are level. Where the score is high a genuine pair is judged rightly, an impostor is not.
    """
    judged = []
    for pair, same in enumerate(SAME):
        of_pair = {}
        kinds = ["genuine"] if same else ["impostor", *(["dissimilarity"] * signed)]
        for kind in kinds:
            for filling in FILLINGS:
                for curve, area in (
                    ("deletion", deletion[pair]),
                    ("insertion", 1 - deletion[pair]),
                ):
                    right = area if same else 1 - area
                    level = np.array([[area], [right]]) * np.ones(3)
                    of_pair[f"{kind} {curve} {filling}"] = level
        of_pair |= {f"cells {filling}": np.array([cells[pair]]) for filling in FILLINGS}
        judged.append(of_pair)
    checked = [
        {"random weights": np.array([0.8, x]), "shift": np.array([0.9]), "swap": np.array([0.0])}
        for x in (0.1, 0.3)
    ]
    method = SimpleNamespace(name=name, symmetric=symmetric)
    times = np.array([[seconds, 0.05], [seconds, 0.1], [seconds, 0.05], [seconds, 0.05]])
    passes = np.array([2, 0])
    return Found(Contender(method, on), SAME, judged, checked, times, passes)


@pytest.fixture
def rows():
    return measures(
        [
            found("xcos", GRID, [0.3, 0.4, 0.3, 0.4], [0.5] * 4, signed=True),
            found("tail", PLAIN, [0.5, 0.6, 0.5, 0.6], [0.2, 0.3, 0.2, 0.3], symmetric=False),
            found("wrong", PLAIN, [0.9, 0.9, 0.9, 0.9], [-0.5] * 4),
            found("occlusion", GRID, [0.2, 0.5, 0.1, 0.5], [0.6] * 4),
            found("random", GRID, [0.4, 0.6, 0.4, 0.6], [0.1, -0.1] * 2),
            found("random", PLAIN, [0.8] * 4, [0.1, -0.1] * 2, seconds=0.2),
        ],
        "set-hash",
    )


def row(rows, method, measure, detail="black", preset=None):
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
        ("impostor insertion", True),
        ("dissimilarity deletion", True),
        ("dissimilarity insertion", False),
        ("genuine deletion accuracy", False),
        ("impostor deletion accuracy", True),
        ("dissimilarity deletion accuracy", False),
    ],
)
def test_which_way_is_better(measure, high):
    assert is_better_high(measure) == high


def test_kinds_of_pairs_are_told_apart(rows):
    for kind, value, gain in (("genuine", 0.3, 0.1), ("impostor", 0.4, 0.2)):
        one = row(rows, "xcos", f"{kind} deletion")
        assert (one.pairs, one.value, one.gain) == (2, pytest.approx(value), pytest.approx(gain))
        assert row(rows, "xcos", f"{kind} insertion").gain == pytest.approx(gain)
        # What takes an impostor's score down makes the verdict right.
        accuracy = row(rows, "xcos", f"{kind} deletion accuracy")
        assert accuracy.value == pytest.approx(value if kind == "genuine" else 1 - value)
        assert accuracy.gain == pytest.approx(gain)
    assert "accuracy" not in statements(rows)
    assert "+0.200 (+0.200 to +0.200)" in accuracy_table(rows)


def test_means_are_over_the_pairs_that_have_a_value(rows):
    one = row(rows, "occlusion", "genuine deletion")
    assert (one.pairs, one.value) == (2, pytest.approx(0.15))
    assert 0.1 <= one.low < 0.15 < one.high <= 0.2
    assert (one.preset_sha256, one.set_sha256) == ("xcos-mobilefacenet-hash", "set-hash")
    of_impostors = row(rows, "xcos", "dissimilarity deletion")
    assert (of_impostors.pairs, of_impostors.value) == (2, pytest.approx(0.4))
    assert not [x for x in rows if x.method == "tail" and x.measure.startswith("dissimilarity")]


def test_gains_are_over_random_maps_on_the_same_verifier(rows):
    # On the grid 0.1 and 0.2 below the control, on the plain preset 0.3 and 0.2.
    assert row(rows, "xcos", "genuine deletion").gain == pytest.approx(0.1)
    assert row(rows, "tail", "genuine deletion").gain == pytest.approx(0.3)
    assert row(rows, "tail", "impostor insertion").gain == pytest.approx(0.2)
    assert row(rows, "wrong", "genuine deletion").gain == pytest.approx(-0.1)
    # Of impostors alone: 0.4 against 0.6, where more is better.
    assert row(rows, "xcos", "dissimilarity deletion").gain == pytest.approx(-0.2)
    assert row(rows, "xcos", "dissimilarity insertion").gain == pytest.approx(-0.2)
    assert row(rows, "xcos", "dissimilarity insertion accuracy").gain == pytest.approx(-0.2)
    assert row(rows, "tail", "cell ablation").gain == pytest.approx(0.25)
    assert all(x.gain is None and x.lead is None for x in rows if x.method == "random")


def test_leads_are_paired_and_of_one_verifier(rows):
    one = row(rows, "occlusion", "genuine deletion")
    # Gains 0.2 and 0.3, less 0.1 each.
    assert one.lead == pytest.approx(0.15)
    assert one.lead_low >= 0.1 - 1e-9 and one.lead_high <= 0.2 + 1e-9
    assert row(rows, "occlusion", "impostor deletion").lead == pytest.approx(-0.1)
    assert row(rows, "occlusion", "cell ablation").lead == pytest.approx(0.1)
    assert row(rows, "xcos", "cell ablation").lead is None
    assert all(x.lead is None for x in rows if x.preset != "xcos-mobilefacenet")


def test_a_difference_that_is_the_same_for_all_pairs_has_no_doubt():
    base = np.array([0.1, 0.9, 0.3, 0.7])
    all_rows = measures(
        [
            found("xcos", GRID, base - 0.05, [0] * 4),
            found("occlusion", GRID, base - 0.09, [0] * 4),
            found("random", GRID, base, [0] * 4),
        ],
        "",
    )
    one = row(all_rows, "occlusion", "genuine deletion")
    assert one.low < 0.05 and one.high > 0.2
    assert [one.lead, one.lead_low, one.lead_high] == pytest.approx([0.04] * 3)
    assert [one.gain, one.gain_low, one.gain_high] == pytest.approx([0.09] * 3)


def test_time_is_of_pairs_beside_a_plain_verification(rows):
    assert row(rows, "xcos", "seconds", "").value == pytest.approx(0.1)
    assert row(rows, "xcos", "ratio", "").value == pytest.approx(2)
    assert row(rows, "random", "ratio", "", "mobilefacenet").value == pytest.approx(4)
    assert row(rows, "xcos", "forward passes", "").value == 2


def test_sanity_is_by_stage_and_only_what_is_claimed(rows):
    assert row(rows, "xcos", "random weights", "stage 1 of 2").value == pytest.approx(0.8)
    last = row(rows, "xcos", "random weights", "stage 2 of 2")
    assert (last.pairs, last.value) == (2, pytest.approx(0.2))
    assert row(rows, "xcos", "swap", "").value == 0
    assert not [x for x in rows if (x.method, x.measure) == ("tail", "swap")]


def test_curves_are_means_over_pairs():
    points = curve_points([found("xcos", GRID, [0.3, 0.4, 0.5, 0.4], [0] * 4, signed=True)], "s")
    line = [x for x in points if (x.measure, x.filling) == ("genuine deletion", "black")]
    assert [x.share for x in line] == [0, 0.5, 1]
    assert [x.value for x in line] == [x.accuracy for x in line] == pytest.approx([0.4] * 3)
    of_impostors = [x for x in points if x.measure == "dissimilarity insertion"]
    assert of_impostors[1].value == pytest.approx(0.6)
    assert of_impostors[1].accuracy == pytest.approx(0.4)


def test_sentences_say_where_xcos_stands_among_maps_of_its_verifier(rows):
    lines = statements(rows).splitlines()
    assert len(lines) == 4 * 2 + 2  # of dissimilarity there is nothing but xcos
    assert lines[0] == (
        "- Genuine deletion, imputed: xcos takes place 2 of 2; it is worse than occlusion."
    )
    assert "- Impostor deletion, black: xcos takes place 1 of 2; it is better than occlusion." in (
        lines
    )
    assert "tail" not in statements(rows)


def test_tables_have_a_line_for_each_contender(rows):
    tables = [make(rows) for name, make in TABLES.items() if name != "explanations-claims"]
    for table in tables:
        lines = table.splitlines()
        assert len({line.count("|") for line in lines}) == 1
        assert lines[0].startswith("| method | explains | ")
        assert lines[2].startswith("| xcos | xcos-mobilefacenet L | ")
    text = faithfulness_table(rows)
    assert len(text.splitlines()) == 2 + 6
    assert "genuine deletion, imputed ↓ | genuine insertion, imputed ↑ | impostor" in text
    assert "| wrong | mobilefacenet baseline | 0.900 (0.900 to 0.900) |" in text
    assert "−0.500 (−0.500 to −0.500)" in text
    assert "| tail | mobilefacenet baseline | – | – | – | – |" in dissimilarity_table(rows)
    gains = gains_table(rows)
    assert len(gains.splitlines()) == 2 + 4 and "+0.200 (" in gains and "−0.100 (" in gains
    [tail] = [line for line in checks_table(rows).splitlines() if line.startswith("| tail ")]
    assert tail == (
        "| tail | mobilefacenet baseline | 0.200 (0.100 to 0.300) | 0.900 (0.900 to 0.900) | – | "
        "0.1 | 2 | 2 | 0 |"
    )


def test_a_method_that_does_not_hang_on_the_weights_is_marked(rows):
    rows = [
        x._replace(value=0.47) if x[:1] + x[3:4] == ("tail", "random weights") else x for x in rows
    ]
    lines = checks_table(rows).splitlines()
    assert ["✗" in line for line in lines] == [line.startswith("| tail ") for line in lines]


def test_what_was_not_measured_has_no_column(rows):
    rows = [x for x in rows if not x.measure.startswith(("genuine", "impostor"))]
    heading = faithfulness_table(rows).splitlines()[0]
    cells = "cell ablation, imputed ↑ | cell ablation, black ↑"
    assert heading == f"| method | explains | {cells} | time, × a plain verification |"
    assert gains_table(rows) == ""
    assert len(AREAS) == 6
