import pytest

from tools.paper.rows import Accuracy, Cost, Drop
from tools.results import read_rows
from xcos_tf.errors import XcosError
from xcos_tf.files import write_csv

ROWS = {
    Accuracy: [
        Accuracy("LFW", "paper", "ArcFace, U", "printed", 0.9947),
        Accuracy(
            "LFW", "xcos_tf", "mobilefacenet baseline", "measured", 0.1 + 0.2, 0.0, pairs=6000
        ),
        Accuracy("YTF", "xcos_tf", "naïve", 'not run: there is no "ytf/"'),
    ],
    Drop: [Drop("a", "b", "learned", 0.1, 0.25, 0.5, -0.25, -0.375, -0.125)],
    Cost: [Cost("paper", "printed", 6.1, 6.7), Cost("xcos_tf", "not run: no presets")],
}


@pytest.mark.parametrize("kind", ROWS)
def test_rows_come_back_as_they_were(kind, tmp_path):
    path = tmp_path / "rows.csv"
    write_csv(path, kind._fields, ROWS[kind])
    assert read_rows(path, kind) == ROWS[kind]
    write_csv(path, kind._fields, [])
    assert read_rows(path, kind) == []


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "\xff\xfe", "cost"])
def test_what_is_no_table_of_this_kind_is_refused(content, tmp_path):
    path = tmp_path / "rows.csv"
    if content == "cost":
        write_csv(path, Cost._fields, ROWS[Cost])
        path.write_text(path.read_text().replace("6.1", "fast"))
    elif content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(XcosError, match=r"holds no results .*tools/reproduce_paper\.py"):
        read_rows(path, Cost)
