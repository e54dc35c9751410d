import pytest

from xcos_tf.data.align_folder import Journal

ROWS = {"a/b.jpg": "too small, really", 'odd "name"\n.jpg': "two\nlines", "\udcff.jpg": "é"}


def write(path):
    with Journal(path, "reason").start([]) as journal:
        for photo, reason in ROWS.items():
            journal.add(photo, reason)


def test_round_trip(tmp_path):
    path = tmp_path / "a.csv"
    assert Journal(path, "reason").read() == {}
    write(path)
    assert Journal(path, "reason").read() == ROWS
    assert path.read_bytes().startswith(b"photo,reason\r\n")


def test_rows_are_on_disk_at_once(tmp_path):
    with Journal(tmp_path / "a.csv", "reason").start([("kept", "x")]) as journal:
        journal.add("b", "y")
        assert Journal(tmp_path / "a.csv", "reason").read() == {"kept": "x", "b": "y"}


@pytest.mark.parametrize("cut", range(1, 40))
def test_torn_row_is_as_if_it_had_never_been(tmp_path, cut):
    path = tmp_path / "a.csv"
    write(path)
    path.write_bytes(path.read_bytes()[:-cut])
    journal = Journal(path, "reason")
    rows = journal.read()
    for photo, reason in rows.items():
        assert ROWS.get(photo) == reason
    with journal.start(rows.items()):
        journal.add("new", "row")
    assert Journal(path, "reason").read() == {**rows, "new": "row"}


def test_a_cell_longer_than_any_of_ours_ends_what_is_read(tmp_path):
    path = tmp_path / "failures.csv"
    path.write_text(f"photo,reason\r\na,no face\r\nb,{'x' * 200_000}\r\nc,no face\r\n", newline="")
    assert Journal(path, "reason").read() == {"a": "no face"}
