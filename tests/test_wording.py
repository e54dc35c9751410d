from xcos_tf.wording import counted


def test_counts():
    assert counted(1, "person", "people") == "1 person"
    assert counted(0, "person", "people") == "0 people"
    assert counted(2000, "photo") == "2,000 photos"
