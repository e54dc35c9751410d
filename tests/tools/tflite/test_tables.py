"""The price list's table, from numbers that anyone can check."""

from tools.pages import fill_tables
from tools.results import read_rows
from tools.tflite.tables import CoveredPrice, Price, all_pairs_table, covered_table, price_table
from xcos_tf.files import write_csv

BASE = Price(
    "float32", 4_000_000, 3_600_000, 4_100_000, 3_700_000, 1.0, 1.0, 1.01, 1.02, 1.03, 1.04,
    0.9875, 0.005, 1.0, 1.0, 1.0, 6000, 0.98806, 0.0, 0.0, 0.0, 0.0, 0.0126, 0.952, 0.881, 0.0004,
    0.07, 0.5, 8101, 2956770, "p", "ab", "cd",
)  # fmt: skip
INT8 = BASE._replace(
    variant="int8",
    embed_bytes=1_250_000,
    latency_1=0.72,
    accuracy=0.985,
    s_correlation=0.98765,
)


def test_points_lost_are_float32s_accuracy_minus_the_variants():
    lines = price_table([BASE, INT8]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2][:8] == [
        "`float32`",
        "4.00",
        "3.60",
        "1.00",
        "1.00",
        "98.75 ± 0.50",
        "",
        "1.0000",
    ]
    assert cells[3][:2] == ["`int8`", "1.25"]
    assert cells[3][6:8] == ["0.25", "0.9877"]
    better = INT8._replace(accuracy=0.98875)
    assert "| −0.12 |" in price_table([BASE, better]) or "| −0.13 |" in price_table([BASE, better])


def test_all_pairs():
    other = INT8._replace(all_accuracy=0.98789, all_lost=0.00017, all_lost_error=0.00026)
    other = other._replace(changed=0.00432, changed_error=0.00012)
    lines = all_pairs_table([BASE, other]).splitlines()
    shared = "1.260 | 95.20 | 88.10 | 0.5000 | 0.0400 | 7.00 |"
    assert lines[2] == f"| `float32` | 98.806 |  |  | {shared}"
    assert lines[3] == f"| `int8` | 98.789 | +0.017 ± 0.026 | 0.432 ± 0.012 | {shared}"
    assert "| −0.017 ± 0.026 |" in all_pairs_table([BASE, other._replace(all_lost=-0.00017)])


def test_covered():
    base = CoveredPrice(
        "float32", 0.0, 0.98, 0.0, 0.0, 0.0, 0.0, -0.0002, 0.0001, 40, 400, "p", "ab", "cd"
    )
    int8 = base._replace(variant="int8", lost=0.0002, lost_error=0.0001, more=0.0, more_error=0.0)
    qat = int8._replace(variant="qat", lost=-0.0003, more=-0.0005, more_error=0.0002)
    rows = [
        row._replace(share=share, accuracy=row.accuracy - (share or 0.25), changed=0.01)
        for row in (base, int8, qat)
        for share in (0.0, 0.5, None)
    ]
    heading, _, *lines = covered_table(rows).splitlines()
    assert heading.startswith("| points lost | 0 % covered | 50 % covered | mean | changed, % |")
    assert heading.endswith("more than `int8` |")
    assert lines == [
        "| accuracy of `float32`, % | 73.00 | 48.00 | 73.00 |  |  |",
        "| `int8` | +0.02 | +0.02 | +0.020 ± 0.010 | 1.000 ± 0.000 |  |",
        "| `qat` | −0.03 | −0.03 | −0.030 ± 0.010 | 1.000 ± 0.000 | −0.050 ± 0.020 |",
    ]
    alone = covered_table([row._replace(more=None) for row in rows if row.variant != "int8"])
    assert alone.splitlines()[-1].endswith("| 1.000 ± 0.000 |  |")


def test_table_is_filled_in_a_page_from_the_csv(tmp_path):
    write_csv(tmp_path / "tflite.csv", Price._fields, [BASE, INT8])
    assert read_rows(tmp_path / "tflite.csv", Price) == [BASE, INT8]
    page = fill_tables("x\n<!-- table: tflite -->\nold\n<!-- end -->\n", tmp_path)
    assert price_table([BASE, INT8]) in page and "old" not in page
